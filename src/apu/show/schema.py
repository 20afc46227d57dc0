"""The shape of `run.json`, version 1. `json_schema()` gives it for programs that read the file."""

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

SCHEMA_VERSION = 1


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]
"""A finite number, or null where it could not be computed."""

Box = Annotated[list[Number], Field(min_length=4, max_length=4)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PhotoReport(_Record):
    """The photo and the camera that was assumed for it."""

    name: str = Field(description="File name without its ending.")
    sha256: str = Field(description="Of the file's bytes, hexadecimal.")
    width: int = Field(description="Pixels, upright.")
    height: int = Field(description="Pixels, upright.")
    focal_px: Number = Field(description="Focal length that was used, pixels.")
    focal_source: str = Field(description="Where the focal length comes from, e.g. `exif` or `assumed field of view`.")


class PeopleReport(_Record):
    """Everybody who was found in the photo, chosen or not."""

    count: int = Field(description="How many.")
    boxes: list[Box] = Field(description="Keypoint box of each, x0, y0, x1, y1 in pixels; the place is the number.")


class PersonReport(_Record):
    """One of the two people of a pair, as fitted."""

    index: int = Field(description="Number in the photo, from 0, as drawn on the panel.")
    box: Box = Field(description="Keypoint box x0, y0, x1, y1, pixels.")
    height_m: Number = Field(description="Standing height of the body, metres.")
    age: Number = Field(description="The body model's age attribute in (0, 1); null where the model has none.")
    age_group: Literal["adult", "child", "unknown"] = Field(
        description="`child` where the age attribute is below 0.5 (about 12 years), else `adult`."
    )
    root_depth_m: Number = Field(description="Distance of the middle of the hips along the camera's axis, metres.")
    knee_angles_deg: Pair = Field(description="Flexion of the left and the right knee, degrees; 0 is straight.")


class DistanceReport(_Record):
    """Region distance of a contact."""

    before: Number = Field(description="After the first fit, before any contact was used, metres.")
    after: Number = Field(description="In the result, metres.")


class ContactReport(_Record):
    """One contact and how it came out."""

    regions_a: list[str] = Field(description="Regions of A; some place of them touches. `apu regions` lists the names.")
    regions_b: list[str] = Field(description="Regions of B.")
    label: str = Field(description="Readable name.")
    weight: Number = Field(description="Trust in (0, 1].")
    source: str = Field(description="Who says so.")
    trust: Number = Field(
        description="Share of the weight that the fit left it; 0: the photo speaks against it, unused."
    )
    distance_m: DistanceReport = Field(description="How far apart the regions are.")


class RuleReport(_Record):
    """One rule of the verdict."""

    name: str = Field(description="What is judged.")
    value: Number = Field(description="Of the fit.")
    limit: Number = Field(description="What the value is compared with.")
    unit: str = Field(description="Of both; empty for a pure number.")
    sense: Literal["at most", "at least"] = Field(description="How the value must stand to the limit.")
    holds: bool = Field(description="Whether it does.")
    detail: str = Field(default="", description="What made the value, in words; mostly empty.")


class VerdictReport(_Record):
    """Whether the fit can be trusted."""

    accepted: bool = Field(description="Whether every rule holds.")
    rules: list[RuleReport] = Field(
        description="All rules; limits are hand-set but that of the chance of an accurate fit."
    )


class FitReport(_Record):
    """How well the pair came out, and how it was computed."""

    reprojection_percent: Pair = Field(
        description="Mean keypoint error of A and B, percent of the keypoint box's diagonal."
    )
    contacts: list[ContactReport] = Field(description="Empty where no contact is known.")
    contact_source: str = Field(description="Who made the contact map.")
    penetration_max_m: Number = Field(description="Deepest point of either body inside the other, metres.")
    penetration_volume_cm3: Number = Field(description="Estimate of the volume that both bodies fill, cm^3.")
    terms: dict[str, dict[str, Number]] = Field(description="Stage -> loss term -> last weighted value.")
    seconds: dict[str, Number] = Field(description="Stage -> wall time.")
    iterations: dict[str, int] = Field(description="Stage -> steps taken.")
    stop: dict[str, str] = Field(description="Stage -> why it ended.")
    hypothesis: dict[str, JsonValue] = Field(description="Which start was chosen, and why.")
    verdict: VerdictReport | None = Field(description="Null where the fit was not judged.")


class WordsReport(_Record):
    """What the annotator said of the two people; a weight on the fit's starts, not a fact."""

    ages: list[Literal["adult", "child", "unknown"]] = Field(description="Of A and B.")
    postures: list[Literal["standing", "sitting", "kneeling", "lying", "other", "unknown"]] = Field(
        description="Of A and B."
    )


class AnswerReport(_Record):
    """A language model's answer about the pair."""

    model: str = Field(description="The model as the user wrote it.")
    model_answered: str = Field(description="As the server names it; empty where it did not say.")
    status: Literal["answered", "unparsable", "refused", "failed", "pending", "not asked"] = Field(
        description="What became of the question; all but `answered` say nothing of contacts."
    )
    reply: str = Field(description="The model's text, unchanged.")
    mends: list[str] = Field(description="What was mended to understand it.")
    problem: str = Field(description="Why there is no answer, else empty.")
    cost_usd: Number = Field(description="Of all requests for it, US dollars; null where no price is known.")
    input_tokens: int | None = Field(description="Of all requests for it; null where the server did not say.")
    output_tokens: int | None = Field(description="The same of the replies.")
    seconds: Number = Field(description="Waited for the last reply.")
    attempts: int = Field(description="Requests that were sent for it, in all runs.")
    prompt_version: str = Field(description="Of the prompt.")
    image_sha256: str = Field(description="Of the picture that was sent; it is in the store.")
    key: str = Field(description="Of the question in the store.")
    perturbation: str = Field(description="How the question differs from the plain one.")
    trust: dict[str, JsonValue] | None = Field(
        description="How the answer became contacts; null where nobody judged it. See below."
    )


class PairReport(_Record):
    """One pair: its people and its fit. The first person is A, the second B."""

    pair: Annotated[list[int], Field(min_length=2, max_length=2)] = Field(description="Numbers of A and B.")
    people: Annotated[list[PersonReport], Field(min_length=2, max_length=2)] = Field(description="A and B.")
    words: WordsReport | None = Field(default=None, description="Null where no annotator said anything of the people.")
    answer: AnswerReport | None = Field(default=None, description="Null where no language model was asked.")
    fit: FitReport = Field(description="Quality and course of the fit.")


class FailureReport(_Record):
    """A pair that could not be fitted."""

    pair: Annotated[list[int], Field(min_length=2, max_length=2)] = Field(description="Numbers of A and B.")
    reason: str = Field(description="What went wrong.")


class RunReport(_Record):
    """`run.json`: what one run saw, did and found."""

    schema_version: Literal[1] = Field(default=SCHEMA_VERSION, description="Rises when a field changes its meaning.")
    versions: dict[str, str] = Field(description="Versions of apu, of the body model, and of the libraries beneath.")
    seed: int = Field(description="Of all random choices.")
    options: dict[str, JsonValue] = Field(description="What the run was asked for.")
    seconds: Number = Field(description="Wall time of the whole run.")
    photo: PhotoReport = Field(description="The photo.")
    people_found: PeopleReport = Field(description="Everybody in it.")
    pairs: list[PairReport] = Field(description="The fitted pairs.")
    notes: list[str] = Field(default=[], description="What the user should know of how it was done.")
    failures: list[FailureReport] = Field(default=[], description="The pairs that failed; the others went on.")


def json_schema() -> dict[str, object]:
    """JSON Schema (draft 2020-12) of `run.json`."""
    return RunReport.model_json_schema()
