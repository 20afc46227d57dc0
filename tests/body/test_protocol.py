"""Parameters describe themselves, and the default body follows from the description."""

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.joints import JOINT_SETS, joint_mapping, joint_names
from apu.body.protocol import BodyModel, Parts, default_parameters


@pytest.fixture
def spec(body: AnnyBody):
    return body.parameter_spec


def test_the_default_body_model_follows_the_protocol(body):
    assert isinstance(body, BodyModel)


def test_every_parameter_describes_each_of_its_numbers(spec):
    assert list(spec) == ["orientation", "translation", "pose", "shape"]
    for parameter in spec.values():
        assert len(parameter.names) == parameter.size
        for vector in (parameter.default, parameter.scale, parameter.lower, parameter.upper):
            assert vector.shape == (parameter.size,)
        assert bool((parameter.lower < parameter.upper).all())
        assert bool((parameter.lower <= parameter.default).all())
        assert bool((parameter.default <= parameter.upper).all())
        assert bool((parameter.scale > 0).all())
        assert bool(torch.isfinite(parameter.default).all())


def test_roles_are_as_their_sizes_ask(spec):
    assert {name: s.role for name, s in spec.items()} == {
        "orientation": "orientation", "translation": "translation", "pose": "angles", "shape": "shape_logits",
    }  # fmt: skip
    assert spec["orientation"].size == spec["translation"].size == 3


def test_only_angles_are_bounded(spec):
    for parameter in spec.values():
        bounded = bool(torch.isfinite(parameter.lower).all() and torch.isfinite(parameter.upper).all())
        assert bounded == (parameter.role == "angles")


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [(), (3,), (3, 2), (0, 2)])
def test_default_parameters_repeat_the_default(spec, batch, dtype):
    people = default_parameters(spec, batch, dtype)
    assert set(people) == set(spec)
    for name, value in people.items():
        assert value.shape == (*batch, spec[name].size)
        assert value.dtype == dtype
        assert bool((value == spec[name].default.to(dtype)).all())


def test_changing_the_default_parameters_changes_neither_the_spec_nor_the_neighbour(spec):
    people = default_parameters(spec, (2,))
    people["pose"][0] += 1.0
    assert torch.equal(people["pose"][1], spec["pose"].default)
    assert torch.equal(default_parameters(spec, (1,))["pose"][0], spec["pose"].default)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_everything_has_the_bodys_number_type(body, dtype):
    other = AnnyBody(body.asset, dtype)
    people = default_parameters(other.parameter_spec, (1,), dtype)
    posed = other.forward(people, Parts("coco17", "all"))
    joints, jacobian = other.joints_and_jacobian(people, "coco17")
    for value in (posed.vertices, posed.joints, joints, jacobian, other.height(people), other.surface.rest_vertices):
        assert value is not None
        assert value.dtype == dtype


def test_bones_come_after_their_parents(body):
    assert body.parents[0] == -1
    assert all(-1 < parent < bone for bone, parent in enumerate(body.parents) if bone)
    assert len(body.joint_names) == len(body.parents) == len(set(body.joint_names))


def test_the_surface_is_consistent(body):
    surface = body.surface
    count = len(surface.rest_vertices)
    assert int(surface.faces.max()) < count
    assert int(surface.faces.min()) == 0
    skin = {tuple(face) for face in surface.collision_faces.tolist()}
    assert skin < {tuple(face) for face in surface.faces.tolist()}
    assert surface.region_of_vertex.shape == (count,)
    assert int(surface.region_of_vertex.max()) < len(surface.region_names)


def test_the_name_carries_the_version_of_the_package(body):
    from importlib.metadata import version

    assert body.name == f"anny-{version('anny')}"


@pytest.mark.parametrize("joint_set", JOINT_SETS)
def test_joint_sets_name_each_joint_once_and_both_sides(joint_set):
    names = joint_names(joint_set)
    assert len(names) == len(set(names)) == {"coco17": 17, "body25": 25, "j14": 14}[joint_set]
    lefts = {name.removeprefix("left_") for name in names if name.startswith("left_")}
    rights = {name.removeprefix("right_") for name in names if name.startswith("right_")}
    assert lefts == rights


def test_joint_mapping_finds_each_name():
    for source in JOINT_SETS:
        for target in JOINT_SETS:
            for name, index in zip(joint_names(target), joint_mapping(source, target), strict=True):
                assert (index == -1) == (name not in joint_names(source))
                assert index == -1 or joint_names(source)[index] == name


def test_openposes_own_order_is_kept():
    """BODY_25 files have no names, only places."""
    assert joint_names("body25")[8] == "mid_hip"
    assert joint_names("body25")[1] == "neck"
    assert joint_names("body25")[4] == "right_wrist"
    assert joint_names("body25")[24] == "right_heel"
    assert joint_names("coco17")[9] == "left_wrist"


def test_an_unknown_joint_set_is_a_key_error():
    with pytest.raises(KeyError):
        joint_names("coco18")
