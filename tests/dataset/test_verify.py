import json
from pathlib import Path

import pytest
from fake_world import LAYOUT, random_pair

from apu.dataset.parquet import write_records
from apu.dataset.record import ClassCount, PairRecord, validated
from apu.dataset.store import write_dataset
from apu.dataset.verify import problems

GROUPS = {"train": ("seen",), "validation": ("seen", "dev-unseen"), "test": ("seen", "test-unseen")}


def sound(id: str, seed: int) -> dict:
    row = PairRecord.from_true_pair(random_pair(id, seed), {}).model_dump()
    touching = {"region_a": "left_hand_palm", "region_b": "right_upper_back", "distance_m": 0.001}
    return row | {"contacts": [touching]}


def write(folder: Path, rows: list[dict], classes: dict[str, int] | None = None) -> Path:
    counts = {
        name: ClassCount(group="seen", pairs=pairs, tried=pairs, accepted=pairs, rejected={})
        for name, pairs in (classes or {}).items()
    }
    records = [validated(PairRecord, row, "test") for row in rows]
    write_dataset(folder, records, LAYOUT, kind="synthetic", classes=counts, pairs_per_shard=2)
    return folder


def found(folder: Path) -> list[str]:
    return list(problems(folder, {"hug": "seen", "kick": "test-unseen"}, GROUPS))


def test_a_sound_data_set_has_no_problem(tmp_path: Path):
    assert found(write(tmp_path, [sound(f"p{i}", i) for i in range(3)], {"hug": 3})) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"contacts": [], "intended": []}, "pair p1: nothing touches"),
        ({"interaction": "hugg"}, "pair p1: class 'hugg' is unknown"),
        ({"interaction": "kick"}, "pair p1: class `kick` is test-unseen, but the pair says seen"),
        ({"interaction": "kick", "group": "test-unseen"}, "a class that is test-unseen may not be in split train"),
        ({"kind": "photo"}, "pair p1: is `photo` of stub-1"),
        (
            {"contacts": [{"region_a": "left_hand_palm", "region_b": "left_hand_palm", "distance_m": 0.0}]},
            "the intended contact left_fingers_palm / left_hand_palm - right_upper_back does not touch",
        ),
    ],
)
def test_a_wrong_pair_is_named(tmp_path: Path, change: dict, complaint: str):
    rows = [sound("p0", 0), sound("p1", 1) | change, sound("p2", 2)]
    told = found(write(tmp_path, rows))
    assert len(told) == 1
    assert complaint in told[0]
    assert "pairs-00000.parquet" in told[0]


def test_all_problems_are_listed_and_not_just_the_first(tmp_path: Path):
    write(tmp_path, [sound(f"p{i}", i) for i in range(7)], {"hug": 9})
    write_records(tmp_path / "pairs-00001.parquet", [validated(PairRecord, sound("p0", 0), "x")], LAYOUT)
    (tmp_path / "pairs-00002.parquet").write_bytes(b"damaged")
    (tmp_path / "pairs-00003.parquet").unlink()
    (tmp_path / "pairs-00007.parquet").write_bytes(b"surplus")
    told = "\n".join(found(tmp_path))
    for complaint in (
        "pairs-00007.parquet: is not listed",
        "pairs-00001.parquet: its sha256",
        "pairs-00001.parquet: has 1 pairs, but dataset.json says 2",
        "pair p0: the id is in pairs-00000.parquet already",
        "pairs-00002.parquet: its sha256",
        "pairs-00002.parquet: A file of the data set cannot be read",
        "pairs-00003.parquet: A file of the data set cannot be read; expected",
        "classes.hug.pairs: 9, but the files have 3",
    ):
        assert complaint in told


def test_a_wrong_total_is_noticed(tmp_path: Path):
    file = write(tmp_path, [sound("p0", 0)]) / "dataset.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"pairs": 5}))
    assert found(tmp_path) == [f"{file}: pairs: 5, but its files have 1"]


def test_no_data_set_is_one_problem(tmp_path: Path):
    assert len(found(tmp_path)) == 1
