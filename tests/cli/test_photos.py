"""Which photos the arguments mean, and that no two of them share a folder of results."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apu.cli.photos import chosen_photos, folder_names
from apu.errors import PhotoError


def names(arguments: list[str]) -> list[str]:
    return [photo.name for photo in chosen_photos(arguments).photos]


def test_a_folder_gives_its_images_by_name_and_nothing_hidden(photos: Path):
    assert names([str(photos)]) == ["a.JPG", "b.jpg", "c.png"]


def test_a_quoted_pattern_is_expanded(photos: Path):
    assert names([f"{photos}/*.jpg"]) == ["b.jpg"]
    assert names([f"{photos.parent}/**/*.png"]) == ["c.png"]


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(photos: Path):
    (photos / "hug[1].jpg").write_text("x")
    assert names([f"{photos}/hug[1].jpg"]) == ["hug[1].jpg"]


def test_a_named_file_is_taken_whatever_it_is_called(photos: Path):
    assert names([f"{photos}/notes.txt"]) == ["notes.txt"]
    assert names(["missing.jpg"]) == ["missing.jpg"]


def test_a_photo_that_is_named_twice_is_fitted_once(photos: Path):
    assert names([f"{photos}/b.jpg", str(photos)]) == ["b.jpg", "a.JPG", "c.png"]


def test_pictures_that_a_fit_drew_are_no_photos(photos: Path):
    for folder in ("hug_apu", "results/hug", "results/hug/pair_0_1"):
        (photos / folder).mkdir(parents=True)
        for file in ("panel.png", "people.png", "run.json"):
            (photos / folder / file).write_text("x")
    (photos / "people.png").write_text("a photo that happens to be called so")
    assert names([f"{photos}/**/*.png"]) == ["c.png", "people.png"]
    with pytest.raises(PhotoError):
        chosen_photos([str(photos / "hug_apu")])


@pytest.mark.parametrize("argument", ["empty", "nothing/*.jpg"])
def test_no_photo_at_all_is_an_error_that_tells_where(argument: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    with pytest.raises(PhotoError) as caught:
        chosen_photos([argument])
    assert caught.value.where == argument


def test_one_file_is_one_photo_and_a_folder_is_always_several(photos: Path):
    assert not chosen_photos([f"{photos}/b.jpg"]).several
    assert chosen_photos([f"{photos}/b.jpg", f"{photos}/c.png"]).several
    for extra in ("a.JPG", "c.png"):
        (photos / extra).unlink()
    assert chosen_photos([str(photos)]).several


def test_folders_are_called_as_the_photos():
    assert list(folder_names([Path("x/b.jpg"), Path("x/a.png")]).values()) == ["b", "a"]


def test_equal_names_are_told_apart_by_folder_then_ending_then_hash():
    photos = [Path("x/hug.jpg"), Path("y/hug.jpg"), Path("x/kiss.jpg"), Path("x/kiss.png"), Path("a/x/hug.jpg")]
    found = folder_names(photos)
    assert found[photos[1]] == "y_hug"
    assert found[photos[2]] == "x_kiss_jpg"
    assert found[photos[3]] == "x_kiss_png"
    assert found[photos[0]].startswith("hug_")
    assert len(set(found.values())) == 5


def test_a_folder_never_leaves_its_place_nor_takes_the_name_of_a_report():
    found = folder_names([Path("in/...jpg"), Path("in/report.html.jpg"), Path("in/.hid.jpg")])
    assert set(found.values()) == {"photo", "in_report.html", "hid"}


parts = st.sampled_from(["a", "b", "A", "x_a", "a.b", ".."])


@given(st.lists(st.tuples(parts, parts, st.sampled_from(["jpg", "png"])), unique=True, max_size=12), st.randoms())
def test_names_are_unique_on_every_disk_and_do_not_depend_on_the_order(entries: list[tuple[str, str, str]], random):
    photos = [Path(f"{folder}/{stem}.{ending}") for folder, stem, ending in entries]
    photos = list({photo.absolute(): photo for photo in photos}.values())
    found = folder_names(photos)
    assert len({name.casefold() for name in found.values()}) == len(photos)
    assert all(name == Path(name).name and not name.startswith(".") for name in found.values())
    shuffled = random.sample(photos, len(photos))
    assert folder_names(shuffled) == found
