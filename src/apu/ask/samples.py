"""Several answers about one pair as one contact map."""

from collections.abc import Sequence
from dataclasses import replace

from apu.contact.contact import Contact, ContactMap
from apu.scene.annotation import Annotation


def mean_of_samples(annotations: Sequence[Annotation]) -> ContactMap | None:
    """The mean of the answers that could tell: a contact weighs as the mean of its weights, 0 where it is not named.

    One answer stays as it is. None where no answer could tell.
    """
    maps = [one.contacts for one in annotations if one.contacts is not None]
    if not maps:
        return None
    total: dict[tuple[frozenset[str], frozenset[str]], Contact] = {}
    for contact in (contact for one in maps for contact in one.contacts):
        place = contact.regions_a, contact.regions_b
        share = contact.weight / len(maps)
        known = total.get(place)
        total[place] = replace(known or contact, weight=share + (known.weight if known else 0.0))
    return ContactMap(tuple(replace(one, weight=min(1.0, one.weight)) for one in total.values()), maps[0].source)
