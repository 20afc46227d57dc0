"""Depths of two bodies in each other against libigl, along a path as an optimisation takes it."""

import igl
import numpy as np
import pytest
import roma
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.evaluate.penetration_metrics import penetration_rows
from apu.geometry.surface_query import SurfaceQuery
from apu.unite.penetration import Penetration, cores, overlap, vertex_areas

EXACT_OR_NOT = pytest.mark.parametrize("exact", [True, False], ids=["exact", "by cores"])


def posed(body: AnnyBody, apart_m: float) -> torch.Tensor:
    """(1, 2, v, 3) two standing bodies face to face, their roots `apart_m` apart."""
    parameters = default_parameters(body.parameter_spec, (1, 2))
    parameters["orientation"][0, 1, 1] = np.pi
    parameters["translation"][0, 1, 2] -= apart_m
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    assert vertices is not None
    return vertices


def oracle(body: AnnyBody, vertices: torch.Tensor) -> float:
    """Depth of the deepest vertex by libigl: exact winding numbers and point to mesh distances."""
    faces = body.surface.collision_faces.numpy()
    skin = np.unique(faces)
    points = vertices[0].double().numpy()
    depth = 0.0
    for mine, other in ((0, 1), (1, 0)):
        inside = igl.winding_number(points[other], faces, points[mine][skin]) > 0.5
        if inside.any():
            squared = igl.point_mesh_squared_distance(points[mine][skin][inside], points[other], faces)[0]
            depth = max(depth, float(np.sqrt(squared.max())))
    return depth


@pytest.mark.parametrize("apart_m", [0.12, 0.2, 0.6])
def test_the_deepest_vertex_is_that_of_libigl(body: AnnyBody, apart_m: float):
    vertices = posed(body, apart_m)
    assert float(overlap(body.surface, vertices)[0]) == pytest.approx(oracle(body, vertices), abs=2e-6)


def test_bodies_apart_have_no_depth(body: AnnyBody):
    assert float(overlap(body.surface, posed(body, 1.0))[0]) == 0.0


def test_short_reach_along_a_path_loses_no_depth(body: AnnyBody):
    kept = Penetration(body.surface, posed(body, 0.30))
    for apart_m in (0.30, 0.27, 0.24, 0.20, 0.17):
        vertices = posed(body, apart_m)
        fresh = Penetration(body.surface, vertices)
        torch.testing.assert_close(kept.depths(vertices), fresh.depths(vertices), atol=2e-5, rtol=0)


def test_inside_is_what_libigl_says_along_an_optimisation_of_bodies_that_cut_themselves(body: AnnyBody):
    """Arms bent through the own chest: there the nearest face may lie in the body, and its normal points inwards."""
    parameters = default_parameters(body.parameter_spec, (1, 2))
    generator = torch.Generator().manual_seed(0)
    parameters["pose"] += 0.25 * torch.randn(parameters["pose"].shape, generator=generator)
    parameters["orientation"][0, 1, 1] = np.pi
    parameters["translation"][0, 1, 2] -= 0.2
    free = {name: value.requires_grad_(name != "shape") for name, value in parameters.items()}
    optimiser = torch.optim.Adam([value for value in free.values() if value.requires_grad], lr=0.01)
    faces = body.surface.collision_faces.numpy()
    skin = np.unique(faces)
    kept, counts, by_normal = None, [], 0
    for step in range(9):
        vertices = body.forward(free, Parts(vertices="all")).vertices
        assert vertices is not None
        kept = kept or Penetration(body.surface, vertices.detach())
        depth = kept.depths(vertices)
        optimiser.zero_grad()
        depth.square().sum().backward()
        optimiser.step()
        if step % 4:
            continue
        points = vertices[0].detach().double().numpy()
        for mine, other in ((0, 1), (1, 0)):
            said = kept.inside[0, mine].numpy()
            truth = igl.winding_number(points[other], faces, points[mine][skin]) > 0.5
            wrong = np.flatnonzero(said != truth)
            if len(wrong):
                at = np.ascontiguousarray(points[mine][skin][wrong])
                assert float(np.max(igl.point_mesh_squared_distance(at, points[other], faces)[0])) < 1e-12
            counts.append(int(truth.sum()))
            query = SurfaceQuery(body.surface.collision_faces, vertices[:, other].detach())
            by_normal += int((query.nearest(vertices[:, mine, skin].detach()).inside[0].numpy() != truth).sum())
    assert min(counts) > 50
    assert by_normal > 0, "the scene has what the normal alone gets wrong"


def turned_and_moved(vertices: torch.Tensor, yaw: float, shift: tuple[float, float, float]) -> torch.Tensor:
    """Both bodies together, about B's middle and then away."""
    turn = roma.rotvec_to_rotmat(torch.tensor([0.0, yaw, 0.0]))
    middle = vertices[:, 1].mean(1)[:, None, None]
    return (vertices - middle) @ turn.mT + middle + torch.tensor(shift)


