"""The text of `apu dataset stats`."""

from collections.abc import Mapping
from typing import Any

_SHOWN = ("5 %", "50 %", "95 %")


def report(found: Mapping[str, Any]) -> str:
    """The statistics of `apu.dataset.statistics`, for people."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in found["kind"].items())
    diversity = found["part_pairs"]
    entropy = f"{diversity['entropy_bits']:.2f} of at most {diversity['largest_possible_bits']:.2f} bits"
    blocks = [
        f"{found['pairs']} pairs: {kinds or 'none'}",
        "\n".join(_counts(found)),
        "\n".join(_classes(found)),
        "\n".join(
            [
                f"contact entropy over pairs of parts: {entropy}, {diversity['different']} different",
                *(f"  {count:>6}  {name}" for name, count in diversity["most_frequent"].items()),
            ]
        ),
        "\n".join(_quantiles(found)),
    ]
    return "\n\n".join(blocks)


def _counts(found: Mapping[str, Any]) -> list[str]:
    bases = found["base"]
    rows = [("split", found["splits"]), ("group", found["groups"]), ("base poses (people)", bases["people"])]
    lines = [f"{name:<22}{', '.join(f'{key} {count}' for key, count in counts.items())}" for name, counts in rows]
    return [*lines, f"{'mocap sequences':<22}{bases['mocap_sequences']}"]


def _classes(found: Mapping[str, Any]) -> list[str]:
    width = max([5, *map(len, found["classes"])])
    lines = [f"{'class':<{width}}  pairs  entropy  accepted of tried"]
    for name, count in found["classes"].items():
        candidates = found["candidates"].get(name)
        tried = f"{candidates['accepted']} of {candidates['tried']}" if candidates else ""
        lines.append(f"{name:<{width}}  {count:>5}  {found['part_pairs_of_classes'][name]:>7.2f}  {tried}".rstrip())
    return lines


def _quantiles(found: Mapping[str, Any]) -> list[str]:
    rows = [(f"contacts {name}", values, 1.0, "") for name, values in found["contacts_per_pair"].items()]
    rows += [("deepest penetration", found["penetration_max_m"], 1000.0, " mm")]
    rows += [("standing height", found["height_m"], 100.0, " cm")] if "height_m" in found else []
    rows += [(name, values, 1.0, "") for name, values in found.get("attributes", {}).items()]
    lines = [f"{'':<22}{'mean':>10}{''.join(f'{q:>10}' for q in _SHOWN)}{'largest':>10}"]
    for name, values, scale, unit in rows:
        cells = (values[q] * scale for q in ("mean", *_SHOWN, "100 %")) if values else ()
        lines.append(f"{name:<22}{''.join(f'{cell:>10.2f}' for cell in cells)}{unit}")
    return lines
