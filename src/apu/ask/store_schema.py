"""The tables of the store, how its file is opened and checked, and who may hold a question."""

import os
import secrets
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apu.errors import ApuError, InputError, OutputError

APPLICATION_ID = 0x41505541
"""`APUA`, in the header of the sqlite file."""

VERSION = 1
DURABLE = "FULL"
"""sqlite's `synchronous` for what must outlive a power cut: attempts and paid replies. The rest follows from them."""

BUSY_S = 60.0
"""How long a write waits for those of others."""

TABLES = """
CREATE TABLE images (sha256 TEXT PRIMARY KEY, media_type TEXT NOT NULL, data BLOB NOT NULL);
CREATE TABLE contexts (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE questions (
    key TEXT PRIMARY KEY, context INTEGER NOT NULL REFERENCES contexts, own TEXT NOT NULL,
    image TEXT NOT NULL REFERENCES images, model TEXT NOT NULL, perturbation TEXT NOT NULL, sample INTEGER NOT NULL,
    prompt_version TEXT NOT NULL, added REAL NOT NULL
);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL REFERENCES questions, kind TEXT NOT NULL, started REAL NOT NULL,
    finished REAL, outcome TEXT, problem TEXT, reply TEXT, refusal TEXT, model_answered TEXT, finish TEXT,
    dropped TEXT, input_tokens INTEGER, output_tokens INTEGER, cost_usd REAL, seconds REAL
);
CREATE INDEX attempts_of_key ON attempts (key);
CREATE TABLE answers (
    key TEXT PRIMARY KEY REFERENCES questions, status TEXT NOT NULL, reply TEXT, problem TEXT, mends TEXT NOT NULL,
    model_answered TEXT, finish TEXT, dropped TEXT NOT NULL, input_tokens INTEGER, output_tokens INTEGER,
    cost_usd REAL, seconds REAL, attempts INTEGER NOT NULL, time REAL NOT NULL
);
CREATE TABLE claims (key TEXT PRIMARY KEY, owner TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, until REAL);
CREATE TABLE batches (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, state TEXT NOT NULL, handle TEXT, problem TEXT, time REAL NOT NULL
);
CREATE TABLE batch_items (
    batch INTEGER NOT NULL REFERENCES batches, key TEXT NOT NULL REFERENCES questions,
    attempt INTEGER NOT NULL REFERENCES attempts, PRIMARY KEY (batch, key)
);
"""


_IN_THIS_PROCESS: set[str] = set()
"""Ids of the owners that are open here."""


@dataclass(frozen=True)
class Owner:
    """An open store of a process. Only one owner at a time asks a question.

    Attributes:
        id: random.
        host: where process numbers mean what they mean here: machine, boot and container.
        pid: the process number.
    """

    id: str
    host: str
    pid: int

    @classmethod
    def this_process(cls) -> "Owner":
        """A new owner."""
        owner = cls(secrets.token_hex(8), _host(), os.getpid())
        _IN_THIS_PROCESS.add(owner.id)
        return owner

    def gone(self) -> None:
        """Hold nothing any more."""
        _IN_THIS_PROCESS.discard(self.id)

    def may_live(self, owner: str, host: str, pid: int) -> bool:
        """Whether another owner may still be at work; False only if that is certain."""
        if os.name != "posix" or host != self.host:  # elsewhere os.kill(pid, 0) would not only look
            return True
        if pid == self.pid:  # of this process, or of a dead one whose number it got
            return owner in _IN_THIS_PROCESS
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True


def opened(path: Path) -> sqlite3.Connection:
    """Open a store, and make its tables if it is new.

    Raises:
        InputError: the file is no store, is damaged, or comes from a newer version.
        OutputError: it cannot be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error.strerror or str(error)) from None
    with damaged(path):
        connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            _set_up(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    """Check the file, and make its tables if it is new.

    Several processes may do so at once. Turning to WAL does not wait for others as transactions do, hence the trials.
    """
    given_up = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("BEGIN")  # one look: another process may be making the tables just now
            _check(connection, path)
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if _check(connection, path):
                for statement in TABLES.split(";"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
            return
        except sqlite3.OperationalError as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            busy = _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > given_up:
                raise
            time.sleep(0.02)


def _check(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is new and empty; an error if it is somebody else's."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables and not application and not version:
        return True
    wanted = {line.split()[2] for line in TABLES.splitlines() if line.startswith("CREATE TABLE")}
    if application != APPLICATION_ID:
        got = f"an sqlite file of another program, with tables {', '.join(sorted(tables))[:80] or '(none)'}"
    elif version != VERSION:
        got = f"version {version}"
    elif not wanted <= tables:
        got = f"a store without the tables {', '.join(sorted(wanted - tables))}"
    else:
        return False
    newer = application == APPLICATION_ID and version > VERSION
    raise InputError(
        "The store of answers cannot be used.",
        where=path,
        expected=f"a store of version {VERSION}, or a file that does not exist yet",
        got=got,
        remedy="update ask-pose-unite." if newer else "name another file with --store.",
    )


@contextmanager
def damaged(path: Path) -> Iterator[None]:
    """Turn errors of sqlite into ours, which say what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        # What has no code is not the file system's fault: a text that is no UTF-8, for one.
        if _code(error) in (0, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise _broken(path, str(error)) from None
        raise _unwritable(path, str(error)) from None
    except sqlite3.ProgrammingError:
        raise  # ours, not the file's: e.g. a store used after it was closed
    except sqlite3.DatabaseError as error:
        raise _broken(path, str(error)) from None


def _code(error: sqlite3.Error) -> int:
    """Primary result code of SQLite; 0 where Python's own module found the error, which then has none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _broken(path: Path, problem: str) -> ApuError:
    return InputError(
        "The store of answers is damaged, or no store.",
        where=path,
        expected="an sqlite file that apu made",
        got=problem,
        remedy="name another file with --store; `sqlite3 FILE .recover` saves what can be read of a damaged one.",
    )


def _unwritable(path: Path, problem: str) -> ApuError:
    return OutputError(
        "The store of answers cannot be read or written.",
        where=path,
        expected="a file on a local disk that can be written, with room left",
        got=problem,
        remedy="check permissions and disk, end other programs that have the file open, or name another with --store.",
    )


def _host() -> str:
    parts = [socket.gethostname()]
    for read in (
        lambda: Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        lambda: os.readlink("/proc/self/ns/pid"),
    ):
        try:
            parts.append(read())
        except OSError:
            continue
    return " ".join(parts)
