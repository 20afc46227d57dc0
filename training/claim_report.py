"""What the evaluations of `claim.py` say about the paper's claim: each check with its number and its interval."""

from collections.abc import Mapping, Sequence
from typing import Any

ERROR, DEPTH = "pair_pa_mpjpe_mm", "penetration_worst_mm"
LEAST_PERCENT = 6.0
"""By so much lab+wild is to be below lab and below lab-large."""

DIVERSITY = (
    "interaction_types", "region_pair_entropy_bits", "contact_jaccard_distance", "pose_distance_mm",
    "place_distance_mm", "facing_difference_deg",
)  # fmt: skip
"""Measures of `apu dataset compare` that are told beside the gain."""

Tables = Mapping[str, Mapping[str, Any]]
"""Name of an evaluation -> its table.json."""


def report(tables: Tables, unseen: str, family: str) -> str:
    """All checks as text.

    Args:
        tables: `priors`, and of `contacts`, `buddi`, `controls`, `classes`, `ceiling` and `diversity` what there is.
        unseen: group of the pairs that count.
        family: of the initial estimates.
    """
    facts = tables["priors"]["facts"]
    lines = [
        f"The claim on synthetic pairs of {unseen} classes ({family} estimates, {facts['pairs']} pairs with the seen)",
        "",
        *_headline(tables, unseen),
        *(["", *_controls(tables, unseen)] if "controls" in tables else []),
        "",
        *_seeds(tables, unseen),
        *(["", *_classes(tables, unseen)] if "classes" in tables else []),
        *(["", *_ceiling(tables, unseen)] if "ceiling" in tables else []),
        *(["", *_diversity(tables, unseen)] if "diversity" in tables else []),
    ]
    return "\n".join(lines)


def _headline(tables: Tables, unseen: str) -> list[str]:
    of_priors = tables["priors"]["prior_comparisons"]
    lines = []
    for against in ("lab", "lab-large"):
        one = _compared(of_priors, "keypoints", "lab+wild", against, ERROR, unseen)
        reached = _below(one, 0.0) and one["found"]["percent"] <= -LEAST_PERCENT
        lines.append(f"{_verdict(reached)} lab+wild at least {LEAST_PERCENT:g} % below {against}: {_told(one)}")
    one = _compared(of_priors, "keypoints", "lab+wild", "none", ERROR, unseen)
    lines.append(f"{_verdict(_below(one, 0.0))} lab+wild better than no prior: {_told(one)}")
    one = _compared(of_priors, "keypoints", "lab+wild", "none", DEPTH, unseen)
    lines.append(f"{_verdict(not _above(one, 0.0))} no rise of the worst penetration: {_told(one)}")
    if "contacts" in tables:
        one = _compared(tables["contacts"]["prior_comparisons"], "contacts", "lab+wild", "none", ERROR, unseen)
        lines.append(f"{_verdict(not _above(one, 0.0))} with contact answers not worse than no prior: {_told(one)}")
    if "buddi" in tables:
        one = _compared(tables["buddi"]["prior_comparisons"], "keypoints", "lab+wild:buddi", "lab+wild", ERROR, unseen)
        lines.append(f"            lab+wild by BUDDI's recipe against ours: {_told(one)}")
    return lines


def _controls(tables: Tables, unseen: str) -> list[str]:
    found, lines = tables["controls"]["prior_comparisons"], []
    for name, words in (("shuffled", "shuffled partners do not help"), ("random", "random weights do not help")):
        one = _compared(found, "keypoints", name, "none", ERROR, unseen)
        lines.append(f"{_verdict(not _below(one, 0.0))} {words}: {_told(one)}")
        one = _compared(found, "keypoints", "lab+wild", name, ERROR, unseen)
        lines.append(f"{_verdict(_below(one, 0.0))} lab+wild better than {name}: {_told(one)}")
    return lines


