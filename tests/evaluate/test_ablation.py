"""Variants change one thing each, are fitted as they say, go on after a kill, and are compared with the whole fit."""

import importlib.util
import math
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import pytest

from apu.body.anny import AnnyBody
from apu.dataset.engine import SerialEngine
from apu.errors import InputError
from apu.evaluate import ablation, batches, synthetic_benchmark
from apu.evaluate.ablation import Ablation, solve_variants
from apu.evaluate.ablation_table import METRICS, ablation_table, variant_table
from apu.evaluate.ablation_variants import ANSWERS, FULL, VARIANTS, Variant, chosen_variants, method_name
from apu.evaluate.batches import Batch, Benchmark, Part, run_benchmark, work_folder
from apu.evaluate.cases import make_cases
from apu.evaluate.findings import find
from apu.evaluate.rows import BenchmarkRow
from apu.scene.true_pair import TruePair
from apu.unite.weights import UniteWeights

POSED = Path(__file__).parents[1] / "dataset" / "posed_pairs.py"


@pytest.fixture(scope="module")
def pairs(body: AnnyBody) -> tuple[TruePair, ...]:
    """Two pairs whose contacts are not measured."""
    spec = importlib.util.spec_from_file_location("posed_pairs_of_ablation", POSED)
    assert spec is not None
    assert spec.loader is not None
    posed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(posed)
    made = [posed.posed_pair(body, number, "hug") for number in (0, 1)]
    return tuple(replace(one, interaction="hug", split="validation") for one in made)


def changed(a: object, b: object, at: str = "") -> set[str]:
    """Names of the numbers in which two settings differ."""
    if is_dataclass(a):
        return set().union(*(changed(getattr(a, f.name), getattr(b, f.name), f"{at}.{f.name}") for f in fields(a)))
    return set() if a == b else {at}


EXPECTED: dict[str, set[str]] = {
    "no keypoint robustness": {".keypoints.robust"},
    "no pose prior": {".priors.pose"},
    "no density": {".priors.density"},
    "no bounds": {".priors.bound_sigma"},
    "no shape prior": {".priors.shape"},
    "no upright": {".priors.lean_sigma", ".priors.tilt_sigma"},
    "no depth gap": {".priors.gap_sigma_m", ".priors.gap_error_m"},
    "no capsules": {".priors.capsule_sigma_m"},
    "no self overlap": {".priors.self_sigma_m"},
    "no penetration": {".penetration.penetration"},
    "one hypothesis": {".first.hypotheses"},
    "no doubt": {".across_sigma_m"},
    "hard without doubt": {".across_sigma_m"},
    "no contact stage": {".contact.steps"},
    "no penetration stage": {".penetration.steps"},
    "frozen orientation": {".contact.frozen", ".penetration.frozen"},
    "free shape": {".penetration.frozen"},
    "whole steps of place": {".penetration.place_rate"},
    "no contact robustness": {
        f".{stage}.{reach}" for stage in ("contact", "penetration") for reach in ("contact_reach_m", "doubtful_reach_m")
    },
    "one finalist": {".finalists"},
    "one reach": {".contact.doubtful_reach_m", ".penetration.doubtful_reach_m"},
    "no annealed temperature": {".contact.contact_tau_m", ".penetration.contact_tau_m"},
}


def test_every_variant_changes_what_its_name_says_and_nothing_else():
    found = {name: changed(UniteWeights(), one.weights) for name, one in VARIANTS.items()}
    assert {name: names for name, names in found.items() if names} == EXPECTED
    losses = {name: one.contact_loss for name, one in VARIANTS.items() if one.contact_loss != "soft"}
    assert losses == {"hard": "hard", "hard without doubt": "hard", "chamfer": "chamfer",
                      "part-minimum": "part-minimum", "mindist": "mindist"}  # fmt: skip
    assert [name for name, one in VARIANTS.items() if not one.estimates] == ["no initial estimate"]
    assert VARIANTS[FULL] == Variant(VARIANTS[FULL].words)
    assert len(VARIANTS) == len({repr(replace(one, words="")) for one in VARIANTS.values()}), "two are the same"


