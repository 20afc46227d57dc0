"""`apu ask` and `apu fit --annotator`: what is asked, what is written, and what is never paid for twice."""

import asyncio
import hashlib
import json
import re
import shlex
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path

import pytest
from batch_server import BatchServer
from fault_server import response
from PIL import Image
from stick_people import stick

from apu.ask import lvlm, pydantic_ai_batch
from apu.ask.batch import Batches, Collected, Submitted
from apu.ask.lvlm import LvlmAnnotator
from apu.ask.provider import EarlierReply, ProviderError, Reply, Usage
from apu.ask.pydantic_ai_batch import PydanticAiBatches
from apu.ask.question import Question
from apu.cli import ask_run
from apu.contact.files import read_contact_file
from apu.pipeline import FitOptions, perceive
from apu.pose.photo_file import read_photo
from apu.scene.annotation import AnswerRecord
from apu.scene.camera import Camera
from apu.scene.pair import PairObservation

MODEL = "http://127.0.0.1:9/v1#fake"
TOUCH = {
    "evidence": "the hand lies on the back",
    "part_a": "hand",
    "side_a": "left",
    "part_b": "back",
    "side_b": "none",
    "visibility": "visible",
    "confidence": "high",
}
PERSON = {"age_group": "adult", "posture": "standing"}


def reply(decision: str = "contact", *contacts: dict) -> str:
    fields = {"scene": "two people", "person_a": PERSON, "person_b": PERSON}
    return json.dumps({**fields, "contacts": list(contacts), "decision": decision})


class Scripted:
    """A provider that says what it is told to, and counts."""

    name = "scripted"

    def __init__(self) -> None:
        self.say: str | Exception | Callable[[Question], str] = reply("contact", TOUCH)
        self.questions: list[Question] = []

    async def ask(self, question: Question, *, timeout_s: float, earlier: EarlierReply | None = None) -> Reply:
        await asyncio.sleep(0)
        self.questions.append(question)
        if isinstance(self.say, Exception):
            raise self.say
        return Reply(self.say if isinstance(self.say, str) else self.say(question), "fake-1", Usage(100, 20))

    async def close(self) -> None:
        pass


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    """Stands in for the network of every command."""
    made = Scripted()
    monkeypatch.setattr(ask_run, "provider_of", lambda name: made)
    monkeypatch.setattr(lvlm, "provider_of", lambda name: made)
    return made


