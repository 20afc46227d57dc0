"""Whole observations: the camera, the noise of initial estimates, and what does not depend on what."""

import time
from dataclasses import dataclass, replace

import numpy as np
import pytest
import roma
import torch
from posed_pairs import KINDS, posed_pair
from scipy.linalg import orthogonal_procrustes

from apu.body.protocol import Parts
from apu.body.rigid import moved
from apu.dataset.synthetic.camera_model import MAIN_JOINTS, unhidden_share
from apu.dataset.synthetic.observation_settings import (
    CameraSettings,
    InitialSettings,
    KeypointSettings,
    ObservationSettings,
)
from apu.dataset.synthetic.observe import estimated, observe
from apu.dataset.synthetic.random_streams import Streams
from apu.dataset.synthetic.visibility import JointState
from apu.errors import InputError
from apu.geometry.camera import project
from apu.scene.estimate import InitialBody
from apu.unite.fittable import check_fittable

KINDS_STANDING = [kind for kind in KINDS if kind != "lie"]
PEOPLE = 24
ESTIMATES = 100


@pytest.fixture(scope="module")
def pairs(body):
    return [posed_pair(body, i, KINDS_STANDING[i % 4], child=i % 20 == 7) for i in range(PEOPLE)]


@pytest.fixture(scope="module")
def observed(body, pairs):
    return observe(body, pairs, seed=1)


@dataclass(frozen=True)
class Estimated:
    true_parameters: dict[str, torch.Tensor]
    initial: tuple[InitialBody, InitialBody]


def many_estimates(body, settings):
    """Estimates of grown people a few metres before the camera; no photo is made for them."""
    out = []
    for i in range(ESTIMATES):
        pair = posed_pair(body, i, KINDS_STANDING[i % 4])
        place = torch.tensor([0.0, 0.9, 2.5 + 2.5 * i / ESTIMATES])
        true = moved(pair.parameters, torch.eye(3), place)
        out.append(Estimated(true, estimated(body, true, Streams(1, pair.id), settings)))
    return out


@pytest.fixture(scope="module")
def first(body):
    return many_estimates(body, InitialSettings())


@pytest.fixture(scope="module")
def second(body):
    return many_estimates(body, InitialSettings(family="second"))


def stacked(one):
    return {name: torch.stack([each.parameters[name] for each in one.initial]) for name in one.true_parameters}


def aligned_error_mm(found, true):
    """PA-MPJPE by scipy's orthogonal Procrustes, with the reflection taken out by hand."""
    found, true = found - found.mean(0), true - true.mean(0)
    rotation, _ = orthogonal_procrustes(found, true)
    if np.linalg.det(rotation) < 0:
        u, _, vt = np.linalg.svd(found.T @ true)
        rotation = u @ np.diag([1, 1, -1]) @ vt
    turned = found @ rotation
    return 1000 * np.linalg.norm((turned * true).sum() / np.square(turned).sum() * turned - true, axis=-1).mean()


def accuracies(body, observations):
    """Per-person and pair PA-MPJPE on J14, millimetres."""
    people, both = [], []
    for one in observations:
        true = body.forward(one.true_parameters, Parts("j14")).joints.double().numpy()
        found = body.forward(stacked(one), Parts("j14")).joints.double().numpy()
        people += [aligned_error_mm(found[i], true[i]) for i in (0, 1)]
        both.append(aligned_error_mm(found.reshape(28, 3), true.reshape(28, 3)))
    return np.array(people), np.array(both)


def same(one, other):
    """Whether two observations are equal to the last digit."""
    people = list(zip(one.observation.people, other.observation.people, strict=True))
    arrays = [
        (one.true_keypoints, other.true_keypoints),
        (one.visible, other.visible),
        *((a.keypoints.xy, b.keypoints.xy) for a, b in people),
        *((a.keypoints.confidence, b.keypoints.confidence) for a, b in people),
    ]
    estimates = [
        torch.equal(a.parameters[n], b.parameters[n])
        for a, b in zip(one.initial, other.initial, strict=True)
        for n in a.parameters
    ]
    return all(np.array_equal(a, b) for a, b in arrays) and all(estimates)


# ---- the camera


def test_the_true_parameters_give_the_true_joints_and_pixels(body, observed):
    for one in observed[:10]:
        joints = body.forward(one.true_parameters, Parts("body25")).joints
        assert (joints - one.true_joints).abs().max() < 1e-4
        camera = one.observation.camera
        pixels = project(joints, torch.tensor(camera.focal_px), torch.tensor(camera.center_px))
        assert pixels.numpy() == pytest.approx(one.true_keypoints, abs=0.1)


def test_the_camera_never_rolls_and_stands_in_its_range_of_heights(observed):
    for one in observed:
        assert one.view.rotation[0, 1] == pytest.approx(0.0, abs=1e-9)  # the picture's rows are level
        assert one.view.rotation @ one.view.rotation.T == pytest.approx(np.eye(3), abs=1e-9)
        height = (one.view.rotation.T @ one.view.translation)[1]
        assert 0.8 <= height <= 1.8