def test_variants_are_chosen_by_name_and_the_whole_is_always_among_them():
    assert list(chosen_variants(["mindist", "hard"])) == [FULL, "hard", "mindist"]
    assert chosen_variants(None) == dict(VARIANTS)
    with pytest.raises(InputError, match="no such variant"):
        chosen_variants(["hard", "harder"])


QUICK = UniteWeights(
    first=replace(UniteWeights().first, steps=2),
    contact=replace(UniteWeights().contact, steps=3),
    penetration=replace(UniteWeights().penetration, steps=3),
)


def quick(**changes: object) -> UniteWeights:
    """With changes of both mesh stages."""
    stages = {name: replace(getattr(QUICK, name), **changes) for name in ("contact", "penetration")}
    return replace(QUICK, **stages)


def test_variants_share_the_first_fits_they_may_share_and_a_frozen_orientation_stays(
    body: AnnyBody, pairs, monkeypatch: pytest.MonkeyPatch
):
    looks = []

    def look(body, observations, weights):
        looks.append((observations, found := synthetic_look(body, observations, weights)))
        return found

    synthetic_look = ablation.look
    monkeypatch.setattr(ablation, "look", look)
    cases = make_cases(body, pairs[:1], pairs[1:], 0)
    found = solve_variants(
        body, cases,
        {
            "moving": (Variant("", QUICK), "oracle"),
            "frozen": (Variant("", quick(frozen=("orientation",))), "oracle"),
            "hard": (Variant("", QUICK, "hard"), "contacts"),
            "without": (Variant("", quick(steps=0), estimates=False), "oracle"),
        },
    )  # fmt: skip
    assert [all(one is not None for one in seen[0].initial) for seen, _ in looks] == [True, False]
    starts = looks[0][1].hypotheses.parameters["orientation"][0]
    turned = {
        name: float((out[0].parameters["orientation"] - starts).abs().amax((1, 2)).min()) for name, out in found.items()
    }
    assert turned["frozen"] == 0.0
    assert turned["moving"] > 1e-3
    starts = looks[1][1].hypotheses.parameters["pose"][0]
    assert float((found["without"][0].parameters["pose"] - starts).abs().amax((1, 2)).min()) < 1e-6
    assert all(out[0].seconds > 0 for out in found.values())


def measured(names: list[str], pair: str, seed: int, errors: dict[str, float]) -> list[BenchmarkRow]:
    """Rows of made-up errors; others are 50 mm."""
    return [
        BenchmarkRow(pair, "hug", "seen", seed, name, {metric: errors.get(name, 50.0) for metric in METRICS})
        for name in names
    ]


def test_a_killed_ablation_goes_on_and_ends_with_the_same_rows(pairs, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 1)
    asked = Benchmark(pairs, (3, 5), Ablation(chosen_variants(["hard"])))
    done: list[Batch[Ablation]] = []

    def work(batch: Batch[Ablation]):
        if len(done) == stop_after:
            raise KeyboardInterrupt
        done.append(batch)
        return tuple(measured(list(batch.question.methods), batch.pairs[0][0], batch.seed, {}))

    stop_after = 3
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(asked, tmp_path, SerialEngine(), work)
    stop_after = 99
    told: list[tuple[int, int]] = []
    rows = run_benchmark(asked, tmp_path, SerialEngine(), work, lambda n, total: told.append((n, total)))
    assert [(batch.seed, batch.pairs[0][0]) for batch in done] == [(s, p.id) for s in (3, 5) for p in pairs]
    assert told[-1] == (4, 4)
    assert [(r.pair, r.seed, r.method) for r in rows] == [
        (p.id, s, f"{a}: {v}") for p in pairs for s in (3, 5) for a in ANSWERS for v in (FULL, "hard")
    ]


