"""What a fit knows of its own quality without the truth: the numbers from which the chance of an accurate fit is told.

The clues are ours. They ask how much the told contacts amount to and whether the bodies met them, whether the ways of
reading the picture agree on the depth between the people, how far the bodies had to leave what was estimated of them,
what the fit paid for explaining everything, and how well the people are seen. All logarithms are natural. A clue whose
numbers are missing is NaN.
"""

import math
from collections.abc import Callable, Sequence

from jaxtyping import Float
from torch import Tensor

from apu.contact.contact import Contact
from apu.scene.pair import ContactResult, Fit, PairObservation
from apu.scene.person import Box

TRUNK = ("chest", "belly", "shoulder", "upper_back", "middle_back", "lower_back", "buttock", "pelvis")
"""Parts of regions' names: where these touch, the depth between two people is all but fixed."""
MET_M = 0.02
"""A contact within this distance is met; as `VerdictLimits.touching_m`."""
FAR_M = 0.5
"""Distances are cut off here: a contact that is missed by one metre or by two is no different evidence."""
TEMPERATURE = 4.0
"""Hypotheses are weighted by exp(-cost / T). 1 would take the costs for negative logarithms of probabilities, as they
are meant; but terms hang together, and so are too sure together. Hand-set."""
NO_RIVAL = 5.0
"""A hypothesis that comes to the end alone leads by as much as keeps others from coming there
(`UniteWeights.finalist_margin`)."""
LEAST = 0.01
"""Added to costs and weights before their logarithm is taken; costs below it say nothing."""
SEEN = 0.3
"""Keypoints of more confidence count as seen, as for the reprojection error."""
TERMS = ("keypoints", "pose", "shape", "height", "capsules")
"""Terms of the last stage that are clues of their own."""

Told = Sequence[tuple[Contact, ContactResult]]


def clues_of(observation: PairObservation, fit: Fit, told: Told) -> dict[str, float]:
    """Name -> value, always the same names in the same order.

    Args:
        observation: the pair.
        fit: with the records of its stages and the hypotheses that were tried.
        told: those of its contacts that somebody told, and what became of each; none when the answer was that nothing
            touches.
    """
    return {
        **_contacts(told),
        **_hypotheses(fit),
        **_depth(observation, fit),
        **_changes(observation, fit),
        **_costs(fit),
        **_picture(observation, fit),
    }


def _contacts(told: Told) -> dict[str, float]:
    """How much evidence the contacts are, and whether the bodies met them."""
    used = [(contact.weight * result.trust, contact, result) for contact, result in told if result.trust > 0]
    total = sum(weight for weight, _, _ in used)
    given = sum(contact.weight for contact, _ in told)

    def mean(value: Callable[[Contact, ContactResult], float], none: float) -> float:
        return sum(w * value(c, r) for w, c, r in used) / total if used else none

    met = [contact for _, contact, result in used if result.after_m <= MET_M]
    places = len({c.regions_a for c in met}) + len({c.regions_b for c in met})
    return {
        "contacts: weight believed": math.log(LEAST + total),
        "contacts: share believed": total / given if given > 0 else 0.0,
        "contacts: share met": mean(lambda c, r: float(r.after_m <= MET_M), 0.0),
        "contacts: distance left": mean(lambda c, r: min(r.after_m, FAR_M), FAR_M),
        "contacts: distance before": mean(lambda c, r: min(r.before_m, FAR_M), FAR_M),
        "contacts: places met": math.log(1 + places),
        "contacts: on the trunk": mean(lambda c, r: (_share(c.regions_a, TRUNK) + _share(c.regions_b, TRUNK)) / 2, 0.0),
    }


def _hypotheses(fit: Fit) -> dict[str, float]:
    """Whether other readings of the picture are as good, and what depth they would have given."""
    tried = fit.hypothesis.get("tried")
    tried = tried if isinstance(tried, Sequence) else ()
    cost = [float(one["cost_with_contacts"]) for one in tried]
    depth = [float(one.get("relative_depth_m", math.nan)) for one in tried]
    margin, spread = math.nan, math.nan
    if cost and all(map(math.isfinite, [*cost, *depth])):
        ranked = sorted(cost)
        margin = math.log(1 + ranked[min(1, len(ranked) - 1)] - ranked[0])
        spread = _spread(depth, [math.exp((ranked[0] - c) / TEMPERATURE) for c in cost])
    ends = [one.get("cost_at_the_end") for one in tried]
    last = sorted(float(cost) for cost in ends if isinstance(cost, int | float) and math.isfinite(cost))
    lead = (last[1] - last[0] if len(last) > 1 else NO_RIVAL) if last else math.nan
    return {
        "hypotheses: margin": margin,
        "hypotheses: margin at the end": math.log(1 + min(lead, NO_RIVAL)),
        "hypotheses: spread of depth": spread,
    }