def test_uncropped_pairs_are_wholly_in_the_picture_and_fill_a_good_part_of_it(observed):
    for one in observed:
        if not one.view.cropped:
            assert not (one.visible == JointState.OUT_OF_FRAME).any()
    assert np.median([np.ptp(one.true_keypoints.reshape(-1, 2), axis=0).max() for one in observed]) > 300


def test_cropped_pairs_lose_their_feet_and_keep_their_shoulders(body, pairs):
    settings = ObservationSettings(camera=CameraSettings(cropped=1.0))
    out = np.stack([one.visible for one in observe(body, pairs[:10], 0, settings)]) == JointState.OUT_OF_FRAME
    assert out[..., [11, 14]].mean() > 0.5
    assert out[..., [2, 5]].mean() < 0.02


def test_yaws_from_which_one_person_hides_the_other_are_avoided(observed, body, pairs):
    assert min(unhidden_share(one.visible) for one in observed) >= 0.5
    anyhow = ObservationSettings(camera=CameraSettings(tries=1))
    assert any(unhidden_share(observe(body, [pair], 1, anyhow)[0].visible) < 0.5 for pair in pairs)


def test_yaws_are_spread_all_around(observed):
    quarters = np.histogram([one.view.yaw for one in observed], bins=4, range=(-np.pi, np.pi))[0]
    assert quarters.min() > 0


def test_the_field_of_view_may_vary_and_the_fit_is_told(body, pairs):
    settings = ObservationSettings(camera=CameraSettings(field_of_view_spread_deg=8.0, width=1200, height=800))
    cameras = [one.observation.camera for one in observe(body, pairs[:8], 0, settings)]
    assert len({round(c.focal_px) for c in cameras}) > 4
    assert {(c.width, c.height) for c in cameras} == {(1200, 800)}


def test_every_state_occurs_at_a_natural_share(observed):
    states = np.stack([one.visible for one in observed])
    shares = {state: float((states == state).mean()) for state in JointState}
    assert 0.5 < shares[JointState.SEEN] < 0.8
    assert 0.1 < shares[JointState.BEHIND_SELF] < 0.35
    assert 0.03 < shares[JointState.BEHIND_OTHER] < 0.15
    assert len(MAIN_JOINTS) == 12


# ---- initial estimates


def test_per_person_accuracy_is_seventy_millimetres(body, first):
    people, _ = accuracies(body, first)
    assert people.mean() == pytest.approx(70, abs=4)
    assert people.std() == pytest.approx(15, abs=3)


def test_pair_accuracy_is_between_110_and_140_millimetres(body, first):
    _, both = accuracies(body, first)
    assert 110 < both.mean() < 140


def test_orientations_err_by_ten_to_fifteen_degrees(first):
    angles = [
        torch.rad2deg(
            roma.rotmat_geodesic_distance(
                *(roma.rotvec_to_rotmat(p["orientation"]) for p in (stacked(one), one.true_parameters))
            )
        )
        for one in first
    ]
    assert 10 < float(torch.cat(angles).mean()) < 15


def relative_depth_errors(body, settings, draws=400):
    """Of one pair whose pose is left as it is, in many draws; metres."""
    pair = posed_pair(body, 0)
    true = moved(pair.parameters, torch.eye(3), torch.tensor([0.0, 0.9, 3.5]))
    calm = replace(settings, pa_mpjpe_mm=0.0)
    found = [estimated(body, true, Streams(0, f"p{i}"), calm) for i in range(draws)]
    depth = np.array([[float(each.parameters["translation"][2]) for each in two] for two in found])
    return depth @ [1.0, -1.0] - float(true["translation"][0, 2] - true["translation"][1, 2])


def test_relative_depth_errs_by_about_twenty_centimetres(body):
    errors = relative_depth_errors(body, InitialSettings())
    assert 1.4826 * np.median(np.abs(errors)) == pytest.approx(0.20, abs=0.03)


def test_gross_errors_are_as_frequent_and_as_large_as_stated(body):
    only = InitialSettings(depth_m=0.0, common_depth=0.0, child_as_adult=0.0, adult_as_child=0.0)
    errors = np.abs(relative_depth_errors(body, only))
    gross = errors[errors > 0.01]
    assert len(gross) / len(errors) == pytest.approx(0.06, abs=0.03)
    assert 0.3 <= gross.min() <= gross.max() <= 0.7


def test_poses_are_drawn_towards_the_mean_pose(body, first):
    spec = body.parameter_spec["pose"]
    true = torch.cat([one.true_parameters["pose"] for one in first]) - spec.default
    error = torch.cat([stacked(one)["pose"] for one in first]) - spec.default - true
    slope = (true * error).sum() / true.square().sum()
    assert -0.6 < float(slope) < -0.1


