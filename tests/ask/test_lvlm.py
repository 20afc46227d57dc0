"""A language model as an annotator: what it says is used, what it does not say is never taken for `no contact`."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from stick_people import stick

from apu.ask import lvlm
from apu.ask.annotator import Annotator
from apu.ask.lvlm import BudgetError, LvlmAnnotator
from apu.ask.model_name import parse_model_name
from apu.ask.pair_question import AskOptions, Label, pair_question
from apu.ask.provider import EarlierReply, ProviderError, Reply, Usage
from apu.ask.question import Question
from apu.ask.replay import replayed
from apu.ask.run_limits import RunLimits
from apu.ask.store import Store
from apu.contact.contact import ContactMap
from apu.contact.parts import part_regions
from apu.errors import InputError
from apu.pipeline import FitOptions, PhotoResult, fit
from apu.scene.camera import Camera
from apu.scene.estimate import Estimate
from apu.scene.pair import NO_WORDS, PairObservation
from apu.scene.person import Keypoints, Person
from apu.scene.photo import Photo
from apu.show import result_folder
from apu.show.files import save_run
from apu.show.report import RunInfo

MODEL = "http://127.0.0.1:9/v1#fake"
PHOTO = Photo(np.full((300, 400, 3), 90, np.uint8), "hug", "0" * 64)

TOUCH = {
    "evidence": "the hand lies on the back",
    "part_a": "hand",
    "side_a": "left",
    "part_b": "back",
    "side_b": "none",
    "visibility": "visible",
    "confidence": "high",
}


def reply(decision: str = "contact", *contacts: dict) -> str:
    return json.dumps(
        {
            "scene": "two people",
            "person_a": {"age_group": "adult", "posture": "standing"},
            "person_b": {"age_group": "child", "posture": "sitting"},
            "contacts": list(contacts),
            "decision": decision,
        }
    )


class Scripted:
    """A provider that says what it is told to, and counts."""

    name = "scripted"

    def __init__(self, say: str | Exception | Callable[[Question], str]) -> None:
        self.say = say
        self.questions: list[Question] = []

    async def ask(self, question: Question, *, timeout_s: float, earlier: EarlierReply | None = None) -> Reply:
        self.questions.append(question)
        if isinstance(self.say, Exception):
            raise self.say
        return Reply(self.say if isinstance(self.say, str) else self.say(question), "fake-1", Usage(100, 20))

    async def close(self) -> None:
        pass


def person(index: int, left: float) -> Person:
    xy = stick().places * 0.5 + np.array([left, 150.0])
    return Person(index, Keypoints("body25", xy, np.full(25, 0.9)), 0.9, "made up")


PEOPLE = (person(0, 100), person(1, 140), person(2, 300))


def observation(a: int = 0, b: int = 1) -> PairObservation:
    return PairObservation("hug", Camera.of_image(400, 300), (PEOPLE[a], PEOPLE[b]))


@pytest.fixture
def store(tmp_path: Path):
    with Store(tmp_path / "answers.sqlite") as opened:
        yield opened


def annotator(provider: Scripted, store: Store, samples: int = 1, **limits) -> LvlmAnnotator:
    return LvlmAnnotator(MODEL, parse_model_name(MODEL), provider, store, limits=RunLimits(**limits), samples=samples)


def test_it_is_an_annotator_and_its_name_is_the_users_word_for_the_model(store: Store):
    made = annotator(Scripted(reply()), store)
    assert isinstance(made, Annotator)
    assert made.name == MODEL


def test_an_answer_becomes_contacts_words_and_a_record(store: Store):
    (said,) = annotator(Scripted(reply("contact", TOUCH)), store).describe(PHOTO, PEOPLE, [observation()])
    assert said.contacts is not None
    (contact,) = said.contacts.contacts
    assert contact.regions_a == part_regions("hand", "left")
    assert contact.regions_b == part_regions("back", "none")
    assert 0 < contact.weight < 1
    assert contact.source == said.contacts.source == MODEL
    assert said.words.ages == ("adult", "child")
    assert said.words.postures == ("standing", "sitting")
    assert said.answer is not None
    assert (said.answer.status, said.answer.model_answered, said.answer.attempts) == ("answered", "fake-1", 1)
    assert said.answer.reply == reply("contact", TOUCH)
    assert said.note == ""


def test_several_answers_are_asked_for_in_different_forms_and_vote(store: Store):
    replies = iter([reply("contact", TOUCH), reply("no contact"), reply("contact", TOUCH), reply("no contact")])
    provider = Scripted(lambda _: next(replies))
    made = annotator(provider, store, samples=4, concurrency=1)
    (said,) = made.describe(PHOTO, PEOPLE, [observation()])
    assert len({question.key for question in provider.questions}) == 4
    assert said.answer is not None
    assert said.answer.trust is not None
    assert said.answer.trust["answers"] == 4
    # The third question is mirrored, so its answer names the other hand: the sides of two votes are not of one mind.
    (row,) = [one for one in said.answer.trust["votes"]["contacts"] if one["votes"] == 2]
    assert row["share"] == pytest.approx(0.5)
    made.describe(PHOTO, PEOPLE, [observation()])
    assert len(provider.questions) == 4, "stored answers are not asked for again"


def test_every_pair_gets_its_own_answers(store: Store):
    provider = Scripted(lambda question: reply("contact", TOUCH))
    both = annotator(provider, store, samples=2).describe(PHOTO, PEOPLE, [observation(0, 1), observation(0, 2)])
    assert len(provider.questions) == 4
    assert [one.answer.trust["answers"] for one in both if one.answer and one.answer.trust] == [2, 2]


def test_no_contact_is_an_answer_and_cannot_tell_is_none(store: Store):
    (none,) = annotator(Scripted(reply("no contact")), store).describe(PHOTO, PEOPLE, [observation(0, 1)])
    assert none.contacts == ContactMap((), MODEL)
    (unsure,) = annotator(Scripted(reply("cannot tell")), store).describe(PHOTO, PEOPLE, [observation(0, 2)])
    assert unsure.contacts is None
    assert unsure.words.ages == ("adult", "child")
    assert "cannot tell" in unsure.note


@pytest.mark.parametrize(
    ("say", "status"),
    [
        ("I'm sorry, but I can't help with identifying people in this image.", "refused"),
        ("There is a hug.", "unparsable"),
        (ProviderError("The line is dead.", kind="rejected", got="HTTP 400"), "failed"),
    ],
)
def test_what_is_no_answer_leaves_the_contacts_open_and_says_why(say, status: str, store: Store):
    (said,) = annotator(Scripted(say), store).describe(PHOTO, PEOPLE, [observation()])
    assert said.contacts is None
    assert said.words == NO_WORDS
    assert said.answer is not None
    assert said.answer.status == status
    assert said.note.startswith(f"pair 0,1: no contacts from {MODEL}, because ")
    assert "\n" not in said.note


def test_the_first_fit_changes_nothing_so_proximity_is_left_to_guess(store: Store):
    estimate = Estimate(torch.zeros(2, 4, 3), torch.zeros(2, 25, 3), {}, "made up")
    assert annotator(Scripted(reply()), store).annotate(PHOTO, observation(), estimate) is None


def test_the_same_pair_is_paid_for_once_and_another_is_asked_about(store: Store):
    provider = Scripted(reply("contact", TOUCH))
    first = annotator(provider, store).describe(PHOTO, PEOPLE, [observation(0, 1)])
    again = annotator(provider, store).describe(PHOTO, PEOPLE, [observation(0, 1)])
    assert len(provider.questions) == 1
    assert again == first
    annotator(provider, store).describe(PHOTO, PEOPLE, [observation(1, 0), observation(0, 2)])
    assert len({question.key for question in provider.questions}) == 3


def test_a_failed_question_is_asked_again_in_the_next_run(store: Store):
    dead = Scripted(ProviderError("The line is dead.", kind="rejected", got="HTTP 400"))
    annotator(dead, store).describe(PHOTO, PEOPLE, [observation()])
    (said,) = annotator(Scripted(reply("contact", TOUCH)), store).describe(PHOTO, PEOPLE, [observation()])
    assert said.contacts is not None
    assert said.answer is not None
    assert said.answer.attempts == 2


def test_what_cannot_be_understood_is_asked_for_once_more(store: Store):
    provider = Scripted("There is a hug.")
    annotator(provider, store).describe(PHOTO, PEOPLE, [observation()])
    assert len(provider.questions) == 2


def test_the_budget_is_that_of_all_photos_together(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lvlm, "price", lambda name, usage: 0.4)
    monkeypatch.setattr(lvlm, "most_of", lambda question, name, earlier: 0.4)
    provider = Scripted(reply("contact", TOUCH))
    made = annotator(provider, store, budget_usd=1.0)
    made.describe(PHOTO, PEOPLE, [observation(0, 1)])
    made.describe(PHOTO, PEOPLE, [observation(0, 2)])
    with pytest.raises(BudgetError) as caught:
        made.describe(PHOTO, PEOPLE, [observation(1, 2)])
    assert caught.value.stops_run
    assert caught.value.remedy
    assert len(provider.questions) == 2
    made.describe(PHOTO, PEOPLE, [observation(0, 2)])  # what was paid for is still given


def test_a_wrong_key_stops_everything(store: Store):
    wrong = Scripted(ProviderError("The key is wrong.", kind="key", got="HTTP 401", stops_run=True))
    with pytest.raises(ProviderError) as caught:
        annotator(wrong, store).describe(PHOTO, PEOPLE, [observation(0, 1), observation(0, 2), observation(1, 2)])
    assert caught.value.stops_run


def test_a_fit_whose_model_refuses_falls_back_to_proximity_and_says_so(photos: Path, store: Store, tmp_path: Path):
    refusing = annotator(Scripted("I'm sorry, but I can't help with identifying people in this image."), store)
    options = FitOptions(keypoints=(photos / "vitpose" / "college_232334_keypoints.json",))
    result = fit(photos / "images" / "college_232334.png", options, annotator=refusing)
    assert result.pairs[0].fit.contacts.source == "proximity"
    assert result.pairs[0].fit.contacts.contacts != ()
    assert [note for note in result.notes if "it refused to answer" in note]
    save_run(tmp_path, result.photo, result.people, [(p.observation, p.fit) for p in result.pairs], run_info(result))
    record = json.loads((tmp_path / "run.json").read_text())
    assert record["pairs"][0]["answer"]["status"] == "refused"
    assert record["pairs"][0]["fit"]["contact_source"] == "proximity"
    assert "the language model gave no answer" in run_info(result).contacts_note


def run_info(result: PhotoResult) -> RunInfo:
    return result_folder._run_info(result, FitOptions())


# ---- the question


def test_a_question_is_the_same_every_time_and_changes_with_all_that_matters():
    def key(pair=(0, 1), model=MODEL, sample=0, **options) -> str:
        question, _ = pair_question(PHOTO, PEOPLE, pair, model, AskOptions(**options), sample)
        return question.key

    keys = [
        key(),
        key((1, 0)),
        key(model="http://127.0.0.1:9/v1#other"),
        key(sample=1),
        key(examples=0),
        key(examples=4),
        key(temperature=0.0),
        key(max_tokens=100),
        key(picture=replace(AskOptions().picture, mark=False)),
        key(picture=replace(AskOptions().picture, long_side=1024)),
    ]
    assert key() == keys[0]
    assert len(set(keys)) == len(keys)


def test_a_temperature_is_sent_only_when_it_is_asked_for():
    question, picture = pair_question(PHOTO, PEOPLE, (0, 1), MODEL, AskOptions())
    assert set(question.parameters) == {"max_tokens"}
    assert question.image.data == picture.data
    assert [example.text for example in question.examples] == [question.text] * 2
    question, _ = pair_question(PHOTO, PEOPLE, (0, 1), MODEL, AskOptions(temperature=0.0))
    assert question.parameters["temperature"] == 0.0


def test_somebody_without_keypoints_cannot_be_asked_about():
    hidden = Person(1, Keypoints("body25", np.zeros((25, 2)), np.zeros(25)), 0.0, "made up")
    with pytest.raises(InputError):
        pair_question(PHOTO, (PEOPLE[0], hidden), (0, 1), MODEL, AskOptions())


# ---- replay


def test_a_stored_reply_is_understood_again_without_being_asked_for(store: Store):
    provider = Scripted(reply("contact", TOUCH))
    annotator(provider, store).describe(PHOTO, PEOPLE, [observation()])
    key = Label.of(pair_question(PHOTO, PEOPLE, (0, 1), MODEL, AskOptions())[0]).key
    store.reparsed(key, "unparsable", "an older parser did not understand it", ())
    again = replayed(store, key)
    assert again is not None
    assert (again.status, again.problem) == ("answered", None)
    assert len(provider.questions) == 1
    assert replayed(store, "0" * 64) is None
