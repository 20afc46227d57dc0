"""From a pair in a photo to the question that a language model gets."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from apu.ask.answer import PairAnswer
from apu.ask.in_context import in_context_examples
from apu.ask.pair_image import PairImage, PairImageOptions, pair_image
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
    """

    key: str
    model: str
    prompt_version: str
    image_sha256: str

    @staticmethod
    def of(question: Question) -> "Label":
        """The label of a question."""
        return Label(question.key, question.model, question.prompt_version, question.image.sha256)


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
        sample: number of the repetition.

    Raises:
        InputError: somebody of the pair cannot be cut out, or an option is wrong.
    """
    picture = pair_image(photo, people, pair, options.picture)
    prompt = load_prompt(options.prompt_version)
    question = Question(
        image=picture.encoded,
        system=prompt.system,
        text=prompt.question(picture),
        examples=_examples(options.examples, prompt),
        schema=PairAnswer.json_schema(),
        model=model,
        parameters=options.parameters,
        sample=sample,
        prompt_version=prompt.version,
    )
    return question, picture


def _examples(count: int, prompt: Prompt) -> tuple[Example, ...]:
    """The first in-context examples; their pictures are always marked."""
    text = dict(prompt.texts)["question"].strip()
    return tuple(Example(one.image, text, one.reply) for one in in_context_examples(count))
