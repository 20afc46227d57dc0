"""Files that were spoilt at random: a reader gives what it promises, or an error that helps, in little time.

The seeds are fixed, so a failure names a file that can be made again: `mutated(SOUND[kind](), seed)`.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apu.contact.files import read_contact_file
from apu.errors import ApuError
from apu.pose.bev import read_bev
from apu.pose.keypoint_files import read_keypoints
from apu.pose.photo_file import read_photo

from .mutate import BOXES, SOUND, TooSlow, mutated, time_limit

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken EXIF

MUTATIONS = 70
"""Of each kind of file."""
SECONDS = 3.0


def check_photo(path: Path) -> None:
    photo = read_photo(path)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.shape[2] == 3
    assert photo.focal_px is None or photo.focal_px > 0


def check_keypoints(path: Path) -> None:
    for person in read_keypoints(path, "hug"):
        assert np.isfinite(person.keypoints.xy).all()
        assert (person.keypoints.confidence >= 0).all()
        assert (person.keypoints.confidence <= 1).all()
        assert 0 <= person.score <= 1


def check_contacts(path: Path) -> None:
    for pair in read_contact_file(path, "hug", BOXES):
        assert pair.people is None or (set(pair.people) <= {0, 1} and pair.people[0] != pair.people[1])
        for contact in pair.contacts.contacts:
            assert contact.regions_a
            assert contact.regions_b
            assert 0 < contact.weight <= 1


def check_bev(path: Path) -> None:
    for person in read_bev(path):
        assert np.isfinite(person.joints_m).all()
        assert np.isfinite(person.rotations).all()
        assert 0 <= person.confidence <= 1


CHECKS: dict[str, Callable[[Path], None]] = {
    **dict.fromkeys(("jpeg", "png", "webp", "tiff", "gif"), check_photo),
    **dict.fromkeys(("openpose", "coco"), check_keypoints),
    **dict.fromkeys(("contacts", "signatures"), check_contacts),
    "bev": check_bev,
}


@pytest.mark.parametrize("kind", SOUND)
def test_the_sound_file_is_read(kind: str, tmp_path: Path):
    path = tmp_path / "sound"
    path.write_bytes(SOUND[kind]())
    CHECKS[kind](path)


@pytest.mark.parametrize("kind", SOUND)
def test_a_spoilt_file_gives_a_result_or_an_error_that_helps(kind: str, tmp_path: Path):
    path, sound = tmp_path / "spoilt", SOUND[kind]()
    refusals: dict[int, ApuError] = {}
    for seed in range(MUTATIONS):
        path.write_bytes(mutated(sound, seed))
        try:
            with time_limit(SECONDS):
                CHECKS[kind](path)
        except ApuError as error:
            refusals[seed] = error
        except TooSlow:
            pytest.fail(f"seed {seed}: not read in {SECONDS} s")
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
    assert [seed for seed, error in refusals.items() if not (error.expected and error.remedy)] == []
    assert len(refusals) > MUTATIONS / 10  # else the mutations are too tame to tell anything


def test_the_same_seed_spoils_in_the_same_way():
    sound = SOUND["openpose"]()
    assert [mutated(sound, seed) for seed in range(20)] == [mutated(sound, seed) for seed in range(20)]
    assert len({mutated(sound, seed) for seed in range(20)}) > 15