@pytest.fixture
def hugs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the photos a.png, b.png and c.png, and one of keypoints of three people in each."""
    monkeypatch.setenv("APU_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "hugs"
    folder.mkdir()
    (tmp_path / "points").mkdir()
    for shade, name in enumerate("abc"):
        image = Image.new("RGB", (400, 300), (60 + 40 * shade, 90, 90))
        image.paste((230, 230, 120), (0, 0, 100, 300))  # so that a mirror changes it
        image.save(folder / f"{name}.png")
        people = {"people": [_skeleton(100), _skeleton(140), _skeleton(150)]}
        (tmp_path / "points" / f"{name}.json").write_text(json.dumps(people))
    return folder


def _skeleton(x: float) -> dict:
    """Somebody seen from behind, so that the left hand is on the left of the picture."""
    rows = [[x - 0.6 * right, 140 + 0.6 * down, 0.9] for right, down in stick().places]
    return {"pose_keypoints_2d": [float(value) for row in rows for value in row]}


@pytest.fixture
def ask(run, hugs: Path, provider: Scripted):
    """Run `apu ask hugs/a.png` or what is named, with the stand-in for the network."""

    def call(*arguments: str, photos: str = "hugs/a.png"):
        return run("ask", photos, "--model", MODEL, "--keypoints", "points", *arguments)

    return call


def answers(name: str = "a") -> dict:
    return json.loads(Path(f"apu_answers/{name}_answers.json").read_text())


def contacts(name: str = "a") -> list:
    return read_contact_file(Path(f"apu_answers/{name}_contacts.json"), name, [(0.0, 0.0, 1.0, 1.0)] * 3)


# ---- what is written


def test_one_photo_gives_a_contact_file_and_the_answer_beside_it(ask, provider: Scripted):
    result = ask("--pair", "2,0")
    assert result.exit_code == 0, result.output
    (pair,) = contacts()
    assert pair.people == (2, 0)
    assert pair.contacts.source == MODEL
    assert [contact.name for contact in pair.contacts.contacts] == ["left hand - back"]
    (entry,) = answers()["pairs"]
    (answer,) = entry["answers"]
    assert answer["reply"] == provider.say
    assert (answer["status"], answer["model_answered"], answer["attempts"]) == ("answered", "fake-1", 1)
    assert answer["said"]["contacts"][0]["part_b"] == "back"
    assert "left hand - back" in result.stdout


def test_the_contact_file_is_taken_by_a_fit(ask, run, stub):
    assert ask(photos="hugs").exit_code == 0
    assert run("fit", "hugs", "--contacts", "apu_answers").exit_code == 0
    assert [options.contacts.name for _, options in stub.calls] == [f"{name}_contacts.json" for name in "abc"]


def test_every_pair_of_every_photo_is_asked_about_once(ask, provider: Scripted):
    assert ask("--all-pairs", photos="hugs").exit_code == 0
    assert len(provider.questions) == 3 * len(contacts()) == 9
    ask("--all-pairs", photos="hugs")
    assert len(provider.questions) == 9


def test_without_an_answer_there_is_no_contact_file_and_the_exit_code_says_so(ask, provider: Scripted):
    assert ask("--store", "one.sqlite").exit_code == 0
    assert Path("apu_answers/a_contacts.json").is_file()
    provider.say = "I'm sorry, but I can't help with identifying people in this image."
    result = ask("--store", "two.sqlite")
    assert result.exit_code == 1
    assert not Path("apu_answers/a_contacts.json").exists()
    assert answers()["pairs"][0]["answers"][0]["status"] == "refused"
    assert "refused" in result.stdout


def test_no_contact_is_written_as_an_empty_list(ask, provider: Scripted):
    provider.say = reply("no contact")
    assert ask().exit_code == 0
    assert contacts()[0].contacts.contacts == ()


def trust(name: str = "a") -> dict:
    """The record in the contact file, which is that of the answers, too."""
    (pair,) = json.loads(Path(f"apu_answers/{name}_contacts.json").read_text())["pairs"]
    assert answers(name)["pairs"][0]["trust"] == pair["trust"]
    return pair["trust"]


def as_asked(question: Question, *touches: dict) -> str:
    """The reply of somebody who sees `TOUCH` in the photo, for the picture as it is."""
    turned = {"left": "right", "right": "left"}
    said = list(touches or (TOUCH,))
    if "swapped" in question.perturbation:
        names = {"part_a": "part_b", "side_a": "side_b", "part_b": "part_a", "side_b": "side_a"}
        said = [{names.get(key, key): value for key, value in one.items()} for one in said]
    if "mirrored" in question.perturbation:
        said = [{key: turned.get(value, value) for key, value in one.items()} for one in said]
    return reply("contact", *said)


def test_several_answers_are_asked_for_in_several_ways_and_become_one_list(ask, provider: Scripted):
    provider.say = as_asked
    assert ask("--pair", "2,0", "--samples", "5", "--sides", "answer").exit_code == 0
    assert sorted(question.perturbation for question in provider.questions) == sorted(
        ["plain", "swapped", "mirrored", "shuffled:3", "shuffled:4"]
    )
    assert len({question.image.data for question in provider.questions}) == 3
    assert len({question.system for question in provider.questions}) == 3
    assert [answer["said"]["contacts"][0]["side_a"] for answer in answers()["pairs"][0]["answers"]] == ["left"] * 5
    (contact,) = contacts()[0].contacts.contacts
    assert (contact.name, contact.weight) == ("left hand - back", pytest.approx(0.75))
    (voted,) = trust()["votes"]["contacts"]
    assert (voted["votes"], voted["share"]) == (5, 1.0)


def test_a_refusal_and_prose_are_no_votes_and_a_lone_invention_is_left_out(ask, provider: Scripted):
    invented = {**TOUCH, "part_a": "head", "side_a": "none", "part_b": "head"}

    def say(question: Question) -> str:
        if question.sample == 1:
            return "I'm sorry, but I can't help with identifying people in this image."
        if question.sample == 2:
            return "They hug."
        return as_asked(question, *([TOUCH, invented] if question.sample == 3 else [TOUCH]))

    provider.say = say
    assert ask("--pair", "2,0", "--samples", "6", "--yes").exit_code == 1
    statuses = [answer["status"] for answer in answers()["pairs"][0]["answers"]]
    assert statuses == ["answered", "refused", "unparsable", "answered", "answered", "answered"]
    (contact,) = contacts()[0].contacts.contacts
    assert (contact.name, contact.weight) == ("left hand - back", pytest.approx(0.75))
    votes = trust()["votes"]
    assert (votes["asked"], votes["missing"]) == (4, 2)
    (removed,) = trust()["removed"]
    assert removed["contact"]["a"]["part"] == "head"
    assert "1 of 4 answers" in removed["why"]


def test_two_models_are_asked_as_often_each_and_pooled(run, hugs: Path, provider: Scripted):
    other = "http://127.0.0.1:9/v1#other"
    says = {MODEL: TOUCH, other: {**TOUCH, "part_b": "shoulder back", "side_b": "left"}}
    provider.say = lambda question: as_asked(question, says[question.model])
    arguments = ("ask", "hugs/a.png", "--keypoints", "points", "--pair", "2,0", "--samples", "2", "--sides", "answer")
    assert run(*arguments, "--model", MODEL, "--model", other, "--model", MODEL).exit_code == 0
    assert [question.model for question in provider.questions] == [MODEL] * 2 + [other] * 2
    assert answers()["models"] == [MODEL, other]
    assert {contact.source for contact in contacts()[0].contacts.contacts} == {f"{MODEL} + {other}"}
    assert {tuple(one["models"]) for one in trust()["votes"]["contacts"]} == {(MODEL,), (other,)}
    run(*arguments, "--model", MODEL)
    assert len(provider.questions) == 4


def test_a_wrong_side_is_mended_by_keypoints_and_the_reason_is_written(ask, provider: Scripted, hugs: Path):
    provider.say = reply("contact", {**TOUCH, "side_a": "right"})
    assert ask("--pair", "2,0").exit_code == 0
    assert [contact.name for contact in contacts()[0].contacts.contacts] == ["left hand - back"]
    (decision,) = trust()["sides"]["decisions"]
    assert (decision["answered"]["a"]["side"], decision["choice"][0]["a"]["side"]) == ("right", "left")
    assert decision["changed"] is True
    distances = {one["sides"][0][0]: one["distance_torsos"] for one in decision["candidates"]}
    assert distances["right"] - distances["left"] > 0.1
    assert answers()["pairs"][0]["answers"][0]["said"]["contacts"][0]["side_a"] == "right"
    ask("--pair", "2,0", "--sides", "answer")
    assert [contact.name for contact in contacts()[0].contacts.contacts] == ["right hand - back"]
    assert trust()["sides"] is None
    assert len(provider.questions) == 1


def test_replay_computes_votes_and_sides_again(ask, provider: Scripted, monkeypatch: pytest.MonkeyPatch):
    provider.say = lambda question: as_asked(question, {**TOUCH, "side_a": "right"})
    ask("--pair", "2,0", "--samples", "3")
    before = Path("apu_answers/a_contacts.json").read_bytes()
    monkeypatch.setattr(ask_run, "provider_of", None)
    assert ask("--pair", "2,0", "--samples", "3", "--sides", "answer", "--replay").exit_code == 0
    assert Path("apu_answers/a_contacts.json").read_bytes() != before
    assert ask("--pair", "2,0", "--samples", "3", "--replay").exit_code == 0
    assert Path("apu_answers/a_contacts.json").read_bytes() == before
    assert len(provider.questions) == 3


def test_the_pictures_that_were_sent_can_be_saved(ask, provider: Scripted):
    ask("--save-images", "--samples", "4", "--pair", "2,0")
    (entry,) = answers()["pairs"]
    assert entry["images"] == [f"a_pair_2_0{view}.jpg" for view in ("", "_swapped", "_mirrored")]
    saved = [Path("apu_answers", image).read_bytes() for image in entry["images"]]
    assert set(saved) == {question.image.data for question in provider.questions}
    assert hashlib.sha256(saved[0]).hexdigest() == entry["answers"][0]["image_sha256"]


def test_the_options_of_picture_and_examples_reach_the_question(ask, provider: Scripted):
    ask("--no-marks", "--no-blur", "--long-side", "800", "--examples", "4", "--temperature", "0.5")
    (question,) = provider.questions
    assert len(question.examples) == 4
    assert question.parameters["temperature"] == 0.5
    with Image.open(Path(_saved(question))) as picture:
        assert max(picture.size) == 800


def _saved(question: Question) -> str:
    Path("sent.jpg").write_bytes(question.image.data)
    return "sent.jpg"


# ---- failures


def test_a_photo_that_fails_does_not_stop_the_others(ask, hugs: Path):
    (hugs / "b.png").write_text("no photo")
    result = ask(photos="hugs")
    assert result.exit_code == 1
    assert "b: Error:" in result.stderr
    assert {file.name for file in Path("apu_answers").glob("*_contacts.json")} == {"a_contacts.json", "c_contacts.json"}


def test_the_only_photo_that_fails_ends_the_command_with_its_error(ask):
    result = ask(photos="none.png")
    assert result.exit_code == 2
    for field in ("where", "expected", "got", "remedy"):
        assert f"\n  {field} " in result.stderr


def test_a_dead_line_is_a_failure_and_the_next_run_asks_again(ask, provider: Scripted):
    good, provider.say = provider.say, ProviderError("The line is dead.", kind="rejected", got="HTTP 400")
    assert ask().exit_code == 1
    assert answers()["pairs"][0]["answers"][0]["status"] == "failed"
    provider.say = good
    assert ask().exit_code == 0


def test_a_wrong_key_ends_the_run_at_once(ask, provider: Scripted):
    provider.say = ProviderError("The key is wrong.", kind="key", got="HTTP 401", stops_run=True, remedy="mend it.")
    result = ask("--concurrency", "1", photos="hugs")
    assert result.exit_code != 0
    assert "The key is wrong." in result.stderr
    assert len(provider.questions) == 1


def test_the_budget_stops_the_run_and_what_was_answered_is_written(ask, provider: Scripted, monkeypatch):
    monkeypatch.setattr(lvlm, "price", lambda name, usage: 0.4)
    monkeypatch.setattr(lvlm, "most_of", lambda question, name, earlier: 0.4)
    result = ask("--budget", "1.0", "--concurrency", "1", photos="hugs")
    assert result.exit_code == 1
    assert len(provider.questions) == 2
    assert "Stopped: the budget" in result.stderr
    assert len(list(Path("apu_answers").glob("*_contacts.json"))) == 2
    assert answers("c")["pairs"][0]["answers"][0]["status"] == "not asked"


def test_an_interrupted_run_keeps_what_was_answered_and_goes_on(ask, provider: Scripted):
    good = str(provider.say)

    def say(question: Question) -> str:
        if len(provider.questions) == 2:
            raise KeyboardInterrupt
        return good

    provider.say = say
    result = ask("--concurrency", "1", photos="hugs")
    assert result.exit_code == 130
    assert "1 of 3 answers are kept" in result.stderr
    provider.say = good
    assert ask("--concurrency", "1", photos="hugs").exit_code == 0
    assert len(provider.questions) == 4


def test_a_contact_file_that_was_changed_by_hand_is_not_replaced_nor_is_anything_paid_for(ask, provider: Scripted):
    ask()
    file = Path("apu_answers/a_contacts.json")
    file.write_text(file.read_text().replace("left hand", "my own word"))
    mine = file.read_text()
    result = ask("--samples", "2")
    assert result.exit_code == 2
    assert "--out" in result.stderr
    assert file.read_text() == mine
    assert len(provider.questions) == 1


def test_a_refusal_cannot_steer_the_terminal(ask, provider: Scripted):
    provider.say = ProviderError("Bad\x1b[2J", kind="rejected", got="HTTP 400 \x1b[31m")
    result = ask()
    assert "\x1b[2J" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    ("arguments", "mentioned"),
    [
        (("--pair", "0,1", "--all-pairs"), "--all-pairs"),
        (("--replay", "--batch", "submit"), "--batch"),
        (("--long-side", "100"), "768"),
        (("--examples", "3"), "'4'"),
        (("--budget", "0"), "--budget"),
        (("--pair", "0,9"), "9"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_sent(ask, provider: Scripted, arguments, mentioned: str):
    result = ask(*arguments)
    assert result.exit_code == 2
    assert mentioned in result.stderr
    assert provider.questions == []


@pytest.mark.parametrize(
    ("model", "mentioned"),
    [
        ("gpt", "openai:NAME"),
        ("http://example.org/v1#m", "--allow-http"),
        ("https://me:secret@example.org/v1#m", "APU_LVLM_API_KEY"),
    ],
)
def test_a_wrong_model_is_refused_with_what_would_be_right(run, hugs: Path, model: str, mentioned: str):
    for command in (("ask", "--model"), ("fit", "--annotator")):
        result = run(command[0], "hugs/a.png", command[1], model, "--keypoints", "points")
        assert result.exit_code == 2, result.output
        assert mentioned in result.stderr
        assert "secret" not in result.output


# ---- large runs, replay


def test_a_large_run_is_shown_and_not_begun_when_nobody_can_say_yes(ask, provider: Scripted):
    result = ask("--samples", "40", photos="hugs")
    assert result.exit_code == 2
    assert "120 requests" in result.stderr
    assert "--yes" in result.stderr
    assert provider.questions == []


def test_with_yes_a_large_run_goes_on(ask, provider: Scripted):
    result = ask("--samples", "40", "--yes", photos="hugs")
    assert result.exit_code == 0, result.output
    assert "120 requests" in result.stderr
    assert len(provider.questions) == 120


def test_what_is_answered_already_does_not_count_for_a_large_run(ask, provider: Scripted):
    ask("--samples", "40", "--yes", photos="hugs")
    assert ask("--samples", "41", photos="hugs").exit_code == 0
    assert len(provider.questions) == 123


def test_replay_sends_nothing_and_needs_no_key(ask, run, provider: Scripted, monkeypatch: pytest.MonkeyPatch):
    ask(photos="hugs")
    before = contacts("c")
    Path("apu_answers/c_contacts.json").unlink()

    def no_network(name):
        raise AssertionError("a provider was made")

    monkeypatch.setattr(ask_run, "provider_of", no_network)
    result = ask("--replay", photos="hugs")
    assert result.exit_code == 0, result.output
    assert len(provider.questions) == 3
    assert contacts("c") == before
    result = ask("--replay", "--examples", "0")
    assert result.exit_code == 1
    assert answers()["pairs"][0]["answers"][0]["status"] == "not asked"


# ---- apu fit --annotator


def test_a_fit_gets_the_annotator_that_was_named_and_records_it(run, stub, hugs: Path, provider: Scripted):
    assert run("fit", "hugs/a.png", "--annotator", MODEL, "--out", "out").exit_code == 0
    (annotator,) = stub.annotators
    assert isinstance(annotator, LvlmAnnotator)
    assert annotator.name == MODEL
    assert json.loads(Path("out/run.json").read_text())["options"]["annotator"] == MODEL


def test_without_one_no_annotator_is_made(run, stub, hugs: Path):
    run("fit", "hugs/a.png", "--out", "out")
    assert stub.annotators == [None]


def test_all_photos_of_a_fit_share_one_annotator_and_so_one_budget(run, stub, hugs: Path, provider: Scripted):
    run("fit", "hugs", "--annotator", MODEL, "--budget", "1")
    assert len(stub.annotators) == 3
    assert len({id(annotator) for annotator in stub.annotators}) == 1


def test_another_annotator_is_another_request_and_resume_fits_again(run, stub, hugs: Path, provider: Scripted):
    run("fit", "hugs", "--annotator", MODEL)
    run("fit", "hugs", "--annotator", MODEL, "--resume")
    assert len(stub.calls) == 3
    run("fit", "hugs", "--annotator", "http://127.0.0.1:9/v1#other", "--resume")
    assert len(stub.calls) == 6
    run("fit", "hugs", "--resume")
    assert len(stub.calls) == 9


@pytest.mark.parametrize(("status", "calls"), [("failed", 2), ("not asked", 2), ("refused", 1), ("answered", 1)])
def test_resume_asks_again_where_an_answer_may_still_come(
    run, stub, hugs: Path, provider: Scripted, status: str, calls: int
):
    run("fit", "hugs/a.png", "--annotator", MODEL, "--out", "out")
    file = Path("out/run.json")
    record = json.loads(file.read_text())
    record["pairs"][0]["answer"] = {"status": status}
    file.write_text(json.dumps(record))
    run("fit", "hugs/a.png", "--annotator", MODEL, "--out", "out", "--resume")
    assert len(stub.calls) == calls


def test_an_error_that_stops_the_run_stops_the_batch(run, stub, hugs: Path, provider: Scripted):
    stub.bad["b"] = ProviderError("The key is wrong.", kind="key", got="HTTP 401", stops_run=True)
    result = run("fit", "hugs", "--annotator", MODEL)
    assert result.exit_code != 0
    assert [photo.stem for photo, _ in stub.calls] == ["a", "b"]
    assert "--resume" in result.stderr


def test_a_fit_of_many_photos_asks_before_it_asks(run, stub, tmp_path: Path, provider: Scripted):
    (tmp_path / "many").mkdir()
    for number in range(101):
        (tmp_path / "many" / f"{number}.png").write_text(str(number))
    result = run("fit", "many", "--annotator", MODEL)
    assert result.exit_code == 2
    assert "101 photos" in result.stderr
    assert stub.calls == []


def test_a_key_that_is_missing_is_told_before_the_work(run, stub, hugs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = run("fit", "hugs/a.png", "--annotator", "openai:some-model")
    assert result.exit_code == 2
    assert "OPENAI_API_KEY" in result.stderr
    assert stub.calls == []


# ---- with a real server


def test_the_whole_way_with_a_real_server_and_again_from_the_store(run, hugs: Path, local_lvlm: str):
    arguments = ("ask", "hugs", "--keypoints", "points", "--model", local_lvlm)
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    said = {name: answers(name) for name in "abc"}
    statuses = [one["status"] for record in said.values() for pair in record["pairs"] for one in pair["answers"]]
    assert statuses == ["answered"] * 3
    assert "Asked now: 3; from the store: 0." in result.stdout
    again = run(*arguments, "--replay")
    assert again.exit_code == 0
    assert {name: answers(name) for name in "abc"} == said


# ---- the page


PAGE = Path(__file__).parents[2] / "docs" / "cookbook" / "annotate.md"


def commands() -> list[str]:
    blocks = re.findall(r"```\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.startswith("apu ")]


@pytest.mark.parametrize("command", [line for line in commands() if "batch" not in line])
def test_a_command_of_the_page_runs(run, stub, hugs: Path, provider: Scripted, command: str):
    hugs.rename("photos")
    Path("photo.jpg").write_bytes(Path("photos/a.png").read_bytes())
    people = Path("points/a.json").read_text()
    arguments = shlex.split(command.replace("openai:MODEL", "openai:gpt-5.4-mini"))[1:]
    if arguments[0] == "ask":  # a grey photo has nobody whom the detector could find
        for name in ("photo", "a", "b", "c"):
            Path(f"points/{name}.json").write_text(people)
        arguments += ["--keypoints", "points"]
    if "--replay" in arguments:
        run(*[word for word in arguments if word != "--replay"])
    assert run(*arguments).exit_code == 0
    assert provider.questions or stub.calls


def test_every_option_that_the_page_names_exists(run):
    named = set(re.findall(r"--[a-z]+(?:-[a-z]+)*", PAGE.read_text(encoding="utf-8")))
    of_the_server = {"--model-dir", "--port", "--mmproj", "--threads", "--context"}
    shown = run("ask", "--help").output + run("fit", "--help").output
    assert {option for option in named - of_the_server if option not in shown} == set()


def test_the_page_describes_every_field_of_the_answers(ask):
    ask()
    table = PAGE.read_text(encoding="utf-8").split("`NAME_answers.json`:")[1].split("\n\n`status`")[0]
    written = set(re.findall(r"^\| `([\w.\[\]]+)` \|", table, re.MULTILINE))
    record = answers()
    (pair,) = record["pairs"]
    told = {*record} - {"pairs"} | {f"pairs[].{name}" for name in pair if name != "answers"} | {"pairs[].answers[]"}
    assert not isinstance(pair["answers"][0].get("trust"), dict)
    own = {*pair["answers"][0]} - {field.name for field in fields(AnswerRecord)}
    assert written == told | {f"pairs[].answers[].{name}" for name in own}


def test_the_page_on_contact_files_describes_every_field_of_trust(ask, provider: Scripted):
    """Fields of fields that are told in words, such as a contact's, are left out."""
    provider.say = lambda question: as_asked(question, {**TOUCH, "side_a": "right"})
    ask("--pair", "2,0", "--samples", "5")
    text = (PAGE.parents[1] / "contact_files.md").read_text(encoding="utf-8")
    table = text.split("<!-- trust -->")[1].split("<!-- end of trust -->")[0]
    written = {name for line in table.splitlines() for name in re.findall(r"`([\w.\[\]-]+)`", line)}

    def names(value: object, path: str = ""):
        if isinstance(value, list):
            yield from (name for one in value for name in names(one, f"{path}[]"))
        if isinstance(value, dict):
            for key, inner in value.items():
                here = f"{path}.{key}".removeprefix(".")
                yield here
                if key not in ("contact", "answered", "choice"):
                    yield from names(inner, here)

    def told(name: str) -> bool:
        return not written.isdisjoint({name, f"{name}[]", name.rpartition(".")[2]}) or f"`{name}[]." in table

    found = set(names(trust()))
    assert len(found) > 35
    assert {name for name in found if not told(name)} == set()


