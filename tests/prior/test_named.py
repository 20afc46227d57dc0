"""The prior that is named: the one that comes with us is sound and small, is for one body alone, and is read once."""

import shutil

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import default_parameters
from apu.prior.checkpoint import CARD, CONFIG, WEIGHTS, save_prior
from apu.prior.named import folder_of, loaded_prior, named_prior, weights_of
from apu.prior.shipped import SHIPPED_FOLDER
from apu.scene.guidance import KnownPairs


@pytest.fixture(scope="module")
def body() -> AnnyBody:
    return AnnyBody.load()


def test_the_shipped_prior_is_small_has_a_card_and_guides(body: AnnyBody):
    assert (SHIPPED_FOLDER / WEIGHTS).stat().st_size <= 12e6
    card = (SHIPPED_FOLDER / CARD).read_text(encoding="utf-8")
    assert "synthetic" in card
    found = named_prior("shipped", body, seed=3)
    assert found is not None
    assert (found.name, found.sha256, found.guidance.seed) == ("shipped", weights_of(SHIPPED_FOLDER), 3)
    assert found.sha256[:12] in found.note
    parameters = default_parameters(body.parameter_spec, (1, 2))
    parameters["translation"][0, :, 2] = torch.tensor([3.0, 6.0])  # three metres apart: nobody touches so
    target = found.guidance.target(parameters, KnownPairs(("a",)), 700)
    apart = (target["translation"][0, 1] - target["translation"][0, 0]).norm()
    assert 0.1 < float(apart) < 1.5


def test_a_body_for_which_nothing_comes_with_us_has_no_prior(body: AnnyBody):
    class Another(AnnyBody):
        name = "another"

    other = Another(body.asset)
    assert folder_of("shipped", other) is None
    assert named_prior("shipped", other, 0) is None


def test_a_prior_is_read_once_and_again_when_its_weights_are_others(body: AnnyBody, tmp_path):
    folder = shutil.copytree(SHIPPED_FOLDER, tmp_path / "prior")
    first = loaded_prior(folder, body)
    assert loaded_prior(folder, body) is first
    before = weights_of(folder)
    with torch.no_grad():
        next(first.network.parameters()).add_(1.0)
    save_prior(folder, first, "cosine", {})
    assert weights_of(folder) != before
    assert loaded_prior(folder, body) is not first
    assert (folder / CONFIG).is_file()
