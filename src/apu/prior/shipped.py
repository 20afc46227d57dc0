"""Where the prior lies that comes with us; importing this loads nothing."""

from pathlib import Path
from typing import Literal

Shipped = Literal["shipped"]
"""Stands for the prior that comes with us for a body; where there is none, for no prior."""


def prior_of_word(word: str) -> Path | Shipped | None:
    """What a user means by `shipped`, by `none`, and by anything else, which is a folder."""
    if word == "shipped":
        return "shipped"
    return None if word == "none" else Path(word)


SHIPPED_FOLDER = Path(__file__).parent / "data"
"""Made by `training/make_prior.py`."""