def test_a_child_taken_for_an_adult_looks_as_large_from_farther_off(body):
    pairs = [posed_pair(body, i, "side", child=True) for i in range(3)]
    calm = InitialSettings(
        pa_mpjpe_mm=0.0, orientation_deg=0.0, orientation_spread_deg=0.0, depth_m=0.0, common_depth=0.0,
        gross=0.0, sideways_m=0.0, shape=0.0, shape_pull=0.0, child_as_adult=1.0, adult_as_child=0.0,
    )  # fmt: skip
    for one in observe(body, pairs, 0, ObservationSettings(initial=calm)):
        found, true = stacked(one), one.true_parameters
        ratio = body.height(found) / body.height(true)
        assert float(ratio[0]) > 1.2
        assert float(ratio[1]) == pytest.approx(1.0)
        assert torch.allclose(found["translation"] / true["translation"], ratio[:, None].expand(2, 3), rtol=1e-3)


def test_all_errors_at_zero_give_the_truth(body, pairs):
    none = InitialSettings(
        pa_mpjpe_mm=0.0, orientation_deg=0.0, orientation_spread_deg=0.0, depth_m=0.0, common_depth=0.0,
        gross=0.0, sideways_m=0.0, shape=0.0, shape_pull=0.0, child_as_adult=0.0, adult_as_child=0.0,
    )  # fmt: skip
    for one in observe(body, pairs[:4], 0, ObservationSettings(initial=none)):
        for name, value in stacked(one).items():
            assert torch.allclose(value, one.true_parameters[name], atol=1e-4)


def test_angles_stay_within_their_bounds_and_nothing_is_nan(body, first, second):
    spec = body.parameter_spec["pose"]
    for one in (*first, *second):
        found = stacked(one)
        assert all(bool(value.isfinite().all()) for value in found.values())
        assert bool((found["pose"] <= spec.upper).all() and (found["pose"] >= spec.lower).all())
        assert float(found["translation"][:, 2].min()) > 0.5


def test_the_second_family_is_as_large_but_has_heavier_tails(body, first, second):
    first_pa, _ = accuracies(body, first)
    second_pa, _ = accuracies(body, second)
    assert second_pa.mean() == pytest.approx(70, abs=15)
    assert second_pa.std() > 1.8 * first_pa.std()
    assert {each.source for one in second for each in one.initial} == {"synthetic-second"}
    assert {each.source for one in first for each in one.initial} == {"synthetic-bev"}


# ---- independence


def test_a_pair_looks_the_same_whoever_is_observed_with_it(body, pairs, observed):
    for one in observe(body, [pairs[11], pairs[3]], seed=1):
        assert same(one, observed[pairs.index(one.truth)])


def test_another_seed_gives_another_observation(body, pairs, observed):
    assert not same(observe(body, pairs[:1], seed=2)[0], observed[0])


@pytest.mark.parametrize(
    "settings",
    [
        ObservationSettings(keypoints=KeypointSettings(on=False)),
        ObservationSettings(keypoints=replace(KeypointSettings(), stolen=1.0, swapped=1.0)),
    ],
)
def test_switching_the_keypoint_noise_leaves_camera_and_estimates_alone(body, pairs, observed, settings):
    (one,) = observe(body, pairs[:1], 1, settings)
    assert np.array_equal(one.true_keypoints, observed[0].true_keypoints)
    assert all(torch.equal(stacked(one)[n], stacked(observed[0])[n]) for n in stacked(one))


def test_estimates_can_be_withheld_and_are_still_known(body, pairs, observed):
    (one,) = observe(body, pairs[:1], 1, ObservationSettings(initial=InitialSettings(given=False)))
    assert one.observation.initial == (None, None)
    assert same(one, observed[0])
    assert observed[0].observation.initial == observed[0].initial


def test_the_camera_off_looks_from_the_front(body, pairs):
    (one,) = observe(body, pairs[:1], 1, ObservationSettings(camera=CameraSettings(on=False)))
    assert one.view.yaw == 0
    middle = (one.true_keypoints.reshape(-1, 2).min(0) + one.true_keypoints.reshape(-1, 2).max(0)) / 2
    assert middle == pytest.approx([500, 500], abs=60)


# ---- odd pairs


def test_children_and_lying_people_are_seen_and_can_be_fitted(body):
    pairs = [posed_pair(body, i, kind, child=True) for i, kind in enumerate(("lie", "hug", "sit", "lie"))]
    for one in observe(body, pairs, 4):
        check_fittable(one.observation)
        for person in one.observation.people:
            assert np.isfinite(person.keypoints.xy).all()
            assert ((person.keypoints.confidence >= 0) & (person.keypoints.confidence <= 1)).all()


def test_another_body_model_is_refused(body, pairs):
    with pytest.raises(InputError, match="another body model"):
        observe(body, [replace(pairs[0], body_model="smplx")], 0)


def test_a_pair_takes_less_than_three_tenths_of_a_second(body, pairs):
    start = time.process_time()
    observe(body, pairs[:10], 3)
    assert (time.process_time() - start) / 10 < 0.3
