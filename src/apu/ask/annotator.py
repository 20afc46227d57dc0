"""Whoever says which body parts touch: the embedded guess, and language models."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from apu.contact.contact import ContactMap
from apu.scene.annotation import Annotation
from apu.scene.estimate import Estimate
from apu.scene.pair import PairObservation
from apu.scene.person import Person
from apu.scene.photo import Photo


@runtime_checkable
class Annotator(Protocol):
    """Says of the pairs of a photo what touches what: by the photo alone, or by the first fit."""

    @property
    def name(self) -> str:
        """The source of its contacts, in every output; e.g. `proximity`."""
        ...

    def describe(
        self, photo: Photo, people: Sequence[Person], observations: Sequence[PairObservation]
    ) -> Sequence[Annotation]:
        """Look at the photo before anything is fitted.

        Args:
            photo: the whole photo.
            people: all that were found in it, without hints and masks: the same people whoever asks.
            observations: the pairs to look at; A and B are their people 0 and 1.

        Returns:
            One for each pair, in their order. Where its `contacts` are None, `annotate` is asked.
        """
        ...

    def annotate(self, photo: Photo, observation: PairObservation, estimate: Estimate) -> ContactMap | None:
        """Say what touches what in a pair whose first fit is known.

        Args:
            photo: the whole photo.
            observation: the pair; A and B are its people 0 and 1.
            estimate: the first fit of the two, before any contact was used.

        Returns:
            A map whose `source` is `name`; an empty one says that no contact is known. None where it has no answer:
            then `proximity` guesses.
        """
        ...
