"""The result folder: what may be overwritten, what comes last, and that old and new results never mix."""

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apu.contact.files import read_contact_file
from apu.errors import OutputError
from apu.show import files
from apu.show.files import (
    contacts_record,
    pair_folder,
    prepare_folder,
    remove_results,
    save_pair,
    save_people,
    save_run,
)
from apu.show.schema import RunReport

ALL = {"panel.png", "pair.glb", "scene.html", "pair.npz", "contacts.json", "run.json"}


@pytest.fixture(autouse=True)
def quick_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes a second, and tests/show/test_panel.py looks at panels."""
    monkeypatch.setattr(files, "draw_panel", lambda *_: np.full((30, 1200, 3), 200, np.uint8))


@pytest.fixture
def save(photo, people, observation, fit, surface, run_info):
    """Write the pair into a folder; keyword arguments go on to `save_pair`."""

    def write(folder: Path, **more) -> list[Path]:
        given = {"photo": photo, "run_info": run_info, "fit": fit} | more
        rest = {k: v for k, v in given.items() if k not in ("photo", "run_info", "fit")}
        return save_pair(folder, given["photo"], people, observation, given["fit"], surface, given["run_info"], **rest)

    return write


def names(folder: Path) -> set[str]:
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


# ---- the folder


def test_a_new_folder_is_made_with_its_parents(tmp_path):
    prepare_folder(tmp_path / "a" / "b", overwrite=False)
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_an_empty_folder_is_taken(tmp_path):
    prepare_folder(tmp_path, overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "holiday.txt").write_text("mine")
    with pytest.raises(OutputError) as caught:
        prepare_folder(tmp_path, overwrite=False)
    assert "holiday.txt" in str(caught.value)
    assert "--overwrite" in str(caught.value)
    assert names(tmp_path) == {"holiday.txt"}


def test_overwriting_must_be_asked_for_and_deletes_nothing_by_itself(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    prepare_folder(tmp_path, overwrite=True)
    assert names(tmp_path) == {"run.json"}


def test_a_file_of_the_folders_name_is_refused_even_with_overwrite(tmp_path):
    (tmp_path / "results").write_text("mine")
    with pytest.raises(OutputError, match="a file has the folder's name"):
        prepare_folder(tmp_path / "results", overwrite=True)
    assert (tmp_path / "results").read_text() == "mine"


def test_a_folder_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written"):
        prepare_folder(tmp_path / "file" / "results", overwrite=False)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_found_early(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        prepare_folder(tmp_path, overwrite=True)


def test_many_files_are_counted_not_listed(tmp_path):
    for i in range(9):
        (tmp_path / f"{i}.txt").write_text("")
    with pytest.raises(OutputError, match="and 4 more"):
        prepare_folder(tmp_path, overwrite=False)


# ---- removing


def test_only_our_own_files_are_removed(tmp_path, save):
    save(tmp_path / "pair_0_2", obj=True)
    save(tmp_path, obj=True)
    (tmp_path / "people.png").write_bytes(b"")
    for mine in ("notes.txt", "pair_0_2/notes.txt", "other/panel.png", "pairs/run.json"):
        (tmp_path / mine).parent.mkdir(exist_ok=True)
        (tmp_path / mine).write_text("mine")
    remove_results(tmp_path)
    assert names(tmp_path) == {"notes.txt", "pair_0_2/notes.txt", "other/panel.png", "pairs/run.json"}


def test_emptied_folders_of_pairs_disappear_and_the_result_folder_stays(tmp_path, save):
    save(tmp_path / "pair_0_2")
    remove_results(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_looks_like_a_pairs_folder_is_left_alone(tmp_path):
    (tmp_path / "pair_0_1").write_text("mine")
    (tmp_path / "pair_of_shoes").mkdir()
    (tmp_path / "pair_of_shoes" / "panel.png").write_text("mine")
    remove_results(tmp_path)
    assert names(tmp_path) == {"pair_0_1", "pair_of_shoes/panel.png"}


def test_a_folder_linked_to_another_place_is_not_followed(tmp_path, save):
    """Somebody keeps a good result elsewhere and links to it: overwriting here must not empty it there."""
    save(tmp_path / "kept")
    results = tmp_path / "results"
    results.mkdir()
    (results / "pair_0_2").symlink_to(tmp_path / "kept", target_is_directory=True)
    remove_results(results)
    assert names(tmp_path / "kept") == ALL


def test_nothing_to_remove_is_no_error(tmp_path):
    remove_results(tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---- writing


def test_all_files_are_written_and_named_in_order_of_writing(tmp_path, save):
    written = save(tmp_path / "new")
    assert [p.name for p in written] == ["panel.png", "pair.glb", "scene.html", "pair.npz", "contacts.json", "run.json"]
    assert names(tmp_path / "new") == ALL  # no temporary file is left
    assert all(p.stat().st_size > 0 for p in written)


def test_an_obj_is_written_when_asked_for(tmp_path, save):
    assert "pair.obj" in {p.name for p in save(tmp_path, obj=True)}


def test_a_video_is_written_when_asked_for_and_removed_with_the_rest(tmp_path, save, monkeypatch):
    monkeypatch.setattr(files, "write_turntable", lambda path, *_: path.write_bytes(b"GIF89a"))
    assert "turntable.gif" in {p.name for p in save(tmp_path, video=True)}
    remove_results(tmp_path)
    assert names(tmp_path) == set()


def test_run_json_comes_last_and_is_taken_away_first(tmp_path, save, monkeypatch):
    """While a folder is being written it has no `run.json`: whoever sees one sees a whole result."""
    save(tmp_path)
    seen = []
    for name in ("save_png", "write_glb", "write_scene_html", "write_npz"):
        kept = getattr(files, name)

        def watched(*given, kept=kept):
            seen.append((tmp_path / "run.json").exists())
            return kept(*given)

        monkeypatch.setattr(files, name, watched)
    save(tmp_path)
    assert seen == [False] * 4
    assert (tmp_path / "run.json").exists()


def test_a_writing_that_breaks_off_leaves_no_run_json_and_no_half_file(tmp_path, save, monkeypatch):
    save(tmp_path)

    def full(path, *_):
        Path(path).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_npz", full)
    before = (tmp_path / "pair.npz").read_bytes()
    with pytest.raises(OutputError, match="cannot be written") as caught:
        save(tmp_path)
    assert "No space left" in str(caught.value)
    assert names(tmp_path) == ALL - {"run.json"}
    assert (tmp_path / "pair.npz").read_bytes() == before


def test_run_json_in_the_folder_is_valid(tmp_path, save):
    save(tmp_path)
    report = RunReport.model_validate_json((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert report.pairs[0].pair == [0, 2]


def test_a_folder_of_a_files_name_is_an_error_that_names_it(tmp_path):
    (tmp_path / "panel.png").mkdir()
    with pytest.raises(OutputError, match="cannot be removed") as caught:
        remove_results(tmp_path)
    assert "panel.png" in str(caught.value)


def test_every_file_can_be_read_back(tmp_path, save):
    import trimesh
    from PIL import Image

    save(tmp_path)
    assert Image.open(tmp_path / "panel.png").size[0] > 1000
    assert len(trimesh.load_scene(tmp_path / "pair.glb").geometry) == 2
    with np.load(tmp_path / "pair.npz", allow_pickle=False) as arrays:
        assert str(arrays["photo"]) == "two_capsules"
    assert json.loads((tmp_path / "contacts.json").read_text(encoding="utf-8"))["version"] == 1


@pytest.mark.parametrize("name", ["東京 café", "<script>alert(1)</script>", "a'b\"c", "caf\udce9", "x" * 300, "a\nb"])
def test_photos_of_any_name_can_be_saved(tmp_path, save, photo, name):
    save(tmp_path, photo=replace(photo, name=name))
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert found["photo"]["name"] == name.encode("utf-8", "backslashreplace").decode()


@pytest.mark.parametrize("folder", ["with space", "ünï", "-dash", "a.b.c", "quote'\""])
def test_folders_of_any_name_can_be_written(tmp_path, save, folder):
    save(tmp_path / folder)
    assert names(tmp_path / folder) == ALL


def test_files_may_be_read_by_the_users_group_as_any_other(tmp_path, save):
    """Temporary files are private; results are not."""
    save(tmp_path)
    (tmp_path / "plain").write_text("")
    mode = (tmp_path / "plain").stat().st_mode
    assert {p.stat().st_mode for p in tmp_path.iterdir()} == {mode}


# ---- several pairs


def test_pairs_have_folders_by_their_numbers(tmp_path, observation):
    assert pair_folder(tmp_path, observation) == tmp_path / "pair_0_2"


def test_one_run_json_holds_all_pairs(tmp_path, photo, people, observation, fit, run_info):
    path = save_run(tmp_path, photo, people, [(observation, fit), (observation, fit)], run_info)
    assert len(json.loads(path.read_text(encoding="utf-8"))["pairs"]) == 2


# ---- contacts and people


def test_contacts_are_written_region_by_region(observation, fit):
    record = contacts_record(observation, fit)
    assert record["people"] == [0, 2]
    assert record["source"] == "proximity"
    assert record["contacts"] == [
        {"a": ["left_hand_palm"], "b": ["right_upper_arm_front"], "label_a": "", "label_b": "", "weight": 0.67,
         "source": "proximity"},
        {"a": ["left_upper_arm_front"], "b": ["left_head_front"], "label_a": "left arm", "label_b": "head",
         "weight": 1.0, "source": "annotation"},
    ]  # fmt: skip


def test_how_an_answer_became_contacts_is_written_beside_them_and_is_read_over(observation, fit, tmp_path):
    record = contacts_record(observation, fit, {"votes": None, "sides": {"torso": float("nan")}})
    assert record["trust"] == {"votes": None, "sides": {"torso": None}}
    file = tmp_path / "contacts.json"
    file.write_text(json.dumps(record))
    (pair,) = read_contact_file(file, "hug", [(0.0, 0.0, 1.0, 1.0)] * 3)
    assert pair.contacts == fit.contacts
    assert "trust" not in contacts_record(observation, fit)


def test_a_pair_without_contacts_has_an_empty_list(observation, fit):
    bare = replace(fit, contacts=replace(fit.contacts, contacts=()), contact_results=())
    assert contacts_record(observation, bare)["contacts"] == []


@pytest.mark.parametrize(("width", "height", "longer"), [(320, 240, 1000), (240, 320, 1000), (1600, 900, 1600)])
def test_the_people_picture_is_large_enough_to_read(tmp_path, photo, people, width, height, longer):
    from PIL import Image

    sized = replace(photo, pixels=np.full((height, width, 3), 99, np.uint8))
    picture = Image.open(save_people(tmp_path, sized, people))
    assert max(picture.size) == longer
    assert picture.size[0] / picture.size[1] == pytest.approx(width / height, rel=0.01)