# ---- batches


class StubBatches(Batches):
    """Remembers what was handed in; knows nothing of a provider."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def submit(self, questions, *, budget_usd, most) -> Submitted:
        self.keys = [question.key for question in questions]
        return Submitted(1, len(self.keys), 0, 1 if budget_usd else 0)

    def collect(self) -> Collected:
        return Collected(1, {"answered": 2}, (), ("batch_1: in progress",))


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> StubBatches:
    made = StubBatches()
    monkeypatch.setattr(ask_run, "batches_of", lambda model, name, store: made)
    return made


def test_what_is_not_answered_is_handed_in_as_a_batch(ask, provider: Scripted, batches: StubBatches):
    ask("--pair", "0,1")
    result = ask("--all-pairs", "--batch", "submit")
    assert len(batches.keys) == 2
    assert provider.questions[0].key not in batches.keys
    assert "2 questions in 1 batches" in result.stdout
    assert len(provider.questions) == 1


def test_what_the_budget_leaves_out_of_a_batch_is_told(ask, provider: Scripted, batches: StubBatches):
    result = ask("--batch", "submit", "--budget", "1")
    assert result.exit_code == 1
    assert "1 questions were not handed in" in result.stderr


def test_collecting_tells_what_has_come(ask, provider: Scripted, batches: StubBatches):
    result = ask("--batch", "collect")
    assert "Fetched: 2 answered. Batches still at work: 1." in result.stdout
    assert "batch_1: in progress" in result.stdout


class AnsweringBatches(BatchServer):
    """OpenAI's files and batches on this machine; every question gets the same answer."""

    def line(self, asked: dict) -> dict:
        body = response(reply("contact", TOUCH))
        return {
            "id": "r",
            "custom_id": asked["custom_id"],
            "error": None,
            "response": {"status_code": 200, "body": body},
        }


