"""The store is whole at every moment, tells what it is not, and lets each question be held by one asker."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from asked import PIXEL, question

from apu.ask.provider import Reply, Usage
from apu.ask.question import EncodedImage
from apu.ask.store import Store
from apu.ask.store_schema import VERSION, damaged
from apu.errors import InputError, OutputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


def asked(store: Store, name: str, text: str = "hello", **reply: object) -> str:
    """A question with one reply, not finished."""
    store.add(question(name))
    attempt = store.begin(question(name).key, "ask")
    store.got_reply(attempt, Reply(text, usage=Usage(100, 10), model="m-1", **reply), 0.5, 2.0)  # pyright: ignore
    return question(name).key


def test_an_answer_has_all_that_its_attempts_brought(file: Path):
    with Store(file) as store:
        key = asked(store, "a", "first", dropped=("temperature",), finish="length")
        store.got_error(store.begin(key, "reask"), "timeout", "too slow")
        store.got_reply(store.begin(key, "reask"), Reply("second", usage=Usage(200, 20), finish="stop"), 0.25, 3.0)
        answer = store.finish(key, "answered", mends=["fence"])
    assert (answer.status, answer.reply, answer.mends) == ("answered", "second", ("fence",))
    assert (answer.input_tokens, answer.output_tokens, answer.cost_usd, answer.attempts) == (300, 30, 0.75, 3)
    assert (answer.seconds, answer.finish, answer.dropped) == (3.0, "stop", ())
    with Store(file) as store:
        assert store.answer(key) == answer


def test_the_request_and_its_images_come_back_as_they_were(file: Path):
    two = question("a", sample=3, perturbation="mirrored", image=EncodedImage(PIXEL + b"2", "image/jpeg"))
    with Store(file) as store:
        store.add(two)
        assert store.request(two.key) == two.request
        assert store.image(two.image.sha256) == two.image
        again = store.question(two.key)
        assert again == two
        assert again is not None
        assert again.key == two.key
        assert store.request("0" * 64) is None
        assert store.question("0" * 64) is None
        assert store.image("0" * 64) is None


def test_images_and_shared_texts_are_stored_once(file: Path):
    with Store(file) as store:
        for i in range(20):
            store.add(question(str(i)))
            store.add(question(str(i)))
    tables = sqlite3.connect(file)
    counts = [tables.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in ("questions", "images", "contexts")]
    assert counts == [20, 1, 1]


def test_a_question_that_was_never_answered_has_no_answer_but_its_attempts_count(file: Path):
    with Store(file) as store:
        key = asked(store, "a")
        store.begin(key, "ask")
        assert store.answer(key) is None
        assert [reply.text for reply in store.replies(key)] == ["hello"]
        audit = store.audit()
    assert (audit.questions, audit.attempts, audit.interrupted, audit.answers) == (1, 2, 1, {})


def test_a_failed_question_without_a_reply_has_no_cost(file: Path):
    with Store(file) as store:
        store.add(question())
        store.got_error(store.begin(question().key, "ask"), "timeout", "x")
        answer = store.finish(question().key, "failed", problem="x")
    assert (answer.status, answer.reply, answer.cost_usd, answer.attempts) == ("failed", None, None, 1)


def test_replay_gives_settled_answers_in_order_and_by_model(file: Path):
    with Store(file) as store:
        for i in range(1200):  # more than one portion
            store.finish(asked(store, str(i)), "answered" if i % 2 else "unparsable")
        store.finish(asked(store, "failed"), "failed")
        everything = list(store.replay())
        assert [one.answer.key for one in everything] == [question(str(i)).key for i in range(1200)]
        assert sum(1 for _ in store.replay(statuses=["unparsable"])) == 600
        assert list(store.replay(model="openai:x")) == []
        one = everything[0]
        assert (one.model, one.sample, one.image_sha256) == (question().model, 0, question().image.sha256)
        store.reparsed(one.answer.key, "answered", None, ["new"])
        again = store.answer(one.answer.key)
    assert again is not None
    assert (again.status, again.mends, again.reply, again.cost_usd) == ("answered", ("new",), "hello", 0.5)


@pytest.mark.parametrize("text", ["", "\x00", "\ud800 lone", "'; DROP TABLE answers; --", "é" * 1000])
def test_any_reply_text_can_be_stored(file: Path, text: str):
    with Store(file) as store:
        answer = store.finish(asked(store, "a", text), "unparsable", problem=text)
    assert answer.reply == text.encode("utf-8", "backslashreplace").decode()


def test_one_asker_at_a_time_holds_a_question(file: Path):
    with Store(file) as one, Store(file) as two:
        assert one.claim("k", 60.0)
        assert not one.claim("k", 60.0)  # nor another thread with the same store
        assert not two.claim("k", 60.0)
        assert two.claim("other", 60.0)
        two.release("k")  # not its own
        assert not two.claim("k", 60.0)
        one.release("k")
        assert two.claim("k", 60.0)
    with Store(file) as three:
        assert three.claim("k", 60.0)  # a closed store holds nothing


def test_a_claim_ends_by_itself_and_can_be_renewed(file: Path):
    with Store(file) as one, Store(file) as two:
        assert one.claim("k", -1.0)
        assert two.claim("k", -1.0)
        two.renew("k", 60.0)
        assert not one.claim("k", 60.0)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a claim of a dead process ends when its time is over")
def test_the_claim_of_a_dead_process_is_free_at_once(file: Path):
    code = (
        "import os, sys; from pathlib import Path; from apu.ask.store import Store; "
        "Store(Path(sys.argv[1])).claim('k', 3600.0); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(file)], check=False).returncode == 9
    with Store(file) as store:
        assert store.claim("k", 60.0)


@pytest.mark.skipif(os.name != "posix", reason="as above")
def test_the_claim_of_a_dead_process_that_had_our_number_is_free_at_once(file: Path):
    with Store(file) as dead, Store(file) as store:
        assert dead.claim("k", 3600.0)
        assert not store.claim("k", 3600.0)
        dead._owner.gone()  # what a process that got the number anew knows of it
        assert store.claim("k", 3600.0)


def test_a_transaction_that_fails_leaves_nothing(file: Path):
    with Store(file) as store:

        def half() -> None:
            with store.writing() as write:
                write("INSERT INTO images VALUES ('x', 'y', 'z')")
                raise RuntimeError("half")

        with pytest.raises(RuntimeError, match="half"):
            half()
        assert store.image("x") is None
        asked(store, "a")  # and it still works


def test_several_threads_and_stores_write_at_once(file: Path):
    errors: list[BaseException] = []

    def write(store: Store, thread: int) -> None:
        try:
            for i in range(20):
                store.finish(asked(store, f"{thread}-{i}"), "answered")
        except BaseException as error:
            errors.append(error)

    with Store(file) as one, Store(file) as two:
        threads = [threading.Thread(target=write, args=((one, two)[i % 2], i)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert one.audit().answers == {"answered": 80}
    assert sqlite3.connect(file).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_two_processes_can_make_the_same_store_at_once(file: Path):
    code = "import sys; from pathlib import Path; from apu.ask.store import Store; Store(Path(sys.argv[1])).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", code, str(file)], stderr=subprocess.PIPE, text=True) for _ in range(3)
    ]
    for process in started:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    Store(file).close()


def sqlite_file(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_file_that_is_no_sqlite_file_is_refused_and_left_alone(file: Path):
    file.write_bytes(b"contacts, by hand\n" * 100)
    with pytest.raises(InputError, match="no store"):
        Store(file)
    assert file.read_bytes() == b"contacts, by hand\n" * 100


def test_the_database_of_another_program_is_refused_and_left_alone(file: Path):
    sqlite_file(file, "CREATE TABLE bookmarks (url TEXT)")
    before = file.read_bytes()
    with pytest.raises(InputError, match="cannot be used") as error:
        Store(file)
    assert "bookmarks" in str(error.value)
    assert file.read_bytes() == before


def test_a_store_of_a_newer_version_is_refused(file: Path):
    Store(file).close()
    sqlite_file(file, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(InputError, match="cannot be used") as error:
        Store(file)
    assert "update" in str(error.value.remedy)


def test_a_store_with_a_missing_table_is_refused(file: Path):
    Store(file).close()
    sqlite_file(file, "DROP TABLE claims")
    with pytest.raises(InputError, match="cannot be used") as error:
        Store(file)
    assert "claims" in str(error.value)


def test_a_damaged_store_is_an_input_error_that_names_the_file(file: Path):
    with Store(file) as store:
        for i in range(300):
            asked(store, str(i), "x" * 300)
    data = bytearray(file.read_bytes())
    data[8192:] = bytes(len(data) - 8192)
    file.write_bytes(data)

    def use() -> None:
        with Store(file) as store:
            for i in range(300):
                store.replies(question(str(i)).key)
                store.add(question(f"new{i}"))

    with pytest.raises(InputError) as error:
        use()
    assert str(file) in str(error.value)


def test_a_text_that_is_no_utf8_is_damage_although_sqlite_gives_it_no_code(file: Path):
    connection = sqlite3.connect(":memory:")
    with pytest.raises(InputError, match="damaged") as error, damaged(file):
        connection.execute("SELECT CAST(x'ff' AS TEXT)").fetchone()
    connection.close()
    assert "UTF-8" in str(error.value.got)


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        Store(tmp_path / "file" / "answers.sqlite")
    with pytest.raises(OutputError):
        Store(tmp_path)  # a folder
