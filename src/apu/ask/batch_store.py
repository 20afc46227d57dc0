"""Batches in the store: what was about to be sent, which handle came back, and what is still out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from apu.ask.store import Store
from apu.ask.store_records import SETTLED

BatchStage = Literal["submitting", "submitted", "collected", "rejected", "forgotten"]
STAGES: tuple[BatchStage, ...] = get_args(BatchStage)


@dataclass(frozen=True)
class StoredBatch:
    """One batch.

    Attributes:
        id: ours.
        model: as the user wrote it.
        stage: `submitting`: about to be sent; if the process died then, the provider may have it or not.
            `submitted`: its results are not all here. `collected`: they are. `rejected`: the provider did not take it.
            `forgotten`: the user said that it does not exist.
        handle: what the provider calls it; None before it was accepted.
        time: when it was written down, seconds since 1970.
        open: (key, attempt) of the questions that are still pending.
    """

    id: int
    model: str
    stage: BatchStage
    handle: str | None
    time: float
    open: tuple[tuple[str, int], ...]


def begin_batch(store: Store, model: str, keys: Sequence[str]) -> int | None:
    """Write down that a batch is about to be sent, with an attempt for each question; all of it or nothing.

    Returns:
        The batch's number; None if one of the questions was asked by somebody else in the meantime.
    """
    now = time.time()
    with store.writing(durable=True) as write:
        for key in keys:
            row = write("SELECT status FROM answers WHERE key = ?", (key,)).fetchone()
            claimed = write("SELECT 1 FROM claims WHERE key = ? AND until > ?", (key, now)).fetchone()
            if claimed or (row is not None and row[0] in (*SETTLED, "pending")):
                return None
        batch = write("INSERT INTO batches (model, state, time) VALUES (?, 'submitting', ?)", (model, now)).lastrowid
        for key in keys:
            attempt = write("INSERT INTO attempts (key, kind, started) VALUES (?, 'batch', ?)", (key, now)).lastrowid
            write("INSERT INTO batch_items VALUES (?, ?, ?)", (batch, key, attempt))
            write(
                "INSERT OR REPLACE INTO answers (key, status, mends, dropped, attempts, time) "
                "SELECT ?1, 'pending', '[]', '[]', count(*), ?2 FROM attempts WHERE key = ?1",
                (key, now),
            )
    return batch


def set_stage(store: Store, batch: int, stage: BatchStage, handle: str | None = None) -> None:
    """Write down where a batch stands; a handle that is None is left as it was."""
    with store.writing(durable=True) as write:
        write("UPDATE batches SET state = ?, handle = coalesce(?, handle) WHERE id = ?", (stage, handle, batch))


def end_batch(store: Store, batch: StoredBatch, stage: BatchStage, outcome: str, problem: str) -> None:
    """Give all open questions of a batch up: they are `failed`, so the next run asks them again."""
    for key, attempt in batch.open:
        store.got_error(attempt, outcome, problem)
        store.finish(key, "failed", problem=problem)
    set_stage(store, batch.id, stage)


def batches(store: Store, *stages: BatchStage, model: str | None = None) -> list[StoredBatch]:
    """The batches in some stages (default: all), the oldest first.

    Args:
        store: where.
        stages: which.
        model: only those of this model, as the user wrote it.
    """
    wanted = stages or STAGES
    marks = ",".join("?" * len(wanted))
    with store.reading() as read:
        rows = read(
            f"SELECT id, model, state, handle, time FROM batches WHERE state IN ({marks}) "
            "AND model = coalesce(?, model) ORDER BY id",
            (*wanted, model),
        ).fetchall()
        items = {
            row[0]: read(
                "SELECT key, attempt FROM batch_items JOIN answers USING (key) WHERE batch = ? AND status = 'pending' "
                "ORDER BY attempt",
                (row[0],),
            ).fetchall()
            for row in rows
        }
    return [
        StoredBatch(number, name, stage, handle, when, tuple((key, attempt) for key, attempt in items[number]))
        for number, name, stage, handle, when in rows
    ]
