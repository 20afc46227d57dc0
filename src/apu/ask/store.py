"""Questions, replies and attempts in one sqlite file: what was paid for is never lost, and never paid for again.

An attempt is written before its request goes out, and its reply before anything is done with it, each in a transaction
of its own. So a process that is killed leaves complete rows only, and every request that was sent can be counted. Keys
and headers are never given to the store. Times are seconds since 1970. The file must lie on a local disk (WAL mode).
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from apu.ask import store_schema
from apu.ask.provider import Reply
from apu.ask.question import EncodedImage, Question
from apu.ask.store_records import (
    ANSWER_COLUMNS,
    SETTLED,
    Answer,
    AttemptKind,
    Audit,
    Status,
    Stored,
    StoredReply,
    answer_of_row,
    joined,
    parted,
    question_of,
    storable,
)
from apu.ask.store_schema import Owner, damaged, opened

Execute = Callable[..., sqlite3.Cursor]


class Store:
    """One sqlite file, open. Safe for several threads, and for several processes on one machine.

    Args:
        path: the file; made if it is not there.

    Raises:
        InputError: the file is no store, is damaged, or comes from a newer version.
        OutputError: it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._owner = Owner.this_process()
        self._connection = opened(path)

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Claims of this store object end."""
        with self._lock:
            try:
                self._connection.execute("DELETE FROM claims WHERE owner = ?", (self._owner.id,))
            except sqlite3.Error:
                pass  # closing must not hide what went wrong before; a claim also ends by itself
            finally:
                self._owner.gone()
                self._connection.close()

    def add(self, question: Question) -> None:
        """Write down a question with its images, once."""
        context, own = parted(question)
        with self.writing() as write:
            for image in question.images:
                write(
                    "INSERT OR IGNORE INTO images VALUES (?, ?, ?)",
                    (image.sha256, image.media_type, image.data),
                )
            write("INSERT OR IGNORE INTO contexts (json) VALUES (?)", (context,))
            write(
                "INSERT OR IGNORE INTO questions SELECT ?, id, ?, ?, ?, ?, ?, ?, ? FROM contexts WHERE json = ?",
                (
                    question.key,
                    own,
                    question.image.sha256,
                    question.model,
                    question.perturbation,
                    question.sample,
                    question.prompt_version,
                    time.time(),
                    context,
                ),
            )

    def answer(self, key: str) -> Answer | None:
        """What is known about a question; None if it was never finished."""
        with self.reading() as read:
            rows = read(f"SELECT {ANSWER_COLUMNS} FROM answers WHERE key = ?", (key,)).fetchall()
        return answer_of_row(rows[0]) if rows else None

    def claim(self, key: str, seconds: float) -> bool:
        """Take a question for `seconds`, so that no other thread or process asks it; False if somebody has it.

        A claim ends when it is released or over, when this store is closed, or when its process is dead.
        """
        now = time.time()
        with self.writing() as write:
            row = write("SELECT owner, host, pid, until FROM claims WHERE key = ?", (key,)).fetchone()
            if row is not None and row[3] > now and self._owner.may_live(*row[:3]):
                return False
            owner = self._owner
            write(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?)",
                (key, owner.id, owner.host, owner.pid, now + seconds),
            )
        return True

    def renew(self, key: str, seconds: float) -> None:
        """Hold a claimed question for `seconds` from now on."""
        with self.writing() as write:
            write(
                "UPDATE claims SET until = ? WHERE key = ? AND owner = ?", (time.time() + seconds, key, self._owner.id)
            )

    def release(self, key: str) -> None:
        """Give a claimed question back."""
        with self.writing() as write:
            write("DELETE FROM claims WHERE key = ? AND owner = ?", (key, self._owner.id))

    def begin(self, key: str, kind: AttemptKind) -> int:
        """Write down that a request is about to be sent, and return the number of the attempt."""
        with self.writing(durable=True) as write:
            return int(
                write("INSERT INTO attempts (key, kind, started) VALUES (?, ?, ?)", (key, kind, time.time())).lastrowid
                or 0
            )

    def got_reply(self, attempt: int, reply: Reply, cost_usd: float | None, seconds: float | None) -> None:
        """Write down the reply of an attempt."""
        with self.writing(durable=True) as write:
            write(
                "UPDATE attempts SET finished = ?, outcome = 'reply', reply = ?, refusal = ?, model_answered = ?, "
                "finish = ?, dropped = ?, input_tokens = ?, output_tokens = ?, cost_usd = ?, seconds = ? WHERE id = ?",
                (
                    time.time(),
                    storable(reply.text),
                    storable(reply.refusal),
                    storable(reply.model),
                    reply.finish,
                    json.dumps(reply.dropped),
                    reply.usage.input_tokens,
                    reply.usage.output_tokens,
                    cost_usd,
                    seconds,
                    attempt,
                ),
            )

    def got_error(self, attempt: int, outcome: str, problem: str) -> None:
        """Write down that an attempt brought no reply, and why."""
        with self.writing() as write:
            write(
                "UPDATE attempts SET finished = ?, outcome = ?, problem = ? WHERE id = ?",
                (time.time(), outcome, storable(problem), attempt),
            )

    def replies(self, key: str) -> list[StoredReply]:
        """All replies to a question so far, the oldest first: also those that a killed run could not deal with."""
        with self.reading() as read:
            rows = read(
                "SELECT reply, refusal, model_answered, finish, dropped, seconds FROM attempts "
                "WHERE key = ? AND outcome = 'reply' ORDER BY id",
                (key,),
            ).fetchall()
        return [
            StoredReply(text, refusal, model, finish, tuple(json.loads(dropped)), seconds)
            for text, refusal, model, finish, dropped, seconds in rows
        ]

    def finish(self, key: str, status: Status, *, problem: str | None = None, mends: Sequence[str] = ()) -> Answer:
        """Write the answer to a question from its attempts, and end the claim.

        The last reply counts; tokens and costs are those of all its attempts.
        """
        with self.writing() as write:
            write(
                f"INSERT OR REPLACE INTO answers ({ANSWER_COLUMNS}) "
                "SELECT ?1, ?2, l.reply, ?3, ?4, l.model_answered, l.finish, "
                "coalesce(l.dropped, '[]'), t.i, t.o, t.c, l.seconds, t.n, ?5 FROM "
                "(SELECT sum(input_tokens) i, sum(output_tokens) o, sum(cost_usd) c, count(*) n FROM attempts "
                " WHERE key = ?1) t LEFT JOIN "
                "(SELECT * FROM attempts WHERE key = ?1 AND outcome = 'reply' ORDER BY id DESC LIMIT 1) l",
                (key, status, storable(problem), json.dumps(list(mends)), time.time()),
            )
            write("DELETE FROM claims WHERE key = ? AND owner = ?", (key, self._owner.id))
        found = self.answer(key)
        assert found is not None
        return found

    def reparsed(self, key: str, status: Status, problem: str | None, mends: Sequence[str]) -> None:
        """Write what another parse of the stored reply gave. Nothing else of the row changes."""
        with self.writing() as write:
            write(
                "UPDATE answers SET status = ?, problem = ?, mends = ? WHERE key = ?",
                (status, storable(problem), json.dumps(list(mends)), key),
            )

    def replay(self, *, model: str | None = None, statuses: Sequence[Status] = SETTLED) -> Iterator[Stored]:
        """Go through stored answers in the order of their questions.

        Args:
            model: only answers of this model, as the user wrote it.
            statuses: only these.
        """
        marks = ",".join("?" * len(statuses))
        last = 0
        while True:  # in portions, so that no read stays open while the caller works
            with self.reading() as read:
                rows = read(
                    f"SELECT q.rowid, model, perturbation, sample, prompt_version, image, {ANSWER_COLUMNS} "
                    "FROM questions q JOIN answers USING (key) "
                    f"WHERE q.rowid > ? AND status IN ({marks}) AND model = coalesce(?, model) "
                    "ORDER BY q.rowid LIMIT 500",
                    (last, *statuses, model),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield from (Stored(answer_of_row(row[6:]), *row[1:6]) for row in rows)

    def request(self, key: str) -> dict[str, object] | None:
        """The whole request of a question, as `Question.request` gave it; None if it is not stored."""
        with self.reading() as read:
            row = read(
                "SELECT c.json, q.own, q.image FROM questions q JOIN contexts c ON c.id = q.context WHERE key = ?",
                (key,),
            ).fetchone()
        return None if row is None else joined(*row)

    def question(self, key: str) -> Question | None:
        """A stored question with its images, as it was asked; None if it is not stored."""
        request = self.request(key)
        if request is None:
            return None
        with self.reading() as read:
            labels = read("SELECT perturbation, prompt_version FROM questions WHERE key = ?", (key,)).fetchone()
        return question_of(request, self._image, *labels)

    def _image(self, sha256: str) -> EncodedImage:
        found = self.image(sha256)
        assert found is not None, "a question is stored with its images"
        return found

    def image(self, sha256: str) -> EncodedImage | None:
        """An image that was sent."""
        with self.reading() as read:
            row = read("SELECT data, media_type FROM images WHERE sha256 = ?", (sha256,)).fetchone()
        return None if row is None else EncodedImage(*row)

    def audit(self) -> Audit:
        """Count everything."""
        with self.reading() as read:
            questions = read("SELECT count(*) FROM questions").fetchone()[0]
            attempts, ended = read("SELECT count(*), count(finished) FROM attempts").fetchone()
            answers = dict(read("SELECT status, count(*) FROM answers GROUP BY status").fetchall())
        return Audit(questions, attempts, attempts - ended, answers)

    @contextmanager
    def reading(self) -> Iterator[Execute]:
        """Execute SQL that reads."""
        with self._lock, damaged(self.path):
            yield self._connection.execute

    @contextmanager
    def writing(self, *, durable: bool = False) -> Iterator[Execute]:
        """Execute SQL in one transaction: all of it is written, or nothing, also if the process is killed.

        Args:
            durable: also outlive a power cut, which takes milliseconds; so do all earlier transactions then.
        """
        with self._lock, damaged(self.path):
            self._connection.execute(f"PRAGMA synchronous = {store_schema.DURABLE if durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
