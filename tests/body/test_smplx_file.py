"""The user's SMPL-X files: found where they are said to be, and refused with reasons when they are something else."""

import contextlib
import os
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from synthetic_smplx import layout_of, random_arrays, random_kid, write_model

from apu.body import smplx_file
from apu.body.smplx_file import load_smplx_asset
from apu.body.smplx_place import SmplxFiles, find_smplx
from apu.errors import ApuError, InputError, ModelFileError
from apu.restricted_load import Limits


class Bomb:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def load(folder: Path):
    return load_smplx_asset(find_smplx(folder), layout_of())


def refused(folder: Path, *words: str) -> str:
    with pytest.raises(InputError) as caught:
        load(folder)
    text = str(caught.value)
    for word in (*words, "where", "expected", "got", "remedy"):
        assert word in text
    return text


# ---- where they are


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_model(tmp_path / "models", random_arrays(), random_kid())


def test_a_folder_a_file_and_the_variable_name_the_same_model(folder, monkeypatch):
    wanted = SmplxFiles(folder / "SMPLX_NEUTRAL.npz", folder / "kid_template.npy")
    assert find_smplx(folder) == wanted
    assert find_smplx(folder / "SMPLX_NEUTRAL.npz") == wanted
    monkeypatch.setenv("APU_SMPLX", str(folder))
    assert find_smplx() == wanted
    monkeypatch.setenv("APU_SMPLX", "/nowhere")
    assert find_smplx(folder) == wanted  # the option wins


def test_the_usual_folder_of_body_models_is_understood(tmp_path):
    write_model(tmp_path / "smplx", random_arrays())
    assert find_smplx(tmp_path) == SmplxFiles(tmp_path / "smplx" / "SMPLX_NEUTRAL.npz", None)


def test_agoras_own_name_of_the_kid_template_is_understood(folder):
    (folder / "kid_template.npy").rename(folder / "smplx_kid_template.npy")
    assert load(folder).kid


@pytest.mark.parametrize("where", ["unset", "empty folder", "no file"])
def test_a_missing_model_says_where_to_register_and_what_to_put_where(tmp_path, monkeypatch, where):
    monkeypatch.delenv("APU_SMPLX", raising=False)
    place = {"unset": None, "empty folder": tmp_path, "no file": tmp_path / "SMPLX_NEUTRAL.npz"}[where]
    with pytest.raises(ModelFileError) as caught:
        find_smplx(place)
    for word in ("https://smpl-x.is.tue.mpg.de", "SMPLX_NEUTRAL.npz", "APU_SMPLX"):
        assert word in str(caught.value)


@pytest.mark.parametrize("name", ["SMPLX_NEUTRAL.npz", "kid_template.npy"])
def test_a_link_out_of_the_folder_is_refused(folder, tmp_path, name):
    outside = tmp_path / name
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)
    refused(folder, name, "symbolic link")


def test_a_link_that_the_user_names_is_followed(folder, tmp_path):
    link = tmp_path / "link.npz"
    link.symlink_to(folder / "SMPLX_NEUTRAL.npz")
    assert not load(link).kid


def test_a_dead_link_and_a_ring_of_links_are_errors(tmp_path):
    for name, target in (("dead.npz", "nobody"), ("ring.npz", "ring.npz")):
        (tmp_path / name).symlink_to(tmp_path / target)
        refused(tmp_path / name, "cannot be opened")


# ---- what is in them


def test_a_sound_file_is_read_number_for_number(folder):
    asset, arrays = load(folder), random_arrays()
    assert np.array_equal(asset.template, arrays["v_template"])
    assert np.array_equal(asset.shape_dirs[3], arrays["shapedirs"][..., 3])
    assert np.array_equal(asset.expression_dirs[4], arrays["shapedirs"][..., 14])
    assert np.array_equal(asset.pose_dirs[77], arrays["posedirs"][..., 77])
    assert np.array_equal(asset.hand_mean[45:], arrays["hands_meanr"])
    assert asset.kid
    assert len(asset.shape_dirs) == 11


