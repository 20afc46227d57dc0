"""All results on one page: read back however damaged they are, linked wherever they lie, safe whatever their names."""

import base64
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy as np
import pytest

from apu.show.canvas import save_png
from apu.show.files import save_run
from apu.show.gallery import GalleryEntry, entries_of, write_gallery
from apu.show.report import RunInfo

HOSTILE = "<script>alert(1)</script>.png"


@pytest.fixture
def save(photo, people, observation, fit, run_info):
    """A result folder: `run.json` and a panel."""

    def write(folder: Path, name: str = "photo", pairs: int = 1, info: RunInfo = run_info, **changed) -> Path:
        fits = [(observation, replace(fit, **changed))] * pairs
        folder.mkdir(parents=True, exist_ok=True)
        save_run(folder, replace(photo, name=name), people, fits, info)
        save_png(np.full((100, 240, 3), 180, np.uint8), folder / "panel.png")
        return folder

    return write


def page_of(folder: Path) -> str:
    write_gallery(folder / "report.html", entries_of(folder))
    return (folder / "report.html").read_text(encoding="utf-8")


# ---- reading


def test_an_entry_says_what_run_json_says(tmp_path, save):
    save(tmp_path / "one", verdict=None)
    assert entries_of(tmp_path) == [
        GalleryEntry(
            photo="photo",
            folder=tmp_path / "one",
            status="ok",
            pair=(0, 2),
            people=("A: person 0, adult, 1.72 m", "B: person 2, child, 1.21 m"),
            contacts=2,
            contacts_met=1,
            contact_source="proximity",
            penetration_m=0.011,
            reprojection_percent=2.5,
        )
    ]


def test_entries_are_in_the_order_of_the_photos_names(tmp_path, save):
    for folder, name in (("1", "b"), ("2", "A"), ("3", "c")):
        save(tmp_path / folder, name)
    assert [entry.photo for entry in entries_of(tmp_path)] == ["A", "b", "c"]


def test_numbers_that_could_not_be_computed_are_unknown(tmp_path, save):
    save(tmp_path / "one", penetration_max_m=float("nan"), reprojection_percent=(float("nan"), 1.0))
    (entry,) = entries_of(tmp_path)
    assert (entry.penetration_m, entry.reprojection_percent) == (None, 1.0)


@pytest.mark.parametrize(
    ("verdict", "accepted", "words"),
    [
        ({"accepted": True, "rules": []}, True, "accepted"),
        (
            {"accepted": False, "rules": [
                {"name": "penetration", "value": 5.04, "limit": 3.0, "unit": "cm", "sense": "at most", "holds": False},
                {"name": "depth order", "value": None, "limit": 60, "unit": "%", "sense": "at least", "holds": False},
                {"name": "contacts met", "value": 90, "limit": 50, "unit": "%", "sense": "at least", "holds": True},
            ]},
            False,
            "rejected: penetration 5.04 cm, should be at most 3 cm; depth order unknown, should be at least 60 %",
        ),
        (None, None, ""),
        ("fine", None, ""),
        ({"accepted": "yes"}, None, ""),
    ],
)  # fmt: skip
def test_the_verdict_is_read_with_the_rules_that_do_not_hold(tmp_path, save, verdict, accepted, words):
    file = save(tmp_path / "one") / "run.json"
    run = json.loads(file.read_text())
    run["pairs"][0]["fit"]["verdict"] = verdict
    file.write_text(json.dumps(run))
    (entry,) = entries_of(tmp_path)
    assert (entry.accepted, entry.verdict) == (accepted, words)


def test_pairs_of_one_photo_are_told_once_and_lead_to_their_own_folders(tmp_path, save):
    save(tmp_path / "one", pairs=2)
    save(tmp_path / "one" / "pair_0_2")
    entries = entries_of(tmp_path)
    assert [entry.folder for entry in entries] == [tmp_path / "one" / "pair_0_2"] * 2


def test_a_photo_that_was_broken_off_is_skipped_and_its_finished_pairs_are_kept(tmp_path, save):
    save(tmp_path / "one" / "pair_0_2")
    (tmp_path / "one" / "people.png").write_bytes(b"")
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "panel.png").write_bytes(b"")
    found = {(entry.folder.name, entry.status) for entry in entries_of(tmp_path)}
    assert found == {("one", "skipped"), ("pair_0_2", "ok"), ("two", "skipped")}


def test_a_pair_that_failed_stands_beside_those_that_did_not(tmp_path, save, run_info):
    save(tmp_path / "one", info=replace(run_info, failures=[((1, 3), "Too few joints.")]))
    failed, fitted = sorted(entries_of(tmp_path), key=lambda entry: entry.status)
    assert (failed.status, failed.pair, failed.reason) == ("failed", (1, 3), "Too few joints.")
    assert fitted.status == "ok"


def test_a_photo_that_failed_says_why_even_beside_an_old_result(tmp_path, save):
    told = {"photo": "dim", "what": "No people.", "where": None, "expected": "two", "got": "none", "remedy": "another"}
    (save(tmp_path / "one") / "failure.json").write_text(json.dumps(told))
    (entry,) = entries_of(tmp_path)
    assert (entry.photo, entry.status) == ("dim", "failed")
    assert entry.reason == "No people.\nexpected: two\ngot: none\nremedy: another"


