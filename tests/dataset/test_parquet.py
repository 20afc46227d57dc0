from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_world import LAYOUT, random_pair

from apu.dataset.layout import Layout
from apu.dataset.parquet import ROWS_PER_GROUP, RecordFile, write_records
from apu.dataset.record import PairRecord, validated
from apu.errors import InputError


def synthetic(count: int) -> list[PairRecord]:
    return [PairRecord.from_true_pair(random_pair(f"pair-{i:04d}", i), {"apu": "1"}) for i in range(count)]


def of_a_photo() -> PairRecord:
    row = synthetic(1)[0].model_dump()
    row |= {
        "id": "photo-1",
        "kind": "photo",
        "frame": "camera",
        "group": None,
        "base": None,
        "camera": {"focal_px": 600.5, "center_px": [320.0, 240.0], "width": 640, "height": 480},
        "keypoints": np.arange(150, dtype=np.float32).reshape(2, 25, 3).tolist(),
        "initial": {name: [[x + 0.5 for x in body] for body in bodies] for name, bodies in row["parameters"].items()},
        "answers": '[{"id": "a1"}]',
        "decisions": "[]",
        "losses": {"contact": 0.25, "reprojection": 1.5},
        "verdict": {
            "accepted": False,
            "rules": [{"name": "depth", "value": 0.03, "limit": 0.01, "unit": "m", "sense": "at most"}],
        },
        "image": {"sha256": "0" * 64, "source_url": "https://example.org/a.jpg", "licence": "CC0", "attribution": "X"},
        "seeds": {"fit": 2**64 - 1},
    }
    return validated(PairRecord, {k: _single(v) if k == "initial" else v for k, v in row.items()}, "test")


def _single(parameters: dict) -> dict:
    return {name: np.array(value, np.float32).tolist() for name, value in parameters.items()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.parquet"
    write_records(path, synthetic(3), LAYOUT)
    return path


def rewritten(file: Path, change) -> Path:
    table = change(pq.read_table(file))
    pq.write_table(table, file)
    return file


def test_all_fields_come_back_beside_records_that_lack_them(tmp_path: Path):
    records = [synthetic(2)[0], of_a_photo(), synthetic(2)[1]]
    assert write_records(tmp_path / "a.parquet", records, LAYOUT, {"tried": 8}) == 3
    file = RecordFile(tmp_path / "a.parquet")
    assert list(file.records()) == records
    assert (len(file), file.layout, file.notes) == (3, LAYOUT, {"tried": 8})


def test_the_same_records_give_the_same_bytes(tmp_path: Path):
    for name in "ab":
        write_records(
            tmp_path / name, iter(synthetic(20)), LAYOUT, {"b": 1, "a": 2} if name == "a" else {"a": 2, "b": 1}
        )
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_file_without_records_keeps_its_notes(tmp_path: Path):
    write_records(tmp_path / "a.parquet", [], LAYOUT, {"tried": 8})
    file = RecordFile(tmp_path / "a.parquet")
    assert (len(file), list(file.records()), file.notes) == (0, [], {"tried": 8})


def test_parameters_as_arrays_are_those_of_the_records(tmp_path: Path):
    records = synthetic(ROWS_PER_GROUP + 2)
    write_records(tmp_path / "a.parquet", records, LAYOUT)
    arrays = list(RecordFile(tmp_path / "a.parquet").parameters())
    assert [len(one["pose"]) for one in arrays] == [ROWS_PER_GROUP, 2]
    for name in LAYOUT.parameters:
        assert np.concatenate([one[name] for one in arrays]).tolist() == [r.parameters[name] for r in records]


def test_records_are_found_by_their_ids_in_any_row_group(tmp_path: Path):
    records = synthetic(ROWS_PER_GROUP + 2)
    write_records(tmp_path / "a.parquet", records, LAYOUT)
    wanted = {"pair-0003", f"pair-{ROWS_PER_GROUP + 1:04d}", "nobody"}
    found = list(RecordFile(tmp_path / "a.parquet").with_ids(wanted))
    assert found == [records[3], records[ROWS_PER_GROUP + 1]]


def test_a_failed_write_leaves_the_old_file(file: Path):
    before = file.read_bytes()

    def records():
        yield synthetic(1)[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_records(file, records(), LAYOUT)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_an_id_may_not_come_twice(tmp_path: Path):
    with pytest.raises(InputError, match="comes twice"):
        write_records(tmp_path / "a.parquet", synthetic(1) * 2, LAYOUT)


def test_another_body_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="another body"):
        write_records(tmp_path / "a.parquet", synthetic(1), Layout("stub-1", {"pose": ("knee",)}))


@pytest.mark.parametrize("keep", [0, 3, 1000, -1])
def test_a_truncated_file_is_called_so(file: Path, keep: int):
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(InputError, match="cannot be read"):
        RecordFile(file)


def test_a_flipped_byte_is_noticed_or_does_no_harm(file: Path):
    content = file.read_bytes()
    records = list(RecordFile(file).records())
    noticed = 0
    for place in range(4, len(content), 61):
        file.write_bytes(content[:place] + bytes([content[place] ^ 0x5A]) + content[place + 1 :])
        try:
            assert list(RecordFile(file).records()) == records
        except InputError:
            noticed += 1
    assert noticed > 20


def test_a_missing_file_is_no_crash(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        RecordFile(tmp_path / "nothing.parquet")


def test_another_schema_version_is_refused(file: Path):
    rewritten(file, lambda t: t.replace_schema_metadata({**t.schema.metadata, b"apu.schema_version": b"2"}))
    with pytest.raises(InputError, match="schema version"):
        RecordFile(file)


def test_a_parquet_file_of_somebody_else_is_refused(file: Path):
    rewritten(file, lambda t: t.replace_schema_metadata(None))
    with pytest.raises(InputError, match="schema version"):
        RecordFile(file)


def test_a_missing_column_is_named(file: Path):
    rewritten(file, lambda t: t.drop_columns(["contacts", "param_pose"]))
    with pytest.raises(InputError, match="lacks columns") as caught:
        RecordFile(file)
    assert str(caught.value.where).endswith("param_pose, contacts")


def test_a_column_of_another_type_is_named(file: Path):
    def change(table: pa.Table) -> pa.Table:
        i = table.schema.get_field_index("penetration_max_m")
        return table.set_column(i, "penetration_max_m", table["penetration_max_m"].cast(pa.float32()))

    rewritten(file, change)
    with pytest.raises(InputError, match="another type") as caught:
        RecordFile(file)
    assert "penetration_max_m" in str(caught.value.where)


def test_a_body_with_nan_in_a_file_is_named(file: Path):
    def change(table: pa.Table) -> pa.Table:
        i = table.schema.get_field_index("param_shape")
        values = [[[0.0], [0.0]], [[0.0], [float("nan")]], [[0.0], [0.0]]]
        return table.set_column(i, table.schema.field(i), pa.array(values, table.schema.field(i).type))

    rewritten(file, change)
    with pytest.raises(InputError) as caught:
        list(RecordFile(file).records())
    assert str(caught.value.where) == f"{file}: pair pair-0001: parameters.shape[1][0]"
