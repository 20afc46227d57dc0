"""Where parts are, by joints: the table, its reach on a real body, and what happens where joints are not seen."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from stick_people import NAMES, exchanged, stick, unseen

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.contact.body_points import (
    LIMBS,
    BodyPoints,
    limb_scales,
    longest_scale,
    mean_torso,
    torso_length,
)
from apu.contact.end import End
from apu.contact.part_keypoints import PART_JOINTS, part_joints, place_of
from apu.contact.parts import OTHER_PARTS, PARTS
from apu.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

EVERY_PART = [*PARTS, *OTHER_PARTS]
SINGLE_ENDS = [End(part, side) for part in EVERY_PART for side in End(part).sides]

places = arrays.arrays(np.float64, (25, 2), elements=st.floats(-1e4, 1e4) | st.sampled_from([np.nan, np.inf]))
confidences = arrays.arrays(np.float64, (25,), elements=st.floats(0, 1) | st.sampled_from([np.nan, -1.0, 2.0]))
bodies = st.builds(BodyPoints, places, confidences)


@pytest.fixture(scope="module")
def posed(body: AnnyBody) -> tuple[BodyPoints, np.ndarray, np.ndarray]:
    """Joints, vertices and the region of each vertex of the default body, metres."""
    parameters = default_parameters(body.parameter_spec, (1,))
    out = body.forward(parameters, Parts("body25", "all"))
    assert out.joints is not None
    assert out.vertices is not None
    regions = np.array(body.surface.region_names)[body.surface.region_of_vertex.numpy()]
    return BodyPoints(out.joints[0].double().numpy(), np.ones(25)), out.vertices[0].double().numpy(), regions


def test_every_word_of_the_vocabulary_has_joints_and_no_other_word_has():
    assert set(PART_JOINTS) == set(EVERY_PART)


def test_every_joint_of_the_table_is_one_of_body_25():
    for part in EVERY_PART:
        for joint, weight in part_joints(part).weights.items():
            assert joint in NAMES or (f"left_{joint}" in NAMES and f"right_{joint}" in NAMES)
            assert weight > 0


@pytest.mark.parametrize("end", SINGLE_ENDS, ids=lambda e: e.label)
def test_the_skin_of_a_part_lies_within_its_reach_and_around_its_place(end: End, posed):
    joints, vertices, regions = posed
    skin = vertices[np.isin(regions, list(end.regions))]
    torso = torso_length(joints)
    place = place_of(end, joints).place
    reach = part_joints(end.part).reach
    farthest = np.linalg.norm(skin - place, axis=1).max() / torso
    assert 0.5 * reach < farthest <= reach
    assert np.linalg.norm(skin.mean(0) - place) / torso < 0.3


@pytest.mark.parametrize("end", [e for e in SINGLE_ENDS if e.sided], ids=lambda e: e.label)
def test_a_sided_part_is_nearer_to_its_own_skin_than_its_other_side_is(end: End, posed):
    joints, vertices, regions = posed
    skin = vertices[np.isin(regions, list(end.regions - {"pelvis_front"}))].mean(0)
    mine, other = (np.linalg.norm(place_of(e, joints).place - skin) for e in (end, end.flipped()))
    assert mine < other


def test_limbs_are_as_long_in_torsos_as_on_the_default_body(posed):
    joints = posed[0]
    for (start, end), torsos in LIMBS.items():
        limb = np.linalg.norm(joints.joint(f"left_{start}")[0] - joints.joint(f"left_{end}")[0])
        assert limb / torso_length(joints) == pytest.approx(torsos, rel=0.02)


# ---- places


def test_places_of_parts_by_hand():
    body = stick()
    for end, place in (
        (End("hand", "left"), (35, 3)),
        (End("upper arm", "right"), (-35, -73)),
        (End("forearm", "left"), (35, -21.5)),
        (End("back"), (0, -50)),
        (End("back", "left"), (25, -50)),
        (End("chest"), (0, -75)),
        (End("knee", "right"), (-15, 79)),
        (End("buttocks"), (0, 0)),
        (End("neck"), (0, -100)),
    ):
        np.testing.assert_allclose(place_of(end, body).place, place, atol=1e-9, err_msg=end.label)


@pytest.mark.parametrize("side", ["both", "unknown", "none"])
def test_a_part_of_two_has_no_place_without_a_side(side: str):
    with pytest.raises(InputError, match="no single place"):
        place_of(End("hand", side), stick())


def test_a_hand_is_where_the_detector_sees_it_and_else_at_the_wrist():
    body = stick()
    places = np.concatenate([body.places, [[60.0, 30.0], [-60.0, 30.0]]])
    for sure, expected in ((0.8, (60.0, 30.0)), (0.1, (35.0, 3.0))):
        more = BodyPoints(places, np.append(body.confidence, [sure, sure]), (*NAMES, "left_hand", "right_hand"))
        np.testing.assert_allclose(place_of(End("hand", "left"), more).place, expected)
        np.testing.assert_allclose(place_of(End("fingers", "left"), more).place, expected)


def test_a_head_in_profile_is_as_sure_as_what_is_seen_of_it():
    profile = unseen(stick(), "left_ear")
    found = place_of(End("head"), profile)
    assert found.joints == ("nose", "right_ear")
    assert found.confidence == 0.9


def test_what_is_missing_of_a_part_lowers_its_confidence():
    body = unseen(stick(), "left_hip")
    found = place_of(End("thigh", "left"), body)
    np.testing.assert_allclose(found.place, (15, 79))
    assert found.confidence == pytest.approx(0.45)
    assert place_of(End("back"), body).confidence == pytest.approx(0.75 * 0.9)
    assert place_of(End("thigh", "right"), body).confidence == 0.9


def test_the_confidence_is_the_lowest_used_and_that_of_nothing_seen_is_low():
    body = unseen(stick(), "left_elbow", confidence=0.3)
    assert place_of(End("upper arm", "left"), body).confidence == pytest.approx(0.3)
    hidden = unseen(stick(), "left_wrist", confidence=0.19)
    assert place_of(End("hand", "left"), hidden).confidence == pytest.approx(0.19)


@given(bodies, st.sampled_from(SINGLE_ENDS))
def test_no_number_makes_a_place_or_a_confidence_that_is_none(body: BodyPoints, end: End):
    found = place_of(end, body)
    assert np.isfinite(found.place).all()
    assert 0 <= found.confidence <= 1


@given(bodies, st.sampled_from(SINGLE_ENDS))
def test_a_mirrored_body_has_the_other_part_at_the_mirrored_place(body: BodyPoints, end: End):
    here, there = place_of(end, body), place_of(end.flipped(), body.mirrored())
    np.testing.assert_allclose(there.place, here.place * (-1, 1), atol=1e-6)
    assert there.confidence == pytest.approx(here.confidence)


# ---- size


def test_the_torso_of_an_upright_person_and_of_one_of_half_the_size():
    assert torso_length(stick()) == pytest.approx(100.0)
    assert torso_length(stick(scale=0.5)) == pytest.approx(50.0)
    assert mean_torso(stick(), stick(scale=0.25)) == pytest.approx(50.0)


def test_limbs_stand_in_for_a_torso_that_is_not_seen_or_points_at_the_camera():
    hidden = unseen(stick(), "left_hip", "right_hip")
    assert torso_length(hidden) == pytest.approx(100.0, rel=0.05)
    bent = stick(left_shoulder=(35.0, -20.0), right_shoulder=(-35.0, -20.0), left_elbow=(35, 34), right_elbow=(-35, 34),
                 left_wrist=(35, 83), right_wrist=(-35, 83))  # fmt: skip
    assert torso_length(bent) == pytest.approx(100.0, rel=0.05)


def test_the_longest_scale_is_that_of_what_is_least_foreshortened_but_for_one():
    body = stick(left_ankle=(15.0, 79.0 + 120.0), right_ankle=(-15.0, 79.0 + 110.0))
    said = sorted(limb_scales(body))
    assert said[-2:] == pytest.approx([110.0 / LIMBS["knee", "ankle"], 120.0 / LIMBS["knee", "ankle"]])
    assert longest_scale(body) == said[-2]


def test_nobody_seen_has_no_size():
    nobody = BodyPoints(stick().places, np.zeros(25))
    assert torso_length(nobody) is None
    assert longest_scale(nobody) is None
    assert mean_torso(stick(), nobody) is None
    heap = BodyPoints(np.zeros((25, 2)), np.ones(25))
    assert torso_length(heap) is None


@given(bodies)
def test_a_size_is_positive_or_none(body: BodyPoints):
    for size in (torso_length(body), longest_scale(body)):
        assert size is None or 0 < size < np.inf


def test_three_dimensions_and_other_dtypes_are_taken():
    joints = torch.rand(25, 3).double().numpy()
    assert place_of(End("knee", "left"), BodyPoints(joints, np.ones(25))).place.shape == (3,)
    coarse = BodyPoints(stick().places.astype(np.float32), stick().confidence.astype(np.float32))
    np.testing.assert_allclose(place_of(End("back"), coarse).place, (0, -50), atol=1e-4)


@pytest.mark.parametrize(
    ("places", "confidence"),
    [(np.zeros((24, 2)), np.ones(25)), (np.zeros((25, 2)), np.ones(24)), (np.zeros((25, 4)), np.ones(25))],
)
def test_arrays_that_do_not_belong_together_are_refused(places: np.ndarray, confidence: np.ndarray):
    with pytest.raises(InputError, match="belong together"):
        BodyPoints(places, confidence)


def test_mirroring_twice_is_the_same_and_exchanging_labels_is_no_mirror():
    body = stick(7.0)
    np.testing.assert_array_equal(body.mirrored().mirrored().places, body.places)
    np.testing.assert_array_equal(exchanged(body).joint("left_wrist")[0], body.joint("right_wrist")[0])
