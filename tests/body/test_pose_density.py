"""The shipped pose density: a sound density, mirror-symmetric, about our angles, and readable only when whole."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from apu.body.anny import AnnyBody
from apu.body.anny_pose import DOFS, mirror_matrix
from apu.body.pose_density import TILTS, PoseDensity
from apu.errors import InputError, ModelFileError

SHIPPED = Path(__file__).resolve().parents[2] / "src" / "apu" / "body" / "data" / "pose_density.safetensors"
ANGLES = len(DOFS)
MIRROR = mirror_matrix().double()
RELAXED = torch.tensor([d.default for d in DOFS], dtype=torch.float64)
SCALE = torch.tensor([d.scale for d in DOFS], dtype=torch.float64)


@pytest.fixture(scope="module")
def density() -> PoseDensity:
    return PoseDensity.load(dtype=torch.float64)


@pytest.fixture(scope="module")
def people(density: PoseDensity) -> torch.Tensor:
    return density.sample(400, torch.Generator().manual_seed(1))[0]


def oracle(density: PoseDensity) -> MixtureSameFamily:
    """Components and their mirror images by torch.distributions, over the angles alone."""
    covariance = (density.cholesky @ density.cholesky.mT)[:, :ANGLES, :ANGLES]
    mean = density.mean[:, :ANGLES]
    weights = torch.cat([density.weight, density.weight]) / 2
    means = torch.cat([mean, mean @ MIRROR.T])
    covariances = torch.cat([covariance, MIRROR @ covariance @ MIRROR.T])
    return MixtureSameFamily(Categorical(weights), MultivariateNormal(means, covariances))


def test_log_density_equals_that_of_torch_distributions(density: PoseDensity, people: torch.Tensor):
    far = RELAXED + 3 * SCALE * torch.randn(50, ANGLES, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for pose in (people, far):
        torch.testing.assert_close(density.log_prob(pose), oracle(density).log_prob(pose), rtol=1e-9, atol=1e-6)


def test_single_precision_is_as_good_to_a_hundredth(people: torch.Tensor, density: PoseDensity):
    single = PoseDensity.load().log_prob(people.float())
    torch.testing.assert_close(single.double(), density.log_prob(people), rtol=1e-4, atol=1e-2)


def test_gradient_equals_finite_differences(density: PoseDensity, people: torch.Tensor):
    pose = people[:3].clone().requires_grad_()
    assert torch.autograd.gradcheck(density.log_prob, (pose,), eps=1e-6, atol=1e-4)


def test_a_pose_and_its_mirror_image_are_equally_likely(density: PoseDensity, people: torch.Tensor):
    torch.testing.assert_close(density.log_prob(people @ MIRROR.T), density.log_prob(people), rtol=1e-12, atol=1e-9)


def test_batch_axes_are_kept(density: PoseDensity, people: torch.Tensor):
    flat = density.log_prob(people[:12])
    torch.testing.assert_close(density.log_prob(people[:12].reshape(3, 2, 2, ANGLES)), flat.reshape(3, 2, 2))
    torch.testing.assert_close(density.log_prob(people[0]), flat[0])


def test_absurd_poses_are_unlikely_but_finite_with_a_finite_gradient(density: PoseDensity):
    pose = torch.full((1, ANGLES), 50.0, dtype=torch.float32, requires_grad=True)
    found = PoseDensity.load().log_prob(pose)
    (gradient,) = torch.autograd.grad(found.sum(), pose)
    assert torch.isfinite(found).all()
    assert torch.isfinite(gradient).all()
    assert float(found.detach()) < density.typical["1"] - 100


def test_sitting_is_less_likely_than_standing_but_not_forbidden(density: PoseDensity):
    names = [d.name for d in DOFS]
    sitting = RELAXED.clone()
    for side in ("left", "right"):
        sitting[names.index(f"{side}_hip_flexion")] = sitting[names.index(f"{side}_knee_flexion")] = 1.5
    wide = MultivariateNormal(density.mean[-1, :ANGLES], torch.diag((1.25 * SCALE).square()))
    likely, standing = float(density.log_prob(sitting)), float(density.log_prob(RELAXED))
    assert likely < standing
    assert likely >= float(wide.log_prob(sitting)) + math.log(0.02) - 1e-3


def test_samples_repeat_with_the_seed_and_stay_within_the_bounds(density: PoseDensity):
    pose, tilt = density.sample(200, torch.Generator().manual_seed(4))
    again, again_tilt = density.sample(200, torch.Generator().manual_seed(4))
    other, _ = density.sample(200, torch.Generator().manual_seed(5))
    assert torch.equal(pose, again)
    assert torch.equal(tilt, again_tilt)
    assert not torch.equal(pose, other)
    assert bool(((pose >= density.lower) & (pose <= density.upper)).all())
    assert tilt.shape == (200, len(TILTS))


def test_samples_have_the_mean_and_spread_of_the_mixture(density: PoseDensity):
    learned = replace(
        density,
        weight=density.weight[:-1] / density.weight[:-1].sum(),
        mean=density.mean[:-1],
        cholesky=density.cholesky[:-1],
    )
    free = replace(density, lower=torch.full_like(density.lower, -9), upper=torch.full_like(density.upper, 9))
    pose, tilt = free.sample(12_000, torch.Generator().manual_seed(0))
    wanted = oracle(learned)
    error = (pose.mean(0) - wanted.mean) / wanted.stddev
    assert float(error.abs().max()) < 0.05
    torch.testing.assert_close(pose.std(0), wanted.stddev, rtol=0.05, atol=0)
    assert abs(float(tilt[:, 1].mean())) < 0.02  # nobody leans to one side on average


def test_samples_are_as_likely_as_held_out_frames(density: PoseDensity, people: torch.Tensor):
    found = density.log_prob(people)
    assert density.typical["5"] < float(found.median()) < density.typical["99"] + 10
    assert sorted(density.typical.values()) == [density.typical[k] for k in ("1", "5", "25", "50", "75", "95", "99")]


def test_the_shipped_file_is_small_and_says_where_it_comes_from():
    with safe_open(SHIPPED, framework="pt") as file:
        metadata = file.metadata()
    assert SHIPPED.stat().st_size < 1_000_000
    assert "mocap.cs.cmu.edu" in metadata["notice"]
    assert "NSF EIA-0196217" in metadata["notice"]
    assert metadata["notice"] in " ".join((SHIPPED.parents[4] / "NOTICE").read_text().split())
    assert len(json.loads(metadata["table"])) >= 8
    assert {"seed", "frames", "source", "names", "format"} <= set(metadata)


def test_the_body_is_accepted_and_one_with_other_angles_refused(density: PoseDensity, body: AnnyBody):
    density.check_body(body)
    swapped = replace(density, names=(*density.names[:-2], density.names[-1], density.names[-2]))
    with pytest.raises(InputError, match="other angles") as caught:
        swapped.check_body(body)
    assert f"at {ANGLES - 2}" in str(caught.value)


def rewritten(path: Path, **metadata: str) -> Path:
    with safe_open(SHIPPED, framework="pt") as file:
        kept = file.metadata()
    save_file(load_file(SHIPPED), path, {**kept, **metadata})
    return path


def test_a_file_about_other_angles_is_refused(tmp_path: Path):
    names = [*(d.name for d in DOFS[:-1]), "tail_wag"]
    with pytest.raises(InputError, match="other angles"):
        PoseDensity.load(rewritten(tmp_path / "other.safetensors", names=json.dumps(names)))


@pytest.mark.parametrize("change", [{"format": "99"}, {"format": "new"}, {"names": "{"}, {"typical": "[]"}])
def test_a_file_with_wrong_metadata_is_refused(tmp_path: Path, change: dict[str, str]):
    with pytest.raises(ModelFileError, match="cannot be read"):
        PoseDensity.load(rewritten(tmp_path / "wrong.safetensors", **change))


def test_a_missing_or_cut_file_is_refused(tmp_path: Path):
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(SHIPPED.read_bytes()[:5000])
    for path in (cut, tmp_path / "missing.safetensors"):
        with pytest.raises(ModelFileError, match="cannot be read"):
            PoseDensity.load(path)
