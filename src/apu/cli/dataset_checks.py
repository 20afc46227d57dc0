"""All checks of `apu dataset verify`. Loads torch: import it inside the command only."""

from collections.abc import Iterator
from pathlib import Path

from apu.cli.run import use_threads
from apu.dataset.measure_again import differences, spread
from apu.dataset.meshes import body_of
from apu.dataset.store import PairStore
from apu.dataset.synthetic.interaction import GROUPS_OF_SPLIT, interactions
from apu.dataset.verify import one_line, problems
from apu.errors import InputError
from apu.scene.true_pair import ClassGroup


def all_problems(folder: Path, measure: int) -> Iterator[str]:
    """Everything that is wrong with a data set; `measure` pairs are measured again.

    Raises:
        InputError: pairs that are sound cannot be measured, because their body is not installed.
    """
    use_threads()
    found = 0
    for found, problem in enumerate(problems(folder, _classes(folder), GROUPS_OF_SPLIT), start=1):  # noqa: B007
        yield problem
    if not measure:
        return
    try:
        store = PairStore(folder)
        ids = [row["id"] for row in store.rows(["id"])]
        records = store.with_ids([ids[i] for i in spread(len(ids), measure)])
    except InputError as error:
        if not found:
            yield one_line(error)
        return
    if records:
        yield from differences(body_of(store.info.body_model), records)


def _classes(folder: Path) -> dict[str, ClassGroup] | None:
    """Known classes of synthetic pairs, and of fits to them; photos may have any."""
    try:
        kind = PairStore(folder).info.kind
    except InputError:
        return None
    return {name: one.group for name, one in interactions().items()} if kind != "photo" else None
