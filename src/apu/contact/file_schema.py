"""What contact files may hold. Numbers are never read out of texts, and unknown fields of our own file are refused."""

import re
import reprlib
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from apu.errors import ContactFileError

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def _in_list(value: object) -> object:
    if not isinstance(value, str | list):
        raise ValueError("a name, or a list of names")
    return [value] if isinstance(value, str) else value


def _writable(text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("text without lone surrogates (halves of characters)")
    return text


Version = Annotated[int, Field(ge=1, le=1)]
"""A literal 1 would also take `true`."""
Text = Annotated[str, AfterValidator(_writable)]
Words = Annotated[list[str], BeforeValidator(_in_list), Field(min_length=1)]
"""Names of parts or regions: one, or a list."""
Weight = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
PersonNumbers = Annotated[list[Annotated[int, Field(ge=0, le=1_000_000)]], Field(min_length=2, max_length=2)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ContactEntry(_Strict):
    """One contact. Without a `source` it has that of its pair."""

    a: Words
    b: Words
    label_a: Text = ""
    label_b: Text = ""
    weight: Weight = 1.0
    source: Text | None = None


class PairEntry(_Strict):
    """The contacts of one pair."""

    people: PersonNumbers | None = None
    contacts: list[ContactEntry]
    source: Text = "annotation"
    trust: dict[str, Any] | None = None
    """How a program came to these contacts; nothing reads it back."""


class PairFile(PairEntry):
    """Our file about one pair."""

    version: Version


class PairsFile(_Strict):
    """Our file about several pairs of one photo."""

    version: Version
    pairs: Annotated[list[PairEntry], Field(min_length=1)]


class _Foreign(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


RegionNumber = Annotated[int, Field(ge=0, le=74)]
Coordinate = Annotated[float, Field(allow_inf_nan=False)]


class SignatureRegions(_Foreign):
    """Region numbers that touch: of the first person, of the second."""

    region_id: list[Annotated[list[RegionNumber], Field(min_length=2, max_length=2)]]


class Signature(_Foreign):
    """The contacts of one pair in FlickrCI3D. Of its two body models, SMPL-X is read."""

    person_ids: PersonNumbers
    smplx: SignatureRegions


class SignatureEntry(_Foreign):
    """One photo in FlickrCI3D."""

    bbxes: list[Annotated[list[Coordinate], Field(min_length=4, max_length=4)]]
    ci_sign: list[Signature]


class ActionSignature(_Foreign):
    """The contacts of one action in CHI3D, at frame `fr_id`."""

    fr_id: int
    start_fr: int | None = None
    end_fr: int | None = None
    smplx_signature: SignatureRegions


_EXPECTED = {"missing": "a value", "extra_forbidden": "no field of this name"}
Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], record: object, path: Path, field: str = "") -> Model:
    """The record as a model.

    Args:
        model: what it should be.
        record: as JSON gives it.
        path, field: where the record lies; for error messages.

    Raises:
        ContactFileError: it is something else; the first field at fault is named.
    """
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        missing = first["type"] == "missing"
        raise ContactFileError(
            "The contact file has a field that is missing." if missing else "The contact file has a wrong field.",
            where=f"{path}: {field_name(field, *first['loc'])}",
            expected=_EXPECTED.get(first["type"], re.sub("^(Input should be|Value error,) ", "", first["msg"])),
            got=None if missing else _SHORT.repr(first["input"]),
            remedy="see docs/contact_files.md for the fields and an example.",
        ) from error


def field_name(start: str, *steps: str | int) -> str:
    """A place in a JSON file, e.g. `pairs[1].contacts[3].a`."""
    for step in steps:
        start += f"[{step}]" if isinstance(step, int) else f".{step if step.isidentifier() else repr(step)}"
    return start.removeprefix(".") or "the whole file"
