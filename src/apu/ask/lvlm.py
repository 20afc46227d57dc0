"""A language model as an annotator: it is asked about the picture of each pair, and its answers become contacts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from apu.ask.cost import most_of, price
from apu.ask.heard import heard
from apu.ask.model_name import ModelName, parse_model_name
from apu.ask.pair_question import AskOptions, Label, pair_questions
from apu.ask.parse import parse_reply
from apu.ask.provider import Provider
from apu.ask.run_limits import RunLimits
from apu.ask.runner import Runner
from apu.ask.store import Store
from apu.ask.trust import TrustOptions, trusted
from apu.cache import cache_dir
from apu.contact.contact import ContactMap
from apu.errors import InputError
from apu.scene.annotation import Annotation
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo


class BudgetError(InputError):
    """The budget is used up; nothing more is asked."""

    stops_run = True


class LvlmAnnotator:
    """Asks one model, and remembers every answer.

    Args:
        model: the user's word for it; the source of its contacts.
        name: the same, parsed.
        provider: who asks it.
        store: of questions and answers.
        options: how pairs are asked about.
        limits: how many requests, how fast; `budget_usd` is that of all calls together.
        trust: how answers are judged.
        samples: answers about each pair; each is asked for in another form (`apu.ask.perturbation`), and they vote.
    """

    def __init__(
        self,
        model: str,
        name: ModelName,
        provider: Provider,
        store: Store,
        options: AskOptions | None = None,
        limits: RunLimits | None = None,
        trust: TrustOptions | None = None,
        samples: int = 1,
    ) -> None:
        self.name = model
        self._model, self._provider, self._store = name, provider, store
        self._options, self._limits = options or AskOptions(), limits or RunLimits()
        self._trust, self._samples, self._spent_usd = trust, samples, 0.0

    def describe(
        self, photo: Photo, people: Sequence[Person], observations: Sequence[PairObservation]
    ) -> list[Annotation]:
        """See `Annotator.describe`.

        Raises:
            BudgetError: not all can be asked within the budget.
            ProviderError: no request can be answered, e.g. because of the key.
            InputError: somebody cannot be cut out of the photo.
        """
        asked = [
            list(pair_questions(photo, people, seen.indices, self.name, self._options, self._samples))
            for seen in observations
        ]
        run = self._runner().run([question for questions in asked for question in questions])
        self._spent_usd += run.cost_usd or 0.0
        if run.stopped is not None:
            raise BudgetError(
                "Not every pair could be asked about.",
                where=photo.name,
                expected="a budget that is large enough",
                got=run.stopped,
                remedy="raise --budget; what was answered is kept, and costs nothing again.",
            )
        answers = iter(run.answers)
        return [
            trusted([heard(Label.of(q), seen.indices, next(answers)) for q in questions], seen.people, self._trust)
            for seen, questions in zip(observations, asked, strict=True)
        ]

    def annotate(self, photo: Photo, observation: PairObservation, estimate: Estimate) -> ContactMap | None:
        """See `Annotator.annotate`. A model is asked by the photo alone: where it had no answer, it has none now."""
        return None

    def _runner(self) -> Runner:
        limits = self._limits
        if limits.budget_usd is not None:
            limits = replace(limits, budget_usd=max(0.0, limits.budget_usd - self._spent_usd))
        return runner_of(self._model, self._provider, self._store, limits)


def lvlm_annotator(
    model: str,
    *,
    store: Path | None = None,
    budget_usd: float | None = None,
    allow_http: bool = False,
    options: AskOptions | None = None,
    samples: int = 1,
) -> LvlmAnnotator:
    """The annotator of a model, ready to be asked.

    Args:
        model: e.g. `openai:NAME` or `http://127.0.0.1:8080/v1#NAME`; see `apu.ask.model_name`.
        store: file of questions and answers; `default_store` when left out.
        budget_usd: what all its questions may cost together.
        allow_http: let pictures go to another machine unencrypted.
        options: how pairs are asked about.
        samples: answers about each pair.

    Raises:
        InputError: the name is none, a package or the key is missing, or the file is no store.
        OutputError: the store cannot be written.
    """
    name = parse_model_name(model, allow_http=allow_http)
    provider = provider_of(name)
    limits = RunLimits(budget_usd=budget_usd)
    return LvlmAnnotator(model, name, provider, Store(store or default_store()), options, limits, samples=samples)


def provider_of(name: ModelName) -> Provider:
    """Who asks a model; raises InputError when a package or the key is missing."""
    from apu.ask.pydantic_ai_provider import PydanticAiProvider  # its package is optional

    return PydanticAiProvider(name)


def runner_of(name: ModelName, provider: Provider, store: Store, limits: RunLimits) -> Runner:
    """The runner with our parser and the prices of the model."""
    return Runner(
        provider,
        store,
        parse_reply,
        limits,
        price=lambda question, reply: price(name, reply.usage),
        most=lambda question, earlier: most_of(question, name, earlier=earlier),
    )


def default_store() -> Path:
    """Where answers are kept unless the user says otherwise."""
    return cache_dir() / "answers.sqlite"
