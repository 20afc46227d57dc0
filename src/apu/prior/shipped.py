"""Where the prior lies that comes with us; importing this loads nothing."""

from pathlib import Path
from typing import Literal

Shipped = Literal["shipped"]
"""Stands for the prior that comes with us for a body; where there is none, for no prior."""

SHIPPED_FOLDER = Path(__file__).parent / "data"
"""Made by `training/make_prior.py`."""
