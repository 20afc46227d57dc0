"""Costs agree with the price list, estimates are on the high side, and what is not known is said."""

import io
import sys

import genai_prices
import numpy as np
import pytest
from asked import question
from PIL import Image

from apu.ask.cost import MOST_OUTPUT, Estimate, estimate, input_tokens, most_of, output_limit, price
from apu.ask.model_name import ModelName, parse_model_name
from apu.ask.provider import Usage
from apu.ask.question import EncodedImage

MINI = ModelName("openai", "gpt-5.4-mini")
SERVER = parse_model_name("http://127.0.0.1:1/v1#m")
UNKNOWN = ModelName("openai", "no-such-model")


def picture(width: int, height: int, kind: str) -> EncodedImage:
    file = io.BytesIO()
    Image.fromarray(np.zeros((height, width, 3), np.uint8)).save(file, kind)
    return EncodedImage(file.getvalue(), f"image/{kind}")


def test_a_price_is_that_of_the_list():
    listed = genai_prices.calc_price(genai_prices.Usage(input_tokens=2000, output_tokens=300), "gpt-5.4-mini")
    assert price(MINI, Usage(2000, 300)) == pytest.approx(float(listed.total_price))
    assert price(MINI, Usage(2000, 300)) == pytest.approx(0.00285)  # 0.75 and 4.50 dollars per million tokens


def test_a_batch_costs_half():
    assert price(MINI, Usage(2000, 300), batch=True) == pytest.approx(0.00285 / 2)


def test_what_is_not_known_has_no_price_and_a_server_of_ones_own_costs_nothing(monkeypatch: pytest.MonkeyPatch):
    assert price(UNKNOWN, Usage(1, 1)) is None
    assert price(MINI, Usage(1, None)) is None
    assert price(SERVER, Usage()) == 0.0
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert price(MINI, Usage(1, 1)) is None
    assert price(SERVER, Usage(1, 1)) == 0.0


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_the_size_of_an_image_is_read_from_its_header(kind: str):
    small, large = (input_tokens(question(image=picture(w, 500, kind))) for w in (300, 1000))
    assert large - small == 700  # 500 pixels each


def test_a_broken_image_counts_as_a_large_one():
    empty = question(image=EncodedImage(b"", "image/png"))
    broken = question(image=EncodedImage(b"\xff\xd8\xff\xe0", "image/jpeg"))
    assert input_tokens(empty) == input_tokens(broken) > 2000


def test_texts_schema_examples_and_earlier_replies_count():
    plain = input_tokens(question())
    assert input_tokens(question(system="x" * 4000)) >= plain + 990
    assert input_tokens(question(examples=())) < plain
    assert input_tokens(question(schema={})) < plain
    more, less = most_of(question(), MINI, earlier="x" * 4000), most_of(question(), MINI)
    assert more is not None
    assert less is not None
    assert more - less == pytest.approx(1000 * 0.75e-6)


def test_an_estimate_sums_up_and_the_most_is_no_less_than_the_usual():
    whole = estimate([question(str(i)) for i in range(10)], MINI)
    assert (whole.requests, whole.input_tokens) == (10, 10 * input_tokens(question("1")))
    assert whole.typical_usd == whole.most_usd  # max_tokens is 200, less than a usual answer
    longer = estimate([question(parameters={})], MINI)
    assert longer.typical_usd is not None
    assert longer.most_usd is not None
    assert longer.typical_usd < longer.most_usd
    assert output_limit(question(parameters={})) == MOST_OUTPUT
    half = estimate([question(str(i)) for i in range(10)], MINI, batch=True)
    assert whole.most_usd is not None
    assert half.most_usd == pytest.approx(whole.most_usd / 2)


def test_an_estimate_says_when_no_price_is_known():
    unknown = estimate([question()], UNKNOWN)
    assert (unknown.typical_usd, unknown.most_usd) == (None, None)
    assert "not known" in str(unknown)
    assert "$2.00, at most $3.00" in str(Estimate(1, 2, 3, 2.0, 3.0))
