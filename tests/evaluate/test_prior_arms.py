"""Priors are named without doubt, and BUDDI's weights mean the same beside our keypoint term as beside theirs."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from apu.errors import InputError
from apu.evaluate.prior_arms import SIDE_OF_DIAGONAL, arms_of, buddi_recipe, named_priors, recipes
from apu.prior.checkpoint import save_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.network import Denoiser
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.settings import NetworkSettings
from apu.prior.statistics import Statistics
from apu.unite.weights import GuidanceWeights, KeypointWeights


@pytest.fixture(scope="module")
def folder(body, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prior that learned nothing."""
    found = tmp_path_factory.mktemp("priors") / "lab"
    representation = Representation(body.name, body.parameter_spec)
    network = Denoiser(representation.tokens, Schedule.of("cosine"), NetworkSettings(32, 1, 2, 48))
    ones = torch.ones(representation.size)
    save_prior(found, ContactPrior(representation, Statistics(0 * ones, ones), network), "cosine")
    return found


def test_names_have_seeds_and_may_hold_a_plus(folder: Path):
    found = named_priors([f"lab={folder}", f"lab+wild/0={folder}", f"lab+wild/12={folder}"])
    assert [(one.name, one.seed, one.label) for one in found] == [
        ("lab", None, "lab"), ("lab+wild", 0, "lab+wild/0"), ("lab+wild", 12, "lab+wild/12"),
    ]  # fmt: skip
    assert [arm.name for arm in arms_of(found[:2], ["contacts", "keypoints"], ("ours", "start"))] == [
        f"{method}{more}"
        for method in ("keypoints", "contacts")
        for more in ("", "+lab", "+lab+wild/0", "+lab:start", "+lab+wild/0:start")
    ]


@pytest.mark.parametrize("name", ["lab", "=x", "lab=", "none=x", "a:b=x", "lab/x=x", "/0=x", "a b=x"])
def test_a_name_that_could_be_misread_is_refused(name: str, folder: Path):
    with pytest.raises(InputError, match="NAME=DIR"):
        named_priors([name.replace("=x", f"={folder}")])


@pytest.mark.parametrize("both", [("lab", "lab"), ("lab/0", "lab/0"), ("lab", "lab/0"), ("lab/0", "lab")])
def test_two_of_a_name_are_refused_unless_their_seeds_differ(both: tuple[str, str], folder: Path):
    with pytest.raises(InputError, match="same name"):
        named_priors([f"{name}={folder}" for name in both])


def test_a_folder_without_a_prior_is_named(tmp_path: Path):
    with pytest.raises(InputError, match="There is no prior in the folder"):
        named_priors([f"lab={tmp_path}"])


def test_recipes_take_the_weights_that_are_given_but_for_buddis():
    guidance = GuidanceWeights(factor=3.0, contact_times=(70, 20))
    found = recipes(["start", "ours", "buddi"], guidance)
    assert list(found) == ["ours", "buddi", "start"]
    assert found["ours"].guidance == guidance
    assert found["start"].guidance == replace(guidance, start_steps=10)
    assert recipes(["start"], replace(guidance, start_steps=3))["start"].guidance.start_steps == 3
    assert found["buddi"] == buddi_recipe()
    with pytest.raises(InputError, match="no such recipe"):
        recipes(["theirs"])


def test_buddis_pull_weighs_as_much_against_keypoints_as_it_does_there():
    """One person 400 x 800 px; a keypoint that is 8 px off against the same change of a pose or of the distance."""
    error, (wide, tall) = 8.0, (342.0, 800.0)
    diagonal = (wide**2 + tall**2) ** 0.5
    assert tall / diagonal == pytest.approx(SIDE_OF_DIAGONAL, abs=0.02)
    theirs_2d = 0.02 * (512 / tall * error) ** 2
    ours_2d = 0.5 * (error / diagonal / KeypointWeights().sigma) ** 2
    pull = buddi_recipe().pull
    for theirs, sigma in ((100.0, pull.pose), (10_000.0, pull.translation), (10.0, pull.shape)):
        assert (1 / sigma) / ours_2d == pytest.approx(theirs / theirs_2d, rel=0.03)
    assert pull.norm == "plain"
    assert pull.orientation > 1e5
    guidance = buddi_recipe().guidance
    assert {*guidance.contact_times, *guidance.penetration_times} == {10}
    assert (guidance.refresh, guidance.start_steps) == (1, 10)
