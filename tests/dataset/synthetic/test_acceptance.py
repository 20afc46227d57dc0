"""Every rule by itself turns a pair down, for its own reason; and what the rules look at, on bodies posed by hand."""

from dataclasses import replace

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.body.protocol import Parts, default_parameters
from apu.dataset.synthetic.acceptance import (
    BALANCE_M,
    BOUND_RAD,
    DEEPEST_M,
    FLOOR_M,
    INTENDED_M,
    REASONS,
    STUMBLE_M,
    Measures,
    measure,
    on_floor,
)
from apu.dataset.synthetic.interaction import interaction
from apu.dataset.synthetic.support import centre_of_mass

GOOD = Measures(
    contact_m=INTENDED_M, penetration_m=DEEPEST_M, beyond_rad=BOUND_RAD, floor_m=FLOOR_M, balance_m=BALANCE_M
)
BROKEN = {
    "contact": {"contact_m": 1.01 * INTENDED_M},
    "penetration": {"penetration_m": 1.01 * DEEPEST_M},
    "bounds": {"beyond_rad": 1.01 * BOUND_RAD},
    "floor": {"floor_m": 1.01 * FLOOR_M},
    "balance": {"balance_m": 1.01 * BALANCE_M},
}
EACH, LOOSE, EXEMPT, TOGETHER = (interaction(name) for name in ("hug", "push", "sit_together", "piggyback"))


def test_whoever_meets_every_limit_exactly_is_a_pair():
    assert GOOD.reason is None


@pytest.mark.parametrize("reason", REASONS)
def test_each_rule_alone_is_the_reason(reason: str):
    assert replace(GOOD, **BROKEN[reason]).reason == reason


@pytest.mark.parametrize("first", range(len(REASONS)))
def test_of_several_broken_rules_the_first_is_the_reason(first: int):
    changes = {name: value for reason in REASONS[first:] for name, value in BROKEN[reason].items()}
    assert replace(GOOD, **changes).reason == REASONS[first]


def test_nothing_to_stand_on_is_no_balance():
    assert replace(GOOD, balance_m=float("inf")).reason == "balance"


def test_who_stumbles_may_lean_farther_but_not_fall():
    stumbling = replace(GOOD, balance_m=STUMBLE_M, balance_limit_m=STUMBLE_M)
    assert stumbling.reason is None
    assert replace(stumbling, balance_m=1.01 * STUMBLE_M).reason == "balance"
    assert STUMBLE_M > BALANCE_M


@pytest.fixture
def standing(body: AnnyBody) -> dict[str, torch.Tensor]:
    """Two default bodies on the floor, a metre apart."""
    parameters = default_parameters(body.parameter_spec, (2,))
    parameters["translation"] = torch.tensor([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    assert vertices is not None
    parameters["translation"][:, 1] -= vertices[..., 1].amax(1)
    return parameters


def measures(body: AnnyBody, one, parameters) -> Measures:
    vertices = body.forward(parameters, Parts(vertices="all")).vertices
    assert vertices is not None
    return measure(body, one, parameters, vertices, 0.004, 0.003)


def test_two_who_stand_still_hold_all_that_is_measured_here(body: AnnyBody, standing):
    found = measures(body, EACH, standing)
    assert (found.contact_m, found.penetration_m) == (0.004, 0.003)
    assert found.beyond_rad <= 0
    assert found.floor_m == pytest.approx(0.0, abs=1e-6)
    assert found.balance_m == 0.0
    assert found.reason is None


def test_the_angle_farthest_out_of_its_bounds_counts(body: AnnyBody, standing):
    spec = body.parameter_spec["pose"]
    elbow, knee = (spec.names.index(name) for name in ("left_elbow_flexion", "right_knee_flexion"))
    standing["pose"][1, elbow] = spec.upper[elbow] + 0.1
    standing["pose"][0, knee] = spec.lower[knee] - 0.3
    found = measures(body, EXEMPT, standing)
    assert found.beyond_rad == pytest.approx(0.3, abs=1e-5)
    assert found.reason == "bounds"


@pytest.mark.parametrize("rise_m", [0.05, -0.05])
def test_whoever_stands_is_neither_above_nor_below_the_floor(body: AnnyBody, standing, rise_m: float):
    standing["translation"][1, 1] -= rise_m
    found = measures(body, EXEMPT, standing)
    assert found.floor_m == pytest.approx(0.05, abs=1e-5)
    assert found.reason == "floor"


def test_the_carried_one_need_not_touch_the_floor(body: AnnyBody, standing):
    assert [on_floor(replace(EACH, carried=who)) for who in (None, "a", "b")] == [
        (True, True),
        (False, True),
        (True, False),
    ]
    standing["translation"][1, 1] -= 0.3
    assert measures(body, replace(EXEMPT, carried="b"), standing).floor_m == pytest.approx(0.0, abs=1e-6)
    assert measures(body, replace(EXEMPT, carried="a"), standing).floor_m == pytest.approx(0.3, abs=1e-5)


def leaning(body: AnnyBody, standing, radians: float):
    """A leans forward as a whole, on the tips of the toes."""
    standing["orientation"][0] = torch.tensor([radians, 0.0, 0.0])
    vertices = body.forward(standing, Parts(vertices="all")).vertices
    assert vertices is not None
    standing["translation"][0, 1] -= vertices[0, :, 1].amax()
    return standing


def test_who_leans_falls_unless_the_class_lets_him_stumble_or_exempts_him(body: AnnyBody, standing):
    parameters = leaning(body, standing, 0.3)
    each, loose, exempt = (measures(body, one, parameters) for one in (EACH, LOOSE, EXEMPT))
    assert BALANCE_M < each.balance_m < STUMBLE_M
    assert each.reason == "balance"
    assert (loose.balance_m, loose.balance_limit_m, loose.reason) == (each.balance_m, STUMBLE_M, None)
    assert (exempt.balance_m, exempt.reason) == (0.0, None)


def test_who_lies_in_the_air_falls_even_where_people_stumble(body: AnnyBody, standing):
    found = measures(body, LOOSE, leaning(body, standing, 0.9))
    assert found.balance_m > STUMBLE_M
    assert found.reason == "balance"


def test_together_the_heavier_one_counts_more(body: AnnyBody, standing):
    """B hangs a metre aside of A: the common centre of mass is aside by B's share of the mass, times a metre."""
    standing["translation"][1, 1] -= 0.3
    alike = measures(body, TOGETHER, standing)
    standing["shape"][1, body.parameter_spec["shape"].names.index("age")] = -1.0  # a child
    light = measures(body, TOGETHER, standing)
    vertices = body.forward(standing, Parts(vertices="all")).vertices
    assert vertices is not None
    volume = centre_of_mass(vertices, body.surface.collision_faces)[1]
    share = float(volume[1] / volume.sum())
    assert share < 0.4
    assert alike.balance_m - light.balance_m == pytest.approx(0.5 - share, abs=0.01)
