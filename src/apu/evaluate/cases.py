"""True pairs as the benchmark's cases: observed, answered about, and scored against their truth."""

import hashlib
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from apu.body.protocol import BodyModel, Parts
from apu.contact.measured import MeasuredContact, measure_contacts
from apu.dataset.synthetic.answers import SimulatedAnswer, simulate_answers
from apu.dataset.synthetic.observation_settings import ObservationSettings
from apu.dataset.synthetic.observe import observe
from apu.evaluate.contact_agreement import contact_rows
from apu.evaluate.decomposition import pair_pa_mpjpe_decomposition
from apu.evaluate.joint_errors import joint_rows, vertex_rows
from apu.evaluate.methods import VOTES, Case, Outcome
from apu.evaluate.pcc import pcc_rows
from apu.evaluate.penetration_metrics import penetration_rows
from apu.evaluate.reprojection import observed_reprojection_error_percent
from apu.scene.true_pair import TruePair


def partners(pairs: Sequence[TruePair]) -> Mapping[str, TruePair]:
    """For every pair another one, of another class where there is one: whose answers the control is given.

    The order of the pairs does not matter. A single pair is its own partner.
    """
    ring = sorted(pairs, key=lambda p: hashlib.sha256(p.id.encode()).hexdigest())
    out = {}
    for i, pair in enumerate(ring):
        others = [ring[(i + k) % len(ring)] for k in range(1, len(ring))]
        out[pair.id] = next((o for o in others if o.interaction != pair.interaction), (others or [pair])[0])
    return out


def make_cases(
    body: BodyModel, pairs: Sequence[TruePair], others: Sequence[TruePair], seed: int,
    settings: ObservationSettings | None = None,
) -> list[Case]:  # fmt: skip
    """Observe pairs and ask the simulated model about each, as often as any method wants.

    Args:
        body: the body model.
        pairs: one batch.
        others: for each pair the one whose answer the control is given.
        seed: of the observation.
        settings: defaults are the project's default noise.
    """
    settings = settings or ObservationSettings()

    def answers(pair: TruePair, k: int = VOTES) -> tuple[SimulatedAnswer, ...]:
        return simulate_answers(pair, body.surface, k, seed, settings.answers).answers

    seen = observe(body, pairs, seed, settings)
    return [
        Case(o, own[0], answers(q, 1)[0], seed, own)
        for o, own, q in zip(seen, map(answers, pairs), others, strict=True)
    ]


@torch.no_grad()
def score(body: BodyModel, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> list[dict[str, float]]:
    """All metrics of one method's bodies: name with unit -> value, for each case.

    Args:
        body: the body model.
        cases: one batch.
        outcomes: of one method, in the same order.
    """
    found = _stacked([o.parameters for o in outcomes])
    true = _stacked([c.observed.true_parameters for c in cases])
    mine, theirs = (body.forward(p, Parts("j14", "all")) for p in (found, true))
    assert mine.joints is not None
    assert theirs.joints is not None
    assert mine.vertices is not None
    assert theirs.vertices is not None
    keypoints = body.forward(found, Parts("body25")).joints
    assert keypoints is not None
    contacts: list[tuple[MeasuredContact, ...]] = measure_contacts(body.surface, mine.vertices)
    truths = [c.observed.truth for c in cases]
    seen = observed_reprojection_error_percent([c.observed.observation for c in cases], keypoints)
    columns: dict[str, Float[Tensor, " p"]] = {
        **joint_rows(mine.joints, theirs.joints),
        **vertex_rows(mine.vertices, theirs.vertices, mine.joints, theirs.joints),
        **pair_pa_mpjpe_decomposition(body, found, true),
        **pcc_rows(body.surface, [t.contact_map() for t in truths], mine.vertices),
        **contact_rows(contacts, [t.contacts for t in truths]),
        **penetration_rows(body.surface, mine.vertices),
        "reprojection_error_percent": seen.mean(-1),
    }
    rows = [{name: float(column[i]) for name, column in columns.items()} for i in range(len(cases))]
    return [{**row, "seconds": outcome.seconds} for row, outcome in zip(rows, outcomes, strict=True)]


def _stacked(bodies: Sequence[Mapping[str, Float[Tensor, "2 _"]]]) -> dict[str, Float[Tensor, "p 2 _"]]:
    return {name: torch.stack([one[name] for one in bodies]) for name in bodies[0]}
