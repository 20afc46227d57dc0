"""Whoever says which body parts touch: the embedded guess, and language models."""

from typing import Protocol, runtime_checkable

from apu.contact.contact import ContactMap
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.photo import Photo


@runtime_checkable
class Annotator(Protocol):
    """Looks at one pair of a photo and answers with a contact map."""

    @property
    def name(self) -> str:
        """The source of its contacts, in every output; e.g. `proximity`."""
        ...

    def annotate(self, photo: Photo, observation: PairObservation, estimate: Estimate) -> ContactMap:
        """Say what touches what.

        Args:
            photo: the whole photo.
            observation: the pair; A and B are its people 0 and 1.
            estimate: the first fit of the two, before any contact was used.

        Returns:
            A map whose `source` is `name`; an empty one says that no contact is known.
        """
        ...
