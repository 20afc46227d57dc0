"""A body is chosen by its name, and loaded once as long as its files stay the same."""

import os
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from synthetic_smplx import write_anny_model

from apu.body.joints import joint_names
from apu.body.load import load_body
from apu.body.protocol import Parts, default_parameters
from apu.body.smplx_place import find_smplx, named_smplx
from apu.errors import InputError, ModelFileError


@pytest.fixture(scope="module")
def folder(body64, tmp_path_factory) -> Path:
    return write_anny_model(tmp_path_factory.mktemp("smplx"), body64)


def test_the_same_files_are_loaded_once_and_changed_ones_again(folder):
    first = load_body("smplx", folder)
    assert load_body("smplx", folder / "SMPLX_NEUTRAL.npz") is first
    os.utime(folder / "kid_template.npy", ns=(1, 1))
    assert load_body("smplx", folder) is not first
    assert load_body() is load_body("anny")


def test_the_option_goes_before_the_variable_and_the_variable_before_the_config(folder, tmp_path, monkeypatch):
    monkeypatch.delenv("APU_SMPLX", raising=False)
    monkeypatch.setenv("APU_CONFIG_DIR", str(tmp_path))
    (tmp_path / "config.toml").write_text(f'smplx = "{folder}"\n')
    assert find_smplx().model == folder / "SMPLX_NEUTRAL.npz"
    monkeypatch.setenv("APU_SMPLX", "/variable")
    assert named_smplx() == Path("/variable")
    assert named_smplx(Path("/option")) == Path("/option")


def test_a_file_for_anny_is_refused(folder):
    with pytest.raises(InputError, match="--body smplx"):
        load_body("anny", folder)


def test_nothing_named_says_all_places_that_were_looked_at(tmp_path, monkeypatch):
    monkeypatch.delenv("APU_SMPLX", raising=False)
    monkeypatch.setenv("APU_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ModelFileError) as caught:
        load_body("smplx")
    for word in ("--body-file", "APU_SMPLX", "config.toml", "https://smpl-x.is.tue.mpg.de"):
        assert word in str(caught.value)


def test_anny_with_smplx_vertices_has_annys_keypoints(folder, body64):
    """What the tests of the command line take for SMPL-X is a person: every keypoint is where Anny has it."""
    other = load_body("smplx", folder)
    places = []
    for one in (body64, other):
        p = default_parameters(one.parameter_spec, (1,), torch.float64)
        p = {name: value.to(one.parameter_spec[name].default.dtype) for name, value in p.items()}
        joints = one.forward(p, Parts("body25")).joints
        assert joints is not None
        places.append(joints[0].double())
    apart = (places[0] - places[1]).norm(dim=-1)
    assert float(apart.max()) < 0.05, dict(zip(joint_names("body25"), apart.tolist(), strict=True))
    assert float(apart.mean()) < 0.02