def _seeds(tables: Tables, unseen: str) -> list[str]:
    """Check 3 of the paper: how much the seeds of pseudo ground truth and training matter."""
    chosen = [
        one for one in tables["priors"]["trainings"]
        if (one["method"], one["part"], one["metric"]) == ("keypoints", unseen, ERROR)
    ]  # fmt: skip
    lines = [
        f"  {one['prior']}: {', '.join(_number(mean) for mean in one['means'].values())} mm, spread "
        f"{_number(one['spread'], 2)}"
        for one in chosen
    ]
    return ["Means of the seeds, fit without contacts:", *(lines or ["  one seed only"])]


def _classes(tables: Tables, unseen: str) -> list[str]:
    """Check 2 of the paper: the error as classes are taken out of the training data."""
    found = tables["classes"]["prior_comparisons"]
    names = [name.partition("/")[0] for name in tables["classes"]["facts"]["priors"]]
    lines = [f"  {name}: {_told(_compared(found, 'keypoints', name, 'none', ERROR, unseen))}" for name in names]
    return ["As classes are removed from wild, equally many fits, against no prior:", *lines]


def _ceiling(tables: Tables, unseen: str) -> list[str]:
    """How much there is to gain: by a prior that has learned the truth of the unseen classes."""
    found = tables["ceiling"]["prior_comparisons"]
    name = next(one["prior"] for one in found if one["prior"].startswith("ceiling"))
    lines = [
        f"  against {against}: {_told(_compared(found, 'keypoints', name, against, ERROR, unseen))}"
        for against in ("none", "lab-large")
    ]
    return ["A prior that has learned the truth of the unseen classes themselves:", *lines]


def _diversity(tables: Tables, unseen: str) -> list[str]:
    """Open question 3 of the paper: is it the diversity of the data that helps?"""
    gain = _compared(tables["priors"]["prior_comparisons"], "keypoints", "lab+wild", "lab-large", ERROR, unseen)
    lines = []
    for name in DIVERSITY:
        one = tables["diversity"]["measures"][name]
        part = one["difference_interval"]
        lines.append(
            f"  {name}: {_number(one['a'], 2)} and {_number(one['b'], 2)}, {_signed(one['difference'], 2)} "
            f"[{_signed(part['low'], 2)}, {_signed(part['high'], 2)}]"
        )
    return [
        "Diversity of lab-large, then of wild, at one size; the error of lab+wild differs from lab-large's by "
        f"{_signed(gain['found']['percent'])} %:",
        *lines,
    ]


def _compared(
    comparisons: Sequence[Mapping[str, Any]], method: str, prior: str, against: str, metric: str, part: str
) -> Mapping[str, Any]:
    wanted = (method, prior, against, metric, part)
    keys = ("method", "prior", "against", "metric", "part")
    return next(one for one in comparisons if tuple(one[key] for key in keys) == wanted)


def _below(one: Mapping[str, Any], value: float) -> bool:
    high = one["found"]["difference_interval"]["high"]
    return high is not None and high < value


def _above(one: Mapping[str, Any], value: float) -> bool:
    low = one["found"]["difference_interval"]["low"]
    return low is not None and low > value


def _told(one: Mapping[str, Any]) -> str:
    found, interval = one["found"], one["found"]["difference_interval"]
    part = found["percent_interval"]
    return (
        f"{_number(found['mean_a'])} against {_number(found['mean_b'])} mm, {_signed(found['difference'])} "
        f"[{_signed(interval['low'])}, {_signed(interval['high'])}] mm, {_signed(found['percent'])} "
        f"[{_signed(part['low'])}, {_signed(part['high'])}] %, {one['pairs']} pairs"
    )


def _verdict(holds: bool) -> str:
    return "HOLDS       " if holds else "DOES NOT    "


def _number(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _signed(value: float | None, digits: int = 1) -> str:
    return "-" if value is None else f"{value:+.{digits}f}"