def _depth(observation: PairObservation, fit: Fit) -> dict[str, float]:
    """Depth of B behind A, metres: of the roots, now and as estimated, and of the middles of the bodies."""
    translation = fit.parameters.get("translation")
    gap = math.nan if translation is None else _behind(translation[:, 2])
    a, b = observation.initial
    estimated = math.nan
    if a is not None and b is not None:
        estimated = _behind([one.parameters["translation"][2] for one in (a, b)])
    now, first = (_behind(vertices[..., 2].mean(1)) for vertices in (fit.vertices, fit.first_vertices))
    return {
        "depth: change from estimates": abs(gap - estimated),
        "depth: change from first fit": abs(now - first),
        "depth: between the bodies": abs(now),
        "depth: of the pair": math.log(max(float(fit.vertices[..., 2].mean()), LEAST)),
    }


def _changes(observation: PairObservation, fit: Fit) -> dict[str, float]:
    """How far the bodies left the estimates: root mean squares of pose (radians) and shape (logits), and the turn.

    Of the person who left theirs farther."""
    rows: dict[str, list[float]] = {"pose": [], "orientation": [], "shape": []}
    for person, estimate in enumerate(observation.initial):
        for name, values in rows.items():
            if estimate is None or name not in fit.parameters:
                values.append(math.nan)
                continue
            now = fit.parameters[name][person].double()
            before = estimate.parameters[name].to(now)
            values.append(_turn(now, before) if name == "orientation" else float((now - before).square().mean().sqrt()))
    postures = fit.hypothesis.get("posture")
    kept = [word == "initial" for word in postures] if isinstance(postures, Sequence) else []
    return {
        **{f"estimates: change of {name}": max(values) for name, values in rows.items()},
        "estimates: poses kept": sum(kept) / len(kept) if kept else math.nan,
    }


def _costs(fit: Fit) -> dict[str, float]:
    """Logarithms of what the fit paid, by stage and by term of the last one."""
    whole = {stage.name: sum(stage.terms.values()) for stage in fit.stages}
    out = {f"cost: {name} stage": _log(whole.get(name, math.nan)) for name in ("joints", "penetration")}
    last = fit.stages[-1].terms if fit.stages else {}
    return {**out, **{f"cost: {name}": _log(last.get(name, math.nan)) for name in TERMS}}


def _picture(observation: PairObservation, fit: Fit) -> dict[str, float]:
    """How well the people are seen, and how well the fit lies over them."""
    keypoints = [person.keypoints for person in observation.people]
    sizes = [max(1.0, one.diagonal()) for one in keypoints]
    a, b = (one.box() for one in keypoints)
    smaller = max(1.0, min(_area(a), _area(b)))
    both = max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])
    return {
        "picture: reprojection error": sum(fit.reprojection_percent) / 2,
        "picture: less sure person": min(float(one.confidence.mean()) for one in keypoints),
        "picture: joints not seen": sum(float((one.confidence <= SEEN).sum()) for one in keypoints) / 2,
        "picture: boxes overlap": _area(both) / smaller,
        "picture: sizes differ": abs(math.log(sizes[0] / sizes[1])),
        "picture: smaller person": math.log(min(sizes)),
        "picture: height of the smaller": min(fit.heights_m),
    }


def _share(regions: frozenset[str], words: tuple[str, ...]) -> float:
    """Of a set of regions, the share whose names have one of these words."""
    return sum(any(word in region for word in words) for region in regions) / len(regions)


def _spread(values: Sequence[float], weights: Sequence[float]) -> float:
    """Weighted standard deviation."""
    total = sum(weights)
    mean = sum(w * v for w, v in zip(weights, values, strict=True)) / total
    return math.sqrt(sum(w * (v - mean) ** 2 for w, v in zip(weights, values, strict=True)) / total)


def _turn(a: Float[Tensor, " 3"], b: Float[Tensor, " 3"]) -> float:
    """Angle between two orientations, radians: twice that between their unit quaternions."""
    (v, w), (x, y) = _quaternion(a), _quaternion(b)
    return 2 * math.acos(min(1.0, abs(float(v @ x) + w * y)))


def _quaternion(rotation: Float[Tensor, " 3"]) -> tuple[Float[Tensor, " 3"], float]:
    """Vector and scalar part of a rotation vector's unit quaternion."""
    angle = float(rotation.norm())
    return rotation * (math.sin(angle / 2) / angle if angle > 0 else 0.5), math.cos(angle / 2)


def _behind(depths: Sequence[Tensor] | Tensor) -> float:
    """Of A's and B's depth: how far B is behind A."""
    return float(depths[1]) - float(depths[0])


def _log(cost: float) -> float:
    return math.log(LEAST + max(cost, 0.0)) if not math.isnan(cost) else math.nan


def _area(box: Box) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
