"""Pages in one file: foreign text stays text, wherever it is put, and the policy allows nothing but our own script."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from apu.show.offline_page import data_url, escaped, offline_page

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{data}} {{script}} {{policy}}",
    "caf\udce9 \u2028 \x00 東京",
)


class Outline(HTMLParser):
    """Tags with their attributes, and the text of each script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text: dict[str, str] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        name, attributes = self.tags[-1] if self.tags else ("", {})
        key = attributes.get("id", name)
        self.text[key] = self.text.get(key, "") + data


def scene_page(text: str, data: object = None) -> Outline:
    return Outline(offline_page("scene", texts={"title": text, "heading": text}, data=data))


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_adds_no_tag_wherever_it_is_put(text):
    plain, hostile = scene_page("x", {"name": "x"}), scene_page(text, {"name": text})
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert hostile.text["script"] == plain.text["script"]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_reaches_the_script_unchanged(text):
    shown = scene_page("x", {"name": text}).text["data"]
    assert json.loads(shown) == {"name": text}


def test_text_that_looks_like_a_place_is_not_filled_in():
    page = offline_page("scene", texts={"title": "{{data}}", "heading": "x"}, data="secret")
    assert "<title>{{data}}</title>" in page


@pytest.mark.parametrize("name", ["scene", "gallery"])
def test_the_policy_names_the_hashes_of_the_style_and_the_script_and_no_address(name):
    texts = {"title": "x", "heading": "x", "folder": "x", "counted": "x"}
    page = offline_page(name, texts=texts, markup={"cards": ""})
    policy = next(a["content"] for tag, a in Outline(page).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    for kind in ("style", "script"):
        content = re.findall(rf"<{kind}>(.*?)</{kind}>", page, re.DOTALL)
        assert len(content) == 1
        found = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{found}';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["scene", "gallery"])
def test_no_page_names_anything_on_the_network(name):
    texts = {"title": "x", "heading": "x", "folder": "x", "counted": "x"}
    assert not re.search(
        r"https?:|//[a-z]+\.|@import|\bfetch\b|XMLHttp|\beval\b", offline_page(name, texts=texts, markup={"cards": ""})
    )


def test_numbers_that_json_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        offline_page("scene", texts={"title": "x", "heading": "x"}, data=float("nan"))


def test_escaped_text_is_safe_in_quotes_of_both_kinds():
    assert escaped("\"'<&>") == "&quot;&#x27;&lt;&amp;&gt;"


def test_bytes_become_an_address():
    assert data_url("image/jpeg", b"\xff\xd8") == "data:image/jpeg;base64,/9g="
