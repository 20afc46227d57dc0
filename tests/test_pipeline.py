"""The whole path: a real photo with its human annotation, every obvious wrong input, and pairs that fail."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from apu import pipeline
from apu.cli.main import main
from apu.errors import PeopleError
from apu.pipeline import FitOptions, PhotoResult, _all_or_each, fit, save

COLLEGE = "college_232334"


@pytest.fixture(scope="module")
def college(photos: Path) -> PhotoResult:
    """A kneeling woman hugs a boy."""
    options = FitOptions(
        keypoints=(photos / "vitpose" / f"{COLLEGE}_keypoints.json",),
        contacts=photos / "interaction_contact_signature.json",
    )
    return fit(photos / "images" / f"{COLLEGE}.png", options)


@pytest.fixture(scope="module")
def folder(college: PhotoResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("results") / "college"
    save(college, out)
    return out


@pytest.fixture(scope="module")
def run_json(folder: Path) -> dict:
    return json.loads((folder / "run.json").read_text())


def test_nine_of_thirteen_annotated_contacts_are_met(college: PhotoResult):
    results = college.pairs[0].fit.contact_results
    assert len(results) == 13
    assert sum(r.after_m <= 0.02 for r in results) >= 9


def test_the_bodies_project_onto_the_people(college: PhotoResult):
    assert max(college.pairs[0].fit.reprojection_percent) <= 2.5


def test_the_bodies_hardly_pass_through_each_other(college: PhotoResult):
    assert college.pairs[0].fit.penetration_max_m <= 0.04


def test_the_boy_is_a_child_and_the_woman_an_adult_who_kneels_behind_him_without_being_told(run_json: dict):
    boy, woman = run_json["pairs"][0]["people"]
    assert (boy["age_group"], woman["age_group"]) == ("child", "adult")
    assert min(woman["knee_angles_deg"]) > 60
    assert max(boy["knee_angles_deg"]) < 30
    assert woman["root_depth_m"] > boy["root_depth_m"]


def test_the_folder_holds_what_is_promised(folder: Path):
    names = {file.name for file in folder.iterdir()}
    assert {"panel.png", "pair.glb", "pair.npz", "contacts.json", "run.json"} <= names
    with np.load(folder / "pair.npz", allow_pickle=False) as arrays:
        assert arrays["vertices"].shape[0] == 2


def test_the_contacts_that_were_written_can_be_given_back(college: PhotoResult, folder: Path, photos: Path):
    from apu.contact.files import read_contact_file

    (again,) = read_contact_file(folder / "contacts.json", COLLEGE, [p.box for p in college.people])
    assert again.people == college.pairs[0].indices
    assert again.contacts == college.pairs[0].fit.contacts


def test_a_second_run_gives_the_same_bodies(college: PhotoResult, photos: Path):
    options = FitOptions(
        keypoints=(photos / "vitpose" / f"{COLLEGE}_keypoints.json",),
        contacts=photos / "interaction_contact_signature.json",
    )
    again = fit(photos / "images" / f"{COLLEGE}.png", options)
    assert np.array_equal(college.pairs[0].fit.vertices.numpy(), again.pairs[0].fit.vertices.numpy())


# ---- wrong inputs


@pytest.fixture
def hug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A grey photo beside two people's keypoints, in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (320, 240), (90, 90, 90)).save("hug.png")
    Path("two.json").write_text(json.dumps({"people": [_skeleton(100), _skeleton(140)]}))
    Path("one.json").write_text(json.dumps({"people": [_skeleton(100)]}))
    return tmp_path


def _skeleton(x: float) -> dict:
    rows = [[x + 3 * (i % 5), 40 + 8 * i, 0.9] for i in range(25)]
    return {"pose_keypoints_2d": [value for row in rows for value in row]}


def run(*arguments: str) -> Result:
    return CliRunner(env={"COLUMNS": "80"}).invoke(main, ["fit", *arguments])


WRONG = {
    "missing photo": (["none.png"], "none.png"),
    "not an image": (["two.json"], "two.json"),
    "no person": (["hug.png"], "hug"),
    "one person": (["hug.png", "--keypoints", "one.json"], "--keypoints"),
    "pair that does not exist": (["hug.png", "--keypoints", "two.json", "--pair", "0,7"], "7"),
    "missing keypoint file": (["hug.png", "--keypoints", "none.json"], "none.json"),
    "malformed keypoint file": (["hug.png", "--keypoints", "broken.json"], "broken.json"),
    "malformed contact file": (["hug.png", "--keypoints", "two.json", "--contacts", "broken.json"], "broken.json"),
    "contacts of another photo": (["hug.png", "--keypoints", "two.json", "--contacts", "other.json"], "hug"),
    "output that exists": (["hug.png", "--keypoints", "two.json", "--out", "full"], "--overwrite"),
    "output that is a file": (["hug.png", "--keypoints", "two.json", "--out", "two.json"], "--out"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_input_is_answered_with_what_where_expected_got_and_remedy(name: str, hug: Path):
    Path("broken.json").write_text('{"people": [')
    Path("other.json").write_text(json.dumps({"another_photo": {"bbxes": [], "ci_sign": []}}))
    Path("full").mkdir()
    Path("full/mine.txt").write_text("mine")
    arguments, mentioned = WRONG[name]
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert mentioned in result.stderr
    for field in ("expected", "got", "remedy"):
        assert f"\n  {field} " in result.stderr, result.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere, so nothing is unwritable to it")
def test_a_folder_without_permission_is_refused_before_any_work(hug: Path):
    locked = hug / "locked"
    locked.mkdir(mode=0o500)
    result = run("hug.png", "--keypoints", "two.json", "--out", "locked/out")
    assert result.exit_code == 2
    assert "permission" in result.stderr


def test_nothing_is_written_when_the_input_is_wrong(hug: Path):
    run("hug.png", "--keypoints", "one.json", "--out", "out")
    assert not (hug / "out").exists()


# ---- pairs that fail


def test_one_bad_pair_costs_no_other():
    def work(pairs):
        if (1, 2) in pairs:
            raise PeopleError("too little is seen")
        return [str(pair) for pair in pairs]

    done, failures = _all_or_each(work, [(0, 1), (1, 2), (2, 3)])
    assert done == ["(0, 1)", "(2, 3)"]
    assert failures == [((1, 2), "too little is seen")]


def test_many_pairs_go_in_batches_of_bounded_size():
    sizes = []

    def work(pairs):
        sizes.append(len(pairs))
        return list(pairs)

    done, _ = _all_or_each(work, [(0, i) for i in range(1, 40)])
    assert len(done) == 39
    assert max(sizes) <= pipeline.PAIRS_AT_ONCE


def test_an_unforeseen_error_is_not_swallowed():
    def work(pairs):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _all_or_each(work, [(0, 1)])
