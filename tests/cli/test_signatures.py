"""`apu signatures` from end to end: results in, FlickrCI3D's file out, and what each mistake says."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from apu.body.protocol import Surface
from apu.body.region_names import REGION_NAMES
from apu.contact.files import read_contact_file
from apu.pipeline import PhotoResult
from apu.show.arrays import write_npz
from apu.show.files import contacts_record, save_run, write_json
from apu.show.report import RunInfo

TETRAHEDRON = torch.tensor([[0.0, 0.0, 3.0], [0.1, 0.0, 3.0], [0.0, 0.1, 3.0], [0.0, 0.0, 3.1]])
FACES = torch.tensor([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
PALM = REGION_NAMES.index("left_hand_palm")
SURFACE = Surface(FACES, FACES, TETRAHEDRON, torch.full((4,), PALM), REGION_NAMES)


@pytest.fixture
def results(tmp_path: Path, fitted: PhotoResult) -> Path:
    """Two photos; in each, people 1 and 0 are tetrahedra, all of them left palm, 2 cm apart."""
    (pair,) = fitted.pairs
    vertices = torch.stack([TETRAHEDRON, TETRAHEDRON - torch.tensor([0.12, 0.0, 0.0])])
    fit = replace(pair.fit, vertices=vertices, first_vertices=vertices)
    for name in ("hug", "lift"):
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        write_npz(folder / "pair.npz", pair.observation, fit, SURFACE)
        write_json(folder / "contacts.json", contacts_record(pair.observation, fit))
        info = RunInfo(0, {}, 1.0, "", "assumed")
        save_run(folder, replace(fitted.photo, name=name), fitted.people, [(pair.observation, fit)], info)
    return tmp_path / "results"


def regions(entry: dict) -> list[list[int]]:
    (sign,) = entry["ci_sign"]
    assert sign["smplx"] == sign["ghum"]
    return sign["smplx"]["region_id"]


def test_the_contacts_of_all_photos_are_written_and_read_back(run, results: Path, fitted: PhotoResult):
    palm, head = frozenset({"left_hand_palm"}), (frozenset({"left_head_front"}), frozenset({"right_head_back"}))
    back = frozenset({"right_upper_back", "right_shoulder_blade"})  # the fit was told the first; one number is both
    result = run("signatures", str(results), "--out", "s.json")
    assert result.exit_code == 0, result.output
    assert "s.json: 2 photos, 2 pairs, 4 correspondences, as the fits were given them" in result.output
    for name in ("hug", "lift"):
        (found,) = read_contact_file(Path("s.json"), name, [person.box for person in fitted.people])
        assert found.people == (1, 0)
        assert [(c.regions_a, c.regions_b) for c in found.contacts.contacts] == [(palm, back), head]


@pytest.mark.parametrize(("within", "count"), [((), 0), (("--within", "2.1"), 1), (("--within", "1.9"), 0)])
def test_measured_regions_touch_within_the_distance(run, results: Path, within: tuple[str, ...], count: int):
    result = run("signatures", str(results / "hug"), "--contacts", "measured", *within, "--out", "s.json")
    assert result.exit_code == 0, result.output
    assert f"of meshes within {within[1] if within else '1'} cm" in result.output
    entry = json.loads(Path("s.json").read_text())["hug"]
    assert len(regions(entry)) == count
    assert entry["ci_sign"][0]["person_ids"] == [1, 0]


def test_a_bad_result_is_named_the_others_are_written_and_the_command_fails(run, results: Path):
    (results / "hug" / "pair.npz").write_bytes(b"PK")
    result = run("signatures", str(results), "--out", "s.json")
    assert result.exit_code == 1
    assert f"hug, pair 1,0 ({results / 'hug'})" in result.output
    assert "1 result left out." in result.output
    assert list(json.loads(Path("s.json").read_text())) == ["lift"]


def test_where_nothing_can_be_read_nothing_is_written(run, results: Path):
    for name in ("hug", "lift"):
        (results / name / "run.json").write_text("{")
    result = run("signatures", str(results), "--out", "s.json")
    assert result.exit_code == 1
    assert "2 results left out. Nothing was written." in result.output
    assert not Path("s.json").exists()


def test_a_file_that_exists_is_kept_unless_told_to_replace_it(run, results: Path):
    Path("s.json").write_text("mine")
    result = run("signatures", str(results), "--out", "s.json")
    assert result.exit_code == 2
    assert "--overwrite" in result.output
    assert Path("s.json").read_text() == "mine"
    assert run("signatures", str(results), "--out", "s.json", "--overwrite").exit_code == 0
    assert set(json.loads(Path("s.json").read_text())) == {"hug", "lift"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--out", "results", "--overwrite"), "is a folder"),
        (("--out", "s.json", "--within", "2"), "--contacts measured"),
        (("--out", "s.json", "--contacts", "measured", "--within", "nan"), "not nan"),
        (("--out", "s.json", "--contacts", "measured", "--within", "0"), "--within"),
        (("--out", "s.json", "nowhere"), "no result of a fit"),
        ((), "--out"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(run, results: Path, arguments: tuple[str, ...], told: str):
    result = run("signatures", "results", *arguments)
    assert result.exit_code == 2
    assert told in result.output
    assert not Path("s.json").exists()


def test_two_photos_of_one_name_are_refused(run, results: Path):
    file = results / "lift" / "run.json"
    file.write_text(file.read_text().replace('"lift"', '"hug"'))
    result = run("signatures", str(results), "--out", "s.json")
    assert result.exit_code == 2
    assert "'hug' twice" in result.output


def test_the_layout_of_chi3d_has_actions_for_photos_that_are_called_so(run, results: Path):
    result = run("signatures", str(results / "hug"), "--layout", "chi3d", "--out", "s.json")
    assert result.exit_code == 2
    assert "ACTION_FRAME" in result.output
    file = results / "hug" / "run.json"
    record = json.loads(file.read_text())
    record["photo"]["name"] = "Hug 3_12"
    file.write_text(json.dumps(record))
    result = run("signatures", str(results / "hug"), "--layout", "chi3d", "--out", "s.json")
    assert result.exit_code == 0, result.output
    written = json.loads(Path("s.json").read_text())
    assert list(written) == ["Hug 3"]
    assert written["Hug 3"]["fr_id"] == 12
    (pair,) = read_contact_file(Path("s.json"), "Hug 3_12", [])
    assert len(pair.contacts.contacts) == 2
