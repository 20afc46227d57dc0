"""The text at the end of a fit: people, pairs, and a short table for each pair that was fitted."""

from collections.abc import Sequence

from apu.cli.request import printable
from apu.pipeline import PairResult, PhotoResult
from apu.scene.pair import Fit
from apu.scene.person import Person

TOUCHING_M = 0.02
"""A contact counts as met within 2 cm, the bound of docs/conventions.md."""


def summary(result: PhotoResult) -> str:
    """Everything worth reading about one photo."""
    photo = result.photo
    head = f"{_count(len(result.people), 'person', 'people')} in {photo.name} ({photo.width} x {photo.height})"
    blocks = ["\n".join([head, *map(_person, result.people)]), _ranking(result)]
    blocks += [_pair(pair) for pair in result.pairs]
    blocks += ["\n".join(printable(f"Note: {note}") for note in result.notes)] if result.notes else []
    blocks += [f"Seconds: {_durations(result.seconds.items())}"] if result.seconds else []
    return "\n\n".join(blocks)


def _person(person: Person) -> str:
    x0, y0, x1, y1 = person.box
    box = f"x {x0:.0f} to {x1:.0f}, y {y0:.0f} to {y1:.0f}"
    return f"  {person.index:>2}  {box:<30}  score {person.score:.2f}  {person.source}"


def _ranking(result: PhotoResult) -> str:
    fitted = {_indices(pair) for pair in result.pairs}
    done = fitted | {(j, i) for i, j in fitted}
    names = [f"{i},{j}" + (" (fitted)" if (i, j) in done else "") for i, j in result.candidates]
    return f"Pairs that may touch, closest first: {'  '.join(names) or 'none'}"


def _pair(pair: PairResult) -> str:
    a, b = _indices(pair)
    fit = pair.fit
    rows = [("", "A", "B"), ("height", *(f"{h:.2f} m" for h in fit.heights_m))]
    rows += [(name, *(f"{value:.2f}" for value in values)) for name, values in fit.attributes.items() if name == "age"]
    rows += [("reprojection error", *(f"{value:.1f} %" for value in fit.reprojection_percent))]
    return "\n".join([f"Pair {a},{b}: A is person {a}, B is person {b}", *_table(rows), *_facts(fit)])


def _facts(fit: Fit) -> list[str]:
    before = sum(contact.before_m <= TOUCHING_M for contact in fit.contact_results)
    after = sum(contact.after_m <= TOUCHING_M for contact in fit.contact_results)
    total = len(fit.contact_results)
    verdict = [] if fit.verdict is None else [f"  verdict               {fit.verdict}"]
    return [
        f"  contacts within 2 cm  {before} -> {after} of {total}, source: {fit.contacts.source}",
        f"  deepest penetration   {100 * fit.penetration_max_m:.1f} cm",
        *verdict,
        f"  seconds               {_durations((stage.name, stage.seconds) for stage in fit.stages)}",
    ]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"  {name:<20}{''.join(f'{value:>10}' for value in values)}".rstrip() for name, *values in rows]


def _durations(seconds) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in seconds)


def _indices(pair: PairResult) -> tuple[int, int]:
    a, b = pair.observation.people
    return a.index, b.index


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
