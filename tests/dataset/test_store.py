import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from fake_world import LAYOUT, random_pair

from apu.dataset.parquet import write_records
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore, write_dataset
from apu.errors import InputError


def synthetic(count: int) -> list[PairRecord]:
    return [PairRecord.from_true_pair(random_pair(f"pair-{i:04d}", i), {"apu": "1"}) for i in range(count)]


def write(folder: Path, records, **options):
    return write_dataset(folder, records, LAYOUT, kind="synthetic", versions={"apu": "1"}, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_pairs_come_back_in_order_over_several_files(tmp_path: Path):
    records = synthetic(7)
    info = write(tmp_path, iter(records), pairs_per_shard=3)
    assert [(shard.file, shard.pairs) for shard in info.shards] == [
        ("pairs-00000.parquet", 3),
        ("pairs-00001.parquet", 3),
        ("pairs-00002.parquet", 1),
    ]
    store = PairStore(tmp_path)
    assert len(store) == 7
    assert list(store.records()) == records
    assert [row["id"] for row in store.rows(["id"])] == [record.id for record in records]
    poses = np.concatenate([one["pose"] for one in store.parameters()])
    assert poses.tolist() == [record.parameters["pose"] for record in records]


def test_the_same_pairs_give_the_same_bytes(tmp_path: Path):
    for name in "ab":
        write(tmp_path / name, synthetic(5), pairs_per_shard=2, settings={"seed": 1})
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_files_of_a_larger_data_set_that_was_there_are_removed(tmp_path: Path):
    write(tmp_path / "a", synthetic(7), pairs_per_shard=2)
    write(tmp_path / "a", synthetic(3), pairs_per_shard=2)
    write(tmp_path / "b", synthetic(3), pairs_per_shard=2)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_an_interrupted_write_leaves_no_data_set(tmp_path: Path):
    write(tmp_path, synthetic(3))

    def broken():
        yield from synthetic(3)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(tmp_path, broken(), pairs_per_shard=1)
    with pytest.raises(InputError, match="no finished data set"):
        PairStore(tmp_path)


def test_pairs_are_found_by_id_in_the_order_asked_for(tmp_path: Path):
    records = synthetic(7)
    write(tmp_path, records, pairs_per_shard=3)
    store = PairStore(tmp_path)
    assert store.with_ids(["pair-0006", "pair-0001"]) == [records[6], records[1]]
    with pytest.raises(InputError, match="no such pair") as caught:
        store.with_ids(["pair-0001", "pair-0099"])
    assert caught.value.got == "pair-0099"


def test_an_id_that_comes_twice_in_two_files_is_refused_when_writing_and_reading(tmp_path: Path):
    twice = [*synthetic(3), synthetic(1)[0]]
    with pytest.raises(InputError, match="comes twice"):
        write(tmp_path / "a", twice, pairs_per_shard=3)
    write(tmp_path / "b", synthetic(4), pairs_per_shard=3)
    write_records(tmp_path / "b" / "pairs-00001.parquet", synthetic(1), LAYOUT)
    with pytest.raises(InputError, match="comes twice") as caught:
        list(PairStore(tmp_path / "b").records())
    assert str(caught.value.where).endswith("pairs-00001.parquet: pair pair-0000")


def test_reading_is_lazy(tmp_path: Path):
    write(tmp_path, synthetic(4), pairs_per_shard=2)
    (tmp_path / "pairs-00001.parquet").write_bytes(b"damaged")
    with pytest.raises(InputError, match="cannot be read"):
        list(PairStore(tmp_path).rows(["id"]))
    (tmp_path / "pairs-00001.parquet").unlink()
    write_records(tmp_path / "pairs-00001.parquet", synthetic(4)[2:], LAYOUT)
    assert [record.id for record in islice(PairStore(tmp_path).records(), 3)][-1] == "pair-0002"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda text: "{", "cannot be read"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 2'), "is wrong"),
        (lambda text: text.replace("pairs-00000", "../pairs-00000"), "is wrong"),
        (lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "shards"}), "is wrong"),
        (lambda text: "[]", "is wrong"),
    ],
)
def test_a_damaged_description_is_called_so(tmp_path: Path, change, complaint: str):
    write(tmp_path, synthetic(1))
    file = tmp_path / "dataset.json"
    file.write_text(change(file.read_text()))
    with pytest.raises(InputError, match=complaint) as caught:
        PairStore(tmp_path)
    assert str(caught.value.where).startswith(str(file))


def test_no_folder_is_no_data_set(tmp_path: Path):
    with pytest.raises(InputError, match="no finished data set") as caught:
        PairStore(tmp_path / "nothing")
    assert caught.value.got == "no such folder"