def test_a_photo_without_any_pair_is_skipped(tmp_path, save):
    save(tmp_path / "one", pairs=0)
    (entry,) = entries_of(tmp_path)
    assert (entry.status, entry.reason) == ("skipped", "No pair of people was fitted.")


@pytest.mark.parametrize("name", ["run.json", "failure.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "null", '"x"', "[" * 100_000, "\xff\xfe", "9" * 5000])
def test_a_file_that_is_no_record_is_a_failed_entry(tmp_path, name, content):
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / name).write_text(content, encoding="latin-1")
    (entry,) = entries_of(tmp_path)
    assert (entry.photo, entry.status) == ("one", "failed")
    assert f"{name} cannot be read" in entry.reason


WRONG = (None, True, -1, 1e300, 10**400, "text", [], [1], {}, {"a": 1}, [None, None])


@pytest.mark.parametrize("wrong", WRONG, ids=lambda value: str(value)[:12])
def test_a_record_with_anything_in_any_place_is_still_an_entry(tmp_path, save, wrong):
    file = save(tmp_path / "one") / "run.json"
    run = json.loads(file.read_text())
    places = [(run, key) for key in run]
    places += [(run["pairs"][0], key) for key in run["pairs"][0]] + [(run["pairs"], 0)]
    places += [(run["pairs"][0]["fit"], key) for key in run["pairs"][0]["fit"]]
    places += [(run["pairs"][0]["fit"]["contacts"], 0), (run["pairs"][0]["fit"]["contacts"][0], "distance_m")]
    places += [(run["pairs"][0]["people"], 0)] + [(run["pairs"][0]["people"][1], key) for key in ("index", "height_m")]
    for holder, key in places:
        kept, holder[key] = holder[key], wrong
        file.write_text(json.dumps(run))
        holder[key] = kept
        assert len(entries_of(tmp_path)) >= 1
        assert page_of(tmp_path).count("<article") == len(entries_of(tmp_path))


def test_hidden_folders_and_links_to_folders_are_not_searched(tmp_path, save):
    save(tmp_path / "kept" / "one")
    save(tmp_path / "results" / ".trash" / "one")
    (tmp_path / "results" / "link").symlink_to(tmp_path / "kept", target_is_directory=True)
    assert entries_of(tmp_path / "results") == []


# ---- writing


def links(page: str) -> list[str]:
    return re.findall(r'href="([^"]*)"', page)


@pytest.mark.parametrize("folder", ["plain", "with space", "quote'\"<b>", "a#b?c%20d", "javascript:alert(1)", "日本"])
def test_every_link_leads_to_a_file_wherever_it_lies(tmp_path, save, folder):
    save(tmp_path / folder)
    found = links(page_of(tmp_path))
    assert len(found) == 3  # the picture, the panel, run.json
    for link in found:
        assert link.startswith("./")
        assert Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), unquote_to_bytes(link)))).is_file()


def test_a_folder_whose_name_is_no_text_is_linked(tmp_path, save):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    save(folder, "caf\udce9")
    assert "./caf%E9/panel.png" in links(page_of(tmp_path))


def test_panels_are_shown_small_inside_the_page(tmp_path, save):
    save(tmp_path / "one")
    (content,) = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', page_of(tmp_path))
    assert base64.b64decode(content).startswith(b"\xff\xd8")


def test_a_panel_that_is_no_picture_costs_only_the_picture(tmp_path, save):
    (save(tmp_path / "one") / "panel.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    page = page_of(tmp_path)
    assert "<img" not in page
    assert page.count("<article") == 1


def test_ten_thousand_entries_have_pictures_only_at_first(tmp_path, save):
    (entry,) = entries_of(save(tmp_path / "one"))
    write_gallery(tmp_path / "report.html", [entry] * 1000)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.count("<article") == 1000
    assert page.count("<img") == 300


@pytest.mark.parametrize("name", [HOSTILE, "\"' onload='x", "</article><script>", "--><script>", "{{script}}", "a\nb"])
def test_no_name_and_no_reason_becomes_a_tag(tmp_path, name):
    plain = GalleryEntry("x", tmp_path, "ok", people=("x",), contact_source="x", accepted=False, verdict="x")
    hostile = replace(plain, photo=name, people=(name,), contact_source=name, verdict=name)
    pages = []
    for entry in (plain, hostile):
        write_gallery(tmp_path / "report.html", [entry, replace(entry, status="failed", reason=entry.verdict)])
        pages.append((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert re.findall(r"<[a-z!/][a-z-]*", pages[0]) == re.findall(r"<[a-z!/][a-z-]*", pages[1])
    assert name not in pages[1] or name in ("{{script}}", "a\nb")


def test_the_head_counts_what_there_is(tmp_path):
    entries = [GalleryEntry("x", tmp_path, "ok", accepted=accepted) for accepted in (True, False, None)]
    entries.append(GalleryEntry("y", tmp_path, "failed", "why"))
    write_gallery(tmp_path / "report.html", entries)
    assert "3 fitted, 1 failed, 1 accepted" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_empty_folder_makes_an_empty_page(tmp_path):
    assert "nothing here" in page_of(tmp_path)
