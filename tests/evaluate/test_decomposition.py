"""The parts of the pair's error: each vanishes when the factor that is wrong is replaced."""

import pytest
import torch

from apu.body.anny import AnnyBody
from apu.evaluate.decomposition import FACTORS, pair_pa_mpjpe_decomposition
from apu.evaluate.joint_errors import pair_pa_mpjpe_mm

from .conftest import Pairs

PARAMETERS = {
    "root_position": ("translation",),
    "root_orientation": ("orientation",),
    "articulation_and_size": ("pose", "shape"),
}


def test_the_factors_are_all_parameters(body: AnnyBody):
    roles = [role for factor in FACTORS.values() for role in factor]
    assert sorted(roles) == sorted(spec.role for spec in body.parameter_spec.values())


def test_nothing_replaced_is_the_pairs_error(body: AnnyBody, true: Pairs, predicted: Pairs):
    found = pair_pa_mpjpe_decomposition(body, predicted.parameters, true.parameters)
    torch.testing.assert_close(found["pair_pa_mpjpe_mm"], pair_pa_mpjpe_mm(predicted.joints, true.joints))
    assert len(found) == 7


@pytest.mark.parametrize("wrong", list(FACTORS))
def test_the_error_of_one_factor_vanishes_with_it_and_stays_with_the_others(
    body: AnnyBody, true: Pairs, predicted: Pairs, wrong: str
):
    mixed = {**true.parameters, **{name: predicted.parameters[name] for name in PARAMETERS[wrong]}}
    found = pair_pa_mpjpe_decomposition(body, mixed, true.parameters)
    whole = found["pair_pa_mpjpe_mm"]
    assert float(whole.min()) > 1
    for factor in FACTORS:
        with_truth, alone = found[f"pair_pa_mpjpe_true_{factor}_mm"], found[f"pair_pa_mpjpe_only_{factor}_mm"]
        vanishing, staying = (with_truth, alone) if factor == wrong else (alone, with_truth)
        torch.testing.assert_close(vanishing, torch.zeros_like(whole), atol=1e-3, rtol=0)
        torch.testing.assert_close(staying, whole)


def test_a_common_shift_is_no_error_of_position(body: AnnyBody, true: Pairs):
    moved = {**true.parameters, "translation": true.parameters["translation"] + torch.tensor([0.5, 0.1, 2.0])}
    for values in pair_pa_mpjpe_decomposition(body, moved, true.parameters).values():
        torch.testing.assert_close(values, torch.zeros_like(values), atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", ["translation", "orientation", "pose", "shape"])
def test_a_broken_parameter_is_nan_where_it_is_used(body: AnnyBody, true: Pairs, predicted: Pairs, name: str):
    broken = {k: v.clone() for k, v in predicted.parameters.items()}
    broken[name][1, 0, 0] = torch.nan
    sound = pair_pa_mpjpe_decomposition(body, predicted.parameters, true.parameters)
    mine = next(factor for factor, names in PARAMETERS.items() if name in names)
    for key, values in pair_pa_mpjpe_decomposition(body, broken, true.parameters).items():
        torch.testing.assert_close(values[[0, 2]], sound[key][[0, 2]])
        replaced = key == f"pair_pa_mpjpe_true_{mine}_mm" or ("_only_" in key and mine not in key)
        assert bool(values[1].isnan()) != replaced, key