@pytest.fixture
def ask_openai(run, hugs: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `apu ask hugs/a.png` for a model of OpenAI, whose batches a server on this machine takes."""
    made = partial(PydanticAiBatches, environment={"OPENAI_API_KEY": "none"})
    with AnsweringBatches() as server:
        monkeypatch.setattr(pydantic_ai_batch, "PydanticAiBatches", partial(made, base_url=server.url))
        model = "openai:gpt-5.4-mini"
        fixed = ("ask", "hugs/a.png", "--model", model, "--keypoints", "points", "--pair", "2,0", "--samples", "2")
        yield lambda *arguments: run(*fixed, *arguments), server


def test_a_batch_is_handed_in_and_fetched_by_two_commands(ask_openai):
    ask, server = ask_openai
    result = ask("--batch", "submit", "--budget", "5")
    assert result.exit_code == 0, result.output
    assert "2 questions in 1 batches" in result.stdout
    assert ask("--batch", "collect").exit_code == 0
    assert {answer["status"] for answer in answers()["pairs"][0]["answers"]} == {"pending"}
    assert not Path("apu_answers/a_contacts.json").exists()
    server.ended = True
    result = ask("--batch", "collect")
    assert result.exit_code == 0
    assert "Fetched: 2 answered" in result.stdout
    assert contacts()[0].people == (2, 0)
    assert [len(batch) for batch in server.batches] == [2]
    assert ask("--replay").exit_code == 0


def test_a_batch_that_may_be_lost_is_forgotten_only_on_the_users_word(ask_openai):
    ask, server = ask_openai
    server.create_status = 500
    assert ask("--batch", "submit").exit_code != 0
    server.create_status = 200
    result = ask("--batch", "collect")
    assert "--batch forget" in result.stderr
    result = ask("--batch", "submit")
    assert "Handed in: 0 questions" in result.stdout
    result = ask("--batch", "forget")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert "2 questions to openai:gpt-5.4-mini" in result.stdout
    assert ask("--batch", "submit").stdout.startswith("Handed in: 0 questions")
    assert ask("--batch", "forget", "--yes").exit_code == 0
    assert "No batch" in ask("--batch", "forget").stdout
    assert "2 questions in 1 batches" in ask("--batch", "submit").stdout


def test_a_server_of_ones_own_has_no_batches(ask, provider: Scripted):
    result = ask("--batch", "submit")
    assert result.exit_code == 2
    assert "without --batch" in result.stderr


def test_a_fit_pays_for_nothing_that_was_asked_before(ask, provider: Scripted, hugs: Path):
    ask("--store", "one.sqlite", "--pair", "0,1")
    photo = read_photo(hugs / "a.png")
    people = perceive(photo, FitOptions(keypoints=(Path("points/a.json"),)))
    observation = PairObservation(photo.name, Camera.of_image(400, 300), (people[0], people[1]))
    (said,) = lvlm.lvlm_annotator(MODEL, store=Path("one.sqlite")).describe(photo, people, [observation])
    assert said.contacts is not None
    assert len(provider.questions) == 1
