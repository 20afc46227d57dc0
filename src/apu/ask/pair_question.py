"""From a pair in a photo to the question that a language model gets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from apu.ask.answer import PairAnswer
from apu.ask.in_context import in_context_examples
from apu.ask.pair_image import PairImage, PairImageOptions, pair_image
from apu.ask.perturbation import Perturbation, perturbation
from apu.ask.prompt import LATEST, Prompt, load_prompt
from apu.ask.question import Example, Question
from apu.scene.person import Person
from apu.scene.photo import Photo

MAX_TOKENS = 4096
"""Room for a reply: 20 contacts with their evidence have about 2,000; the rest is for models that think aloud."""


@dataclass(frozen=True)
class AskOptions:
    """How a pair is asked about.

    Attributes:
        picture: what is done to the photo.
        examples: how many in-context examples are shown: 0, 2 or 4.
        prompt_version: of the prompt files.
        max_tokens: bound of a reply.
        temperature: sent only when given; many models refuse it.
    """

    picture: PairImageOptions = field(default_factory=PairImageOptions)
    examples: int = 2
    prompt_version: str = LATEST
    max_tokens: int = MAX_TOKENS
    temperature: float | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """What is sent beside texts and images."""
        given = {"max_tokens": self.max_tokens, "temperature": self.temperature}
        return {name: value for name, value in given.items() if value is not None}


@dataclass(frozen=True)
class Label:
    """What tells a question from others, without its images.

    Attributes:
        key: of the question in the store, hexadecimal.
        model: as the user wrote it.
        prompt_version: of the prompt files.
        image_sha256: of the picture, hexadecimal.
        perturbation: how it was asked; `apu.ask.perturbation` reads it.
    """

    key: str
    model: str
    prompt_version: str
    image_sha256: str
    perturbation: str = "plain"

    @staticmethod
    def of(question: Question) -> "Label":
        """The label of a question."""
        return Label(
            question.key, question.model, question.prompt_version, question.image.sha256, question.perturbation
        )


def pair_question(
    photo: Photo, people: Sequence[Person], pair: tuple[int, int], model: str, options: AskOptions, sample: int = 0
) -> tuple[Question, PairImage]:
    """The question about one pair, and the picture that goes with it.

    Args:
        photo: the whole photo.
        people: all that were found in it; those who are not asked about are blurred.
        pair: numbers of A and B.
        model: as the user wrote it.
        options: how to ask.
        sample: number of the answer; `apu.ask.perturbation` says how each one is asked for.

    Raises:
        InputError: somebody of the pair cannot be cut out, or an option is wrong.
    """
    how = _perturbed(options, sample)
    picture = _picture(photo, people, pair, options, how)
    return _question(picture, how, model, options, sample), picture


def pair_questions(
    photo: Photo, people: Sequence[Person], pair: tuple[int, int], model: str, options: AskOptions, samples: int
) -> Iterator[Question]:
    """All questions about one pair; each different picture is made once. See `pair_question`.

    Raises:
        InputError: somebody of the pair cannot be cut out, or an option is wrong; before the first question.
    """
    made: dict[tuple[bool, bool], PairImage] = {}
    for sample in range(samples):
        how = _perturbed(options, sample)
        view = how.swapped, how.mirrored
        if view not in made:
            made[view] = _picture(photo, people, pair, options, how)
        yield _question(made[view], how, model, options, sample)


def _perturbed(options: AskOptions, sample: int) -> Perturbation:
    """How an answer is asked for, on top of what the options do to every picture."""
    how, picture = perturbation(sample), options.picture
    return replace(how, swapped=how.swapped != picture.swapped, mirrored=how.mirrored != picture.mirrored)


def _picture(
    photo: Photo, people: Sequence[Person], pair: tuple[int, int], options: AskOptions, how: Perturbation
) -> PairImage:
    return pair_image(photo, people, pair, replace(options.picture, swapped=how.swapped, mirrored=how.mirrored))


def _question(picture: PairImage, how: Perturbation, model: str, options: AskOptions, sample: int) -> Question:
    prompt = load_prompt(options.prompt_version, how.shuffled)
    return Question(
        image=picture.encoded,
        system=prompt.system,
        text=prompt.question(picture),
        examples=_examples(options.examples, prompt),
        schema=PairAnswer.json_schema(),
        model=model,
        parameters=options.parameters,
        sample=sample,
        perturbation=how.label,
        prompt_version=prompt.version,
    )


def _examples(count: int, prompt: Prompt) -> tuple[Example, ...]:
    """The first in-context examples; their pictures are always marked."""
    text = dict(prompt.texts)["question"].strip()
    return tuple(Example(one.image, text, one.reply) for one in in_context_examples(count))
