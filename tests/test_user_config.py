"""The user's `config.toml`: there need not be one, and one that cannot be used says what is wrong with it."""

from pathlib import Path

import pytest

from apu.cache import config_dir
from apu.errors import InputError
from apu.user_config import MAX_BYTES, config_path, configured_path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("APU_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_the_file_lies_in_the_platforms_folder_unless_a_variable_names_one(folder, monkeypatch):
    assert config_path() == folder / "config.toml"
    monkeypatch.delenv("APU_CONFIG_DIR")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "xdg"))
    assert config_dir().name == "apu"


@pytest.mark.parametrize("text", [None, "", "# smplx = 'nowhere'\n"])
def test_what_is_not_set_is_none(folder, text):
    if text is not None:
        (folder / "config.toml").write_text(text)
    assert configured_path("smplx") is None


@pytest.mark.parametrize(
    ("written", "meant"), [("/models/smplx", "/models/smplx"), ("smplx", "{folder}/smplx"), ("~/x", "{home}/x")]
)
def test_a_path_is_absolute_or_meant_from_the_files_folder(folder, written, meant):
    (folder / "config.toml").write_text(f'smplx = "{written}"\n')
    assert configured_path("smplx") == Path(meant.format(folder=folder, home=Path.home()))


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"smplx = /models\n", "TOML"),
        (b"smplx = 3\n", "in quotes"),
        (b'smplx = ""\n', "in quotes"),
        (b'smpl-x = "/models"\n', "not known"),
        (b'smplx = "\xff"\n', "TOML"),
        (b"#" * (MAX_BYTES + 1), "bytes"),
        (b"smplx = " + b"[" * 100_000, "TOML"),
    ],
)
def test_a_file_that_cannot_be_used_is_an_error_with_its_remedy(folder, data, word):
    (folder / "config.toml").write_bytes(data)
    with pytest.raises(InputError, match=word) as caught:
        configured_path("smplx")
    assert str(folder / "config.toml") in str(caught.value)
    assert "remedy" in str(caught.value)
