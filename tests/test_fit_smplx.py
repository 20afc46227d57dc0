"""A real photo with SMPL-X and a prior from the command line; the model is Anny in files that pass for SMPL-X's."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent / "body"))
from synthetic_smplx import write_anny_model

from apu.body.anny import AnnyBody
from apu.body.load import load_body
from apu.body.protocol import BodyModel, default_parameters
from apu.cache import sha256_file
from apu.cli.main import main
from apu.errors import InputError
from apu.pipeline import FitOptions, fit, load_models
from apu.prior.checkpoint import WEIGHTS, save_prior
from apu.prior.contact_prior import ContactPrior
from apu.prior.network import Denoiser
from apu.prior.representation import Representation
from apu.prior.schedule import Schedule
from apu.prior.settings import NetworkSettings
from apu.prior.statistics import Statistics

COLLEGE = "college_232334"


def tiny_prior(folder: Path, body: BodyModel) -> Path:
    """With random weights, and the statistics of random pairs near to standing."""
    representation = Representation(body.name, body.parameter_spec)
    random = torch.Generator().manual_seed(0)
    pairs = default_parameters(body.parameter_spec, (64, 2))
    pairs = {name: value + 0.3 * torch.randn(value.shape, generator=random) for name, value in pairs.items()}
    torch.manual_seed(0)
    network = Denoiser(representation.tokens, Schedule.of("cosine"), NetworkSettings(32, 2, 2, 48, contacts=4))
    save_prior(folder, ContactPrior(representation, Statistics.of(representation.encode(pairs)), network), "cosine")
    return folder


@pytest.fixture(scope="module")
def models(body, tmp_path_factory) -> Path:
    return write_anny_model(tmp_path_factory.mktemp("smplx"), AnnyBody(body.asset, torch.float64))


@pytest.fixture(scope="module")
def prior(models, tmp_path_factory) -> Path:
    return tiny_prior(tmp_path_factory.mktemp("prior"), load_body("smplx", models))


@pytest.fixture(scope="module")
def told(photos, models, prior, tmp_path_factory) -> tuple[str, Path]:
    """What the command printed, and its folder."""
    out = tmp_path_factory.mktemp("out") / "college"
    keypoints = photos / "vitpose" / f"{COLLEGE}_keypoints.json"
    contacts = photos / "interaction_contact_signature.json"
    words = ["--keypoints", keypoints, "--contacts", contacts, "--body", "smplx", "--body-file", models]
    words = ["fit", photos / "images" / f"{COLLEGE}.png", *words, "--prior", prior, "--out", out]
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout, out


def test_the_fit_is_of_smplx_in_every_file(told, models):
    _, out = told
    name = load_body("smplx", models).name
    with np.load(out / "pair.npz", allow_pickle=False) as arrays:
        assert str(arrays["body_model"]) == name
        assert arrays["vertices"].shape == (2, 10475, 3)
        assert arrays["param_shape"].shape == (2, 11)
        vertices = arrays["vertices"]
    assert json.loads((out / "run.json").read_text())["versions"]["body_model"] == name
    scene = trimesh.load(out / "pair.glb")
    size = np.ptp(vertices.reshape(-1, 3), 0)
    assert np.allclose(np.sort(np.ptp(scene.bounds, 0)), np.sort(size), atol=1e-3)
    assert json.loads((out / "contacts.json").read_text())["people"]
    assert (out / "scene.html").stat().st_size > 100_000


def test_the_fit_is_a_fit(told):
    _, out = told
    (pair,) = json.loads((out / "run.json").read_text())["pairs"]
    assert max(pair["fit"]["reprojection_percent"]) < 4
    met = [contact["distance_m"]["after"] <= 0.02 for contact in pair["fit"]["contacts"]]
    assert sum(met) >= len(met) / 2
    assert pair["people"][0]["age_group"] == "child"


def test_the_prior_is_told_and_recorded_with_its_digest(told, prior):
    text, out = told
    run = json.loads((out / "run.json").read_text())
    digest = sha256_file(prior / WEIGHTS)
    assert run["versions"]["prior"] == digest
    assert run["options"]["prior"] == str(prior)
    assert f"guided by the prior {prior} ({digest[:12]})" in run["notes"]
    assert "guided by the prior" in text
    assert all("prior" in run["pairs"][0]["fit"]["terms"][stage] for stage in ("contact", "penetration"))


def test_a_prior_for_other_bodies_is_refused_before_the_photo_is_looked_at(prior, photos):
    with pytest.raises(InputError, match="other bodies"):
        fit(photos / "images" / f"{COLLEGE}.png", FitOptions(prior=prior))


def test_the_noise_of_the_prior_is_that_of_the_seed(models, prior):
    options = [FitOptions(body="smplx", body_file=models, prior=prior, seed=seed) for seed in (0, 7)]
    assert [load_models(one)[1].guidance.seed for one in options] == [0, 7]  # pyright: ignore[reportOptionalMemberAccess]