def assert_same(found: torch.Tensor, fresh: torch.Tensor, exact: bool) -> None:
    """The same vertices are inside, and as deep.

    A core's way out jumps where two faces are equally near, so that rounding moves some depths along it: a shift of
    both bodies by 1e-7 m moves a dozen of them, one by 2 mm. Nearest distances do not jump.
    """
    clear = torch.maximum(found, fresh) > 2e-5
    assert torch.equal((found > 0)[clear], (fresh > 0)[clear])
    off = (found - fresh).abs()
    assert int((off > 2e-5).sum()) <= (0 if exact else 0.003 * off.numel())
    assert float(off.amax()) < 0.01


def assert_as_fresh(kept: Penetration, body: AnnyBody, vertices: torch.Tensor, exact: bool) -> float:
    """Nothing is lost against looking everywhere; gives back the greatest depth."""
    fresh = Penetration(body.surface, vertices, exact=exact).depths(vertices)
    assert_same(kept.depths(vertices), fresh, exact)
    return float(fresh.amax())


def along(body: AnnyBody, path: list[torch.Tensor], exact: bool) -> list[float]:
    """Greatest depths along a path on which every place is looked at once."""
    kept = Penetration(body.surface, path[0], exact=exact)
    return [assert_as_fresh(kept, body, vertices, exact) for vertices in path]


@EXACT_OR_NOT
def test_bodies_that_move_ten_centimetres_a_look_against_each_other_lose_no_depth(body: AnnyBody, exact: bool):
    apart = (0.65, 0.55, 0.45, 0.35, 0.25, 0.15, 0.25)
    depths = along(body, [posed(body, one) for one in apart], exact)
    assert depths[0] == 0.0
    assert depths[-2] > 0.05


@EXACT_OR_NOT
def test_bodies_that_move_ten_centimetres_a_look_together_lose_no_depth(body: AnnyBody, exact: bool):
    start = posed(body, 0.2)
    path = [turned_and_moved(start, 0.0, (0.06 * i, 0.05 * i, 0.06 * i)) for i in range(5)]
    assert min(along(body, path, exact)) > 0.02


@EXACT_OR_NOT
def test_bodies_that_turn_and_move_together_and_against_each_other_lose_no_depth(body: AnnyBody, exact: bool):
    apart = (0.40, 0.30, 0.20, 0.30, 0.18, 0.40, 0.16)
    path = [turned_and_moved(posed(body, one), 0.15 * i, (0.1 * i, 0.0, -0.1 * i)) for i, one in enumerate(apart)]
    assert max(along(body, path, exact)) > 0.05


@EXACT_OR_NOT
def test_one_leap_out_of_nowhere_into_each_other_is_seen(body: AnnyBody, exact: bool):
    assert along(body, [posed(body, 2.0), posed(body, 0.15)], exact)[1] > 0.05


@EXACT_OR_NOT
def test_many_small_steps_from_out_of_reach_lose_no_depth(body: AnnyBody, exact: bool):
    """No step is as large as the reach, and what starts beyond it comes in."""
    kept = Penetration(body.surface, posed(body, 0.54), exact=exact)
    deepest_m = 0.0
    for i in range(21):
        vertices = posed(body, 0.54 - 0.02 * i)
        if i % 5:
            kept.depths(vertices, look=i % 2 == 0)
        else:
            deepest_m = assert_as_fresh(kept, body, vertices, exact)
    assert deepest_m > 0.05


def test_far_vertices_are_left_out_and_nothing_is_lost_however_far_both_bodies_go(body: AnnyBody, monkeypatch):
    asked: list[int] = []
    answer = SurfaceQuery.nearest_of

    def counted(self: SurfaceQuery, mesh: torch.Tensor, points: torch.Tensor, reach: torch.Tensor):
        asked.append(len(points))
        return answer(self, mesh, points, reach)

    near = posed(body, 0.38)
    kept = Penetration(body.surface, posed(body, 0.48), exact=True)
    for vertices in (posed(body, 0.48), near, near):
        kept.depths(vertices)  # which are near is known after looks at bodies that have moved a little
    for away in (0.5, 1.0):
        with monkeypatch.context() as patch:
            patch.setattr(SurfaceQuery, "nearest_of", counted)
            found = kept.depths(near + away)
        fresh = Penetration(body.surface, near + away, exact=True).depths(near + away)
        assert float(fresh.amax()) > 0.005
        torch.testing.assert_close(found, fresh, atol=2e-5, rtol=0)
    assert max(asked) < 0.5 * 2 * len(torch.unique(body.surface.collision_faces))


@EXACT_OR_NOT
def test_a_pair_at_rest_beside_one_that_moves_fast_has_the_depths_it_has_alone(body: AnnyBody, exact: bool):
    rest = posed(body, 0.2)
    kept = Penetration(body.surface, torch.cat([rest, posed(body, 0.5)]), exact=exact)
    for apart in (0.5, 0.35, 0.15):
        found = kept.depths(torch.cat([rest, posed(body, apart)]))
        for one, vertices in zip(found, (rest, posed(body, apart)), strict=True):
            fresh = Penetration(body.surface, vertices, exact=exact).depths(vertices)
            assert_same(one[None], fresh, exact)