BAD = {
    "weights that do not sum": ("weights", lambda a: a * 1.1, "sum to one"),
    "nan": ("posedirs", lambda a: np.where(a > 0.03, np.nan, a), "finite"),
    "infinity": ("J_regressor", lambda a: np.where(a == a.max(), np.inf, a), "finite"),
    "centimetres": ("v_template", lambda a: a * 30, "metres"),
    "another mesh": ("v_template", lambda a: np.zeros((6890, 3)), "SMPL"),
    "flat template": ("v_template", lambda a: a.ravel(), "shape (160, 3)"),
    "sixteen betas": ("shapedirs", lambda a: a[..., :16], "(160, 3, 20)"),
    "no betas": ("shapedirs", lambda a: a[..., 0], "shapedirs"),
    "smpl's pose blend shapes": ("posedirs", lambda a: a[..., :207], "shape (160, 3, 486)"),
    "24 joints": ("J_regressor", lambda a: a[:24], "J_regressor"),
    "another tree": ("kintree_table", lambda a: a[:, ::-1], "kintree_table"),
    "faces of another mesh": ("f", lambda a: a + 100, "vertex numbers"),
    "no faces": ("f", lambda a: a[:0], "f"),
    "text": ("weights", lambda a: a.astype("U8"), "numbers"),
    "flags": ("weights", lambda a: a.astype(np.float32) > 0, "numbers"),
    "short hands": ("hands_meanl", lambda a: a[:6], "hands_meanl"),
    "enormous": ("shapedirs", lambda a: a * 1e9, "below 100"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_array_is_named(tmp_path, case):
    name, spoil, word = BAD[case]
    arrays = random_arrays()
    refused(write_model(tmp_path, arrays | {name: spoil(arrays[name])}), name, word, "SMPLX_NEUTRAL.npz")


def test_hundredfold_units_are_told_by_their_name(tmp_path):
    arrays = random_arrays()
    small = arrays["v_template"] * 40
    assert "centimetres" in refused(write_model(tmp_path, arrays | {"v_template": small * 2}), "v_template")


@pytest.mark.parametrize("name", ["v_template", "weights", "hands_meanl"])
def test_an_array_that_is_not_there_is_named(tmp_path, name):
    arrays = random_arrays()
    del arrays[name]
    refused(write_model(tmp_path, arrays), f"no {name}")


KIDS = {
    "smpl's": (lambda k: np.zeros((6890, 3)), "SMPL"),
    "nan": (lambda k: np.where(k > 0.5, np.nan, k), "finite"),
    "an adult": (lambda k: k * 2.6, "0.3 to 1.3 m"),
    "centimetres": (lambda k: k * 100, "kid template"),
    "text": (lambda k: k.astype("U5"), "numbers"),
}


@pytest.mark.parametrize("case", KIDS)
def test_a_wrong_kid_template_is_told_apart(tmp_path, case):
    spoil, word = KIDS[case]
    refused(write_model(tmp_path, random_arrays(), spoil(random_kid())), "kid", word, "agora.is.tue.mpg.de")


# ---- hostile files


@pytest.mark.parametrize("name", ["v_template", "f", "kid"])
def test_a_hostile_pickle_does_nothing(tmp_path, name):
    mark = tmp_path / "executed"
    bomb = np.empty((), object)
    bomb[()] = Bomb(mark)
    arrays, kid = random_arrays(), random_kid()
    folder = write_model(tmp_path / "m", arrays if name == "kid" else arrays | {name: bomb}, kid)
    if name == "kid":
        np.save(folder / "kid_template.npy", bomb, allow_pickle=True)
    refused(folder, "not read")
    assert not mark.exists()


def test_what_is_not_used_is_not_even_unpacked(tmp_path):
    """The published file also holds dictionaries; nobody looks at them."""
    mark = tmp_path / "executed"
    bomb = np.empty((), object)
    bomb[()] = Bomb(mark)
    assert not load(write_model(tmp_path / "m", random_arrays() | {"joint2num": bomb})).kid
    assert not mark.exists()


def test_the_pickle_of_the_same_model_is_no_npz(tmp_path):
    (tmp_path / "SMPLX_NEUTRAL.npz").write_bytes(pickle.dumps({"v_template": [0]}))
    refused(tmp_path, "no npz file")


def test_a_file_cut_short_is_an_error(folder):
    data = (folder / "SMPLX_NEUTRAL.npz").read_bytes()
    (folder / "SMPLX_NEUTRAL.npz").write_bytes(data[: len(data) // 2])
    refused(folder, "damaged")


def test_five_gigabytes_are_refused_before_they_are_read(folder):
    with open(folder / "SMPLX_NEUTRAL.npz", "r+b") as file:
        file.truncate(5 * 2**30)  # sparse
    import tracemalloc

    tracemalloc.start()
    refused(folder, "too large", "512 MB")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_arrays_that_unpack_to_too_much_are_refused(folder, monkeypatch):
    monkeypatch.setattr(smplx_file, "LIMITS", Limits(2**24, 100_000))
    refused(folder, "once unpacked")


def test_a_pipe_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "SMPLX_NEUTRAL.npz")
    refused(tmp_path, "pipe")


def test_every_error_is_one_of_ours(tmp_path):
    """Any byte of a small sound file may be another one."""
    source = write_model(tmp_path / "sound", random_arrays(160))
    data = bytearray((source / "SMPLX_NEUTRAL.npz").read_bytes())
    random = np.random.default_rng(0)
    (tmp_path / "spoilt").mkdir()
    for place in [*random.integers(0, 300, 15), *random.integers(len(data) - 800, len(data), 15)]:
        spoilt = data.copy()
        spoilt[place] ^= 0x55
        (tmp_path / "spoilt" / "SMPLX_NEUTRAL.npz").write_bytes(spoilt)
        with contextlib.suppress(ApuError):
            load(tmp_path / "spoilt")
