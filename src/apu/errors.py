"""Every error that `apu` raises on purpose says what, where, expected, got, and how to mend it."""


class ApuError(Exception):
    """Base of all deliberate errors.

    Args:
        what: one sentence that says what went wrong.
        where: the file, image, person or field at fault.
        expected: what would have been right.
        got: what was found instead.
        remedy: what the user can do about it.

    Attributes:
        stops_run: whether every other item of a batch would fail alike, so that going on is of no use.
    """

    stops_run: bool = False

    def __init__(
        self,
        what: str,
        *,
        where: object = None,
        expected: object = None,
        got: object = None,
        remedy: str | None = None,
    ) -> None:
        self.what = what
        self.where = None if where is None else str(where)
        self.expected = None if expected is None else str(expected)
        self.got = None if got is None else str(got)
        self.remedy = remedy
        super().__init__(what)

    def __str__(self) -> str:
        fields = {
            "where": self.where,
            "expected": self.expected,
            "got": self.got,
            "remedy": self.remedy,
        }
        lines = [f"  {name:<9}{value}" for name, value in fields.items() if value is not None]
        return "\n".join([self.what, *lines])


class InputError(ApuError):
    """Something the user gave is wrong: a file, an option, a value."""


class PhotoError(InputError):
    """The photo cannot be read."""


class KeypointFileError(InputError):
    """The keypoint file cannot be understood."""


class ContactFileError(InputError):
    """The contact file cannot be understood, or does not fit the photo."""


class PeopleError(InputError):
    """Too few people, or a pair that does not exist."""


class CameraError(InputError):
    """The camera cannot have taken the photo."""


class EstimateError(InputError):
    """An initial estimate of a body makes no sense."""


class FitError(ApuError):
    """The optimisation did not lead to two bodies."""


class OutputError(ApuError):
    """The results cannot be written."""

    stops_run = True


class ModelFileError(ApuError):
    """A model file is missing, damaged, or cannot be fetched."""

    stops_run = True