def test_work_is_addressed_by_what_the_variants_are_and_not_by_their_names_alone(pairs, tmp_path: Path):
    def place(variant: Variant, **changes) -> Path:
        asked = replace(Benchmark(pairs, (0,), Ablation({FULL: variant})), **changes)
        return work_folder(tmp_path, asked.question).place(asked.batches()[0])

    whole = Variant("")
    others = [place(Variant("", QUICK)), place(Variant("", contact_loss="hard")), place(Variant("", estimates=False)),
              place(whole, question=Ablation({FULL: whole}, ("oracle",))), place(whole, seeds=(1,)),
              place(whole, pairs=pairs[::-1])]  # fmt: skip
    assert place(whole) == place(Variant(""))
    assert len({place(whole), *others}) == 7


def test_a_variant_that_fails_is_lost_alone(body: AnnyBody, pairs, monkeypatch: pytest.MonkeyPatch):
    def unite(body, first, maps, weights, *, contact_loss):
        if contact_loss == "hard":
            raise RuntimeError("no fit")
        return [type("Fit", (), {"parameters": p.parameters}) for p in pairs]

    monkeypatch.setattr(ablation, "unite", unite)
    monkeypatch.setattr(ablation, "look", lambda *_: None)
    monkeypatch.setattr(
        synthetic_benchmark, "score", lambda body, cases, out: [{"pair_pa_mpjpe_mm": 1.0, "seconds": 2.0} for _ in out]
    )
    rows = Ablation(chosen_variants(["hard"]), ("oracle",)).measure(body, Part(pairs, pairs[::-1], 0))
    assert {(r.method, r.lost) for r in rows} == {("oracle: full", ""), ("oracle: hard", "RuntimeError: no fit")}
    assert len(rows) == 4


def test_the_table_has_paired_differences_to_the_whole_fit_with_the_same_answers():
    variants = chosen_variants(["hard", "chamfer"])
    names = [method_name(v, a) for v in variants for a in ANSWERS]
    rows = []
    for i in range(6):
        errors = {"contacts: full": 40.0 + i, "contacts: hard": 45.0 + 1.2 * i, "oracle: full": 30.0 + 10 * i,
                  "oracle: hard": 30.0 + 10 * i, "contacts: chamfer": 40.0 + i + 5 * (-1) ** i}  # fmt: skip
        rows += measured(names, f"pair-{i}", 0, errors)
    found = find(rows, [method_name(FULL, one) for one in ANSWERS])
    table = ablation_table(found, variants, ANSWERS)
    cells = {(row[0], row[1]): row[2:] for row in table.rows}
    assert list(cells) == [(a, v) for a in ANSWERS for v in variants]
    assert all(len(row) == len(table.header) for row in table.rows)
    assert cells["contacts", "full"][:2] == ("42.5", "-")
    mean, difference = cells["contacts", "hard"][:2]
    assert (mean, difference[:5], difference[-1]) == ("48.0", "+5.5 ", "*")
    assert cells["oracle", "hard"][1] == "+0.0 [+0.0, +0.0]"
    assert not cells["contacts", "chamfer"][1].endswith("*"), "it is better on some pairs and worse on others"
    assert {row[-1] for row in table.rows} == {"6"}
    assert [row[0] for row in variant_table(variants).rows] == list(variants)


def test_one_pair_is_never_called_sure_and_what_was_lost_has_no_number():
    variants = chosen_variants(["hard"])
    rows = measured(["oracle: full"], "a", 0, {"oracle: full": 10.0})
    rows += [replace(measured(["oracle: hard"], "a", 0, {})[0], values={}, lost="no fit")]
    table = ablation_table(find(rows, ["oracle: full"]), variants, ("oracle",))
    assert table.rows[1][2:] == ("-",) * 8 + ("0",)
    rows[1] = measured(["oracle: hard"], "a", 0, {"oracle: hard": 90.0})[0]
    table = ablation_table(find(rows, ["oracle: full"]), variants, ("oracle",))
    assert table.rows[1][3] == "+80.0 [+80.0, +80.0]"
    assert math.isfinite(float(table.rows[1][2]))
