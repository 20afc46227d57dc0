"""Which pairs of a photo are fitted: the user's, else the annotated, else two boxed people, else all or the closest."""

from collections.abc import Sequence

from apu.contact.annotated_pair import AnnotatedPair
from apu.errors import ContactFileError, PeopleError
from apu.pose.pairs import check_pairs
from apu.scene.person import Person
from apu.scene.results import FitOptions, Pair


def wanted_pairs(
    options: FitOptions, people: Sequence[Person], candidates: Sequence[Pair], annotated: Sequence[AnnotatedPair]
) -> list[Pair]:
    """The pairs to fit, each once, in order.

    Args:
        options: what the user asked for.
        people: of the photo.
        candidates: pairs that may touch, the closest first.
        annotated: what the contact file says; empty without one.

    Raises:
        PeopleError: a named pair does not exist, or no two people are close.
        ContactFileError: the contact file says nothing of a named pair.
    """
    boxed = [person.index for person in people if is_boxed(person)]
    named = [one.people for one in annotated if one.people is not None]
    if options.pairs:
        check_pairs(options.pairs, people)
        _check_annotated(options, named)
        chosen = list(options.pairs)
    elif named:
        chosen = named
    elif len(boxed) == 2 and not options.all_pairs:
        chosen = [(boxed[0], boxed[1])]
    else:
        chosen = list(candidates if options.all_pairs else candidates[:1])
    if not chosen:
        raise PeopleError(
            "No two people in the photo are close enough to touch.",
            expected="two people whose keypoint boxes overlap",
            got=f"{len(people)} people apart from each other",
            remedy="name two people with --pair I,J if they do touch.",
        )
    return list(dict.fromkeys(chosen))


def is_boxed(person: Person) -> bool:
    """Whether the person was found in a box that the user gave."""
    return person.source.endswith(" box")


def _check_annotated(options: FitOptions, named: Sequence[Pair]) -> None:
    for pair in options.pairs:
        if named and not any(set(pair) == set(other) for other in named):
            raise ContactFileError(
                "The contact file says nothing of a pair.",
                where=options.contacts,
                expected=f"an entry for people {pair[0]} and {pair[1]}",
                got="entries for " + ", ".join(f"{i},{j}" for i, j in named),
                remedy="name one of its pairs with --pair, or leave --contacts out.",
            )
