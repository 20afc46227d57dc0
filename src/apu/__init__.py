"""Ask, Pose, Unite: pairs of 3D body meshes that really touch, from photos of people in contact.

The public names load on first use, so `import apu` costs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apu.pipeline import FitOptions as FitOptions
    from apu.pipeline import fit as fit

__version__ = "0.1.0"

_LAZY = {"fit": "apu.pipeline", "FitOptions": "apu.pipeline"}

__all__ = ["FitOptions", "__version__", "fit"]


def __getattr__(name: str) -> object:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'apu' has no attribute {name!r}")