def test_a_shared_query_follows_the_bodies_while_they_move_a_little(body: AnnyBody):
    start, moved = posed(body, 0.200), posed(body, 0.197)
    kept = Penetration(body.surface, start, exact=True)
    kept.depths(start)
    followed, fresh = kept.depths(moved, look=False), Penetration(body.surface, moved, exact=True).depths(moved)
    was_inside = followed > 0
    assert int(was_inside.sum()) > 50
    off = (followed - fresh)[was_inside].abs()
    assert float(off.mean()) < 5e-4
    assert float(off.max()) < 5e-3, "a vertex whose nearest face has changed"


def test_swapping_the_people_swaps_the_depths(body: AnnyBody):
    vertices = posed(body, 0.2)
    straight = Penetration(body.surface, vertices, exact=True).depths(vertices)
    swapped = Penetration(body.surface, vertices.flip(1), exact=True).depths(vertices.flip(1))
    assert float(straight.amax()) > 0.005
    torch.testing.assert_close(straight, swapped.flip(1), atol=1e-6, rtol=0)


def test_the_gradient_parts_the_bodies(body: AnnyBody):
    vertices = posed(body, 0.2).requires_grad_()
    Penetration(body.surface, vertices).depths(vertices).square().sum().backward()
    assert vertices.grad is not None
    push_a, push_b = (-vertices.grad[0, k].sum(0)[2] for k in (0, 1))
    assert float(push_a) > 0 > float(push_b), "A stands farther from the camera and must be pushed farther"


def test_a_pair_in_a_batch_has_the_depths_it_has_alone(body: AnnyBody):
    batch = torch.cat([posed(body, 0.2), posed(body, 0.5), posed(body, 0.15)])
    together = overlap(body.surface, batch)[0]
    for i in range(3):
        alone = overlap(body.surface, batch[i : i + 1])[0]
        torch.testing.assert_close(together[i : i + 1], alone, atol=1e-5, rtol=0)


def test_a_trapped_arm_is_pushed_out_as_a_whole(body: AnnyBody):
    """A's left arm lies in B's chest: the pushes on its front and its back must not cancel."""
    apart = posed(body, 3.0)
    region = body.surface.region_of_vertex
    names = [str(n) for n in body.surface.region_names]

    def region_mask(*ends: str) -> torch.Tensor:
        return torch.isin(region, torch.tensor([i for i, name in enumerate(names) if name.endswith(ends)]))

    arm = region_mask("left_forearm_front", "left_forearm_back")
    chest = apart[0, 1, region_mask("lower_chest", "middle_back")]
    vertices = apart.clone()
    vertices[0, 0] += chest.mean(0) - apart[0, 0, arm].mean(0)
    shares = []
    for exact in (True, False):
        moving = vertices.clone().requires_grad_()
        Penetration(body.surface, moving, exact=exact).depths(moving).square().sum().backward()
        assert moving.grad is not None
        pushes = moving.grad[0, 0, arm]
        shares.append(float(pushes.sum(0).norm() / pushes.norm(dim=-1).sum()))
    assert shares[1] > 0.6, f"most of the push goes one way: {shares}"
    assert shares[1] > 1.2 * shares[0]


def test_cores_lie_inside_limbs_of_known_thickness(body: AnnyBody):
    found = cores(body.surface)
    names = [str(n) for n in body.surface.region_names]
    region = body.surface.region_of_vertex[torch.unique(body.surface.collision_faces)]
    finger, forearm, belly = (
        float(found.radius_m[region == names.index(n)].median())
        for n in ("left_fingers_palm", "left_forearm_back", "left_upper_belly")
    )
    assert finger < forearm < belly


def test_areas_add_up_to_the_surface():
    vertices = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]])
    faces = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
    assert float(vertex_areas(vertices, faces).sum()) == pytest.approx(1.5 + np.sqrt(3) / 2, rel=1e-6)


def test_the_estimated_volume_is_that_of_a_shallow_overlap_and_none_of_bodies_apart(body: AnnyBody):
    """Against the winding number's integral on a grid, which shares nothing with it but the mesh."""
    rest = body.surface.rest_vertices
    facing = torch.stack([rest, rest * torch.tensor([-1.0, 1.0, -1.0])])
    shift = torch.tensor([0.0, 0.0, 1.0])
    chests = facing[0, :, 2].amax() - facing[1, :, 2].amin()
    apart, pressed = (torch.stack([facing[0], facing[1] + shift * (chests - x)])[None] for x in (-0.01, 0.03))
    depth, volume = overlap(body.surface, torch.cat([apart, pressed]))
    truth = penetration_rows(body.surface, torch.cat([apart, pressed]))
    assert depth[0] == volume[0] == 0
    assert float(depth[1]) == pytest.approx(float(truth["penetration_worst_mm"][1]) / 1000, abs=1e-5)
    assert truth["penetration_volume_cm3"][1] > 20
    assert float(volume[1]) == pytest.approx(float(truth["penetration_volume_cm3"][1]), rel=0.5)
