"""Is a data set sound? Every problem is listed, not just the first one."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from apu.cache import sha256_file
from apu.contact.measured import TOUCHING_WIDE_M
from apu.dataset.folder import INFO, shards_in
from apu.dataset.parquet import RecordFile
from apu.dataset.record import DatasetInfo, PairRecord
from apu.dataset.store import read_info
from apu.errors import InputError
from apu.scene.true_pair import ClassGroup, Split


def problems(
    folder: Path,
    classes: Mapping[str, ClassGroup] | None = None,
    groups: Mapping[Split, tuple[ClassGroup, ...]] | None = None,
) -> Iterator[str]:
    """Everything that is wrong, in one line each.

    Args:
        folder: of the data set.
        classes: known classes -> group; None takes any.
        groups: groups that a split may have; None takes any.
    """
    try:
        info = read_info(folder)
    except InputError as error:
        yield one_line(error)
        return
    listed = {shard.file for shard in info.shards}
    yield from (f"{path}: is not listed in {INFO}" for path in shards_in(folder) if path.name not in listed)
    seen: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for shard in info.shards:
        path = folder / shard.file
        if path.is_file() and sha256_file(path) != shard.sha256:
            yield f"{path}: its sha256 is not the one in {INFO}"
        yield from _file_problems(path, shard.pairs, info, seen, counted, classes, groups)
    if sum(shard.pairs for shard in info.shards) != info.pairs:
        yield f"{folder / INFO}: pairs: {info.pairs}, but its files have {sum(s.pairs for s in info.shards)}"
    for name, count in info.classes.items():
        if counted[name] != count.pairs:
            yield f"{folder / INFO}: classes.{name}.pairs: {count.pairs}, but the files have {counted[name]}"


def one_line(error: InputError) -> str:
    """A problem that was met as an error."""
    facts = [f"expected {error.expected}" if error.expected else "", f"got {error.got}" if error.got else ""]
    told = "; ".join(filter(None, [error.what.rstrip("."), *facts]))
    return " ".join(f"{error.where}: {told}".split())


def _file_problems(
    path: Path,
    pairs: int,
    info: DatasetInfo,
    seen: dict[str, str],
    counted: Counter[str],
    classes: Mapping[str, ClassGroup] | None,
    groups: Mapping[Split, tuple[ClassGroup, ...]] | None,
) -> Iterator[str]:
    try:
        file = RecordFile(path)
        names = {name: list(each) for name, each in file.layout.parameters.items()}
        if (file.layout.body_model, names) != (info.body_model, info.parameters):
            yield f"{path}: has another body than {INFO}"
        if len(file) != pairs:
            yield f"{path}: has {len(file)} pairs, but {INFO} says {pairs}"
        for row in file.rows():
            try:
                record = file.record(row)
            except InputError as error:
                yield one_line(error)
                counted[str(row.get("interaction"))] += 1
                continue
            counted[record.interaction] += 1
            if record.id in seen:
                yield f"{path}: pair {record.id}: the id is in {seen[record.id]} already"
            seen[record.id] = path.name
            yield from (f"{path}: pair {record.id}: {told}" for told in _record_problems(record, info, classes, groups))
    except InputError as error:  # the file ends here; the others are looked at
        yield one_line(error)


def _record_problems(
    record: PairRecord,
    info: DatasetInfo,
    classes: Mapping[str, ClassGroup] | None,
    groups: Mapping[Split, tuple[ClassGroup, ...]] | None,
) -> Iterator[str]:
    if record.kind != info.kind or record.body_model != info.body_model:
        yield f"is `{record.kind}` of {record.body_model}, but the data set is `{info.kind}` of {info.body_model}"
    if not record.contacts:
        yield "nothing touches"
    if classes is not None and record.interaction not in classes:
        yield f"class {record.interaction!r} is unknown"
    elif classes is not None and record.group != classes[record.interaction]:
        yield f"class `{record.interaction}` is {classes[record.interaction]}, but the pair says {record.group}"
    if groups is not None and record.group is not None and record.group not in groups[record.split]:
        yield f"a class that is {record.group} may not be in split {record.split}"
    if record.kind == "synthetic":
        yield from _untouched(record)


def _untouched(record: PairRecord) -> Iterator[str]:
    """What a synthetic pair was made for has to touch."""
    near = {(c.region_a, c.region_b) for c in record.contacts if c.distance_m <= TOUCHING_WIDE_M}
    for contact in record.intended:
        if not any((a, b) in near for a in contact.regions_a for b in contact.regions_b):
            a, b = (
                label or " / ".join(regions)
                for label, regions in ((contact.label_a, contact.regions_a), (contact.label_b, contact.regions_b))
            )
            yield f"the intended contact {a} - {b} does not touch"
