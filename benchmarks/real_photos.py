"""Fits the annotated pairs of real photos and prints what came out: python benchmarks/real_photos.py PHOTOS [--check].

As in `apu fit`, the shipped contact prior guides the fits; `--prior none` or a folder of `apu train` choose otherwise.

PHOTOS is a folder with `images/*.png`, `vitpose/*_keypoints.json` and `interaction_contact_signature.json` (FlickrCI3D
format). There is no true 3D for them: contacts are the human annotation, and the 2D error is that of the fit's own
input. `--check` fails when the hug of `college_232334` misses its targets.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import torch

from apu.pipeline import FitOptions, PairResult, fit
from apu.prior.shipped import Shipped, prior_of_word
from apu.show.report import pair_report

TOUCHING_M = 0.02
HEAD = (
    "photo           keypoints  pair    contacts within 2 cm  penetration  2D error A, B  age A, B"
    "      heights A, B  knees of B, deg  B behind A   wall"
)


def main(photos: Path, check: bool, prior: Path | Shipped | None) -> int:
    torch.set_num_threads(1)
    print(HEAD)
    misses: list[str] = []
    for name in ("college_232334", "girls_250416"):
        for source in ("embedded", "vitpose"):
            keypoints = (photos / "vitpose" / f"{name}_keypoints.json",) if source == "vitpose" else ()
            options = FitOptions(
                keypoints=keypoints, contacts=photos / "interaction_contact_signature.json", prior=prior
            )
            began = time.perf_counter()
            result = fit(photos / "images" / f"{name}.png", options)
            seconds = time.perf_counter() - began
            for pair in result.pairs:
                print(row(name, source, pair, seconds))
                if name.startswith("college"):
                    misses += missed(source, pair)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"peak memory {peak_gb:.1f} GB; wall is that of all pairs of a photo")
    for miss in misses:
        print(f"MISSED: {miss}")
    return 1 if check and misses else 0


def row(name: str, source: str, pair: PairResult, seconds: float) -> str:
    fitted, report = pair.fit, pair_report(pair.observation, pair.fit)
    a, b = report.people
    before = sum(contact.before_m <= TOUCHING_M for contact in fitted.contact_results)
    after = sum(contact.after_m <= TOUCHING_M for contact in fitted.contact_results)
    errors = " ".join(f"{e:.2f}" for e in fitted.reprojection_percent)
    knees = " ".join(f"{k:3.0f}" for k in b.knee_angles_deg)
    i, j = pair.indices
    return (
        f"{name:<16}{source:<11}{i:>2},{j:<4} {before:>9} -> {after} of {len(fitted.contact_results):<6}"
        f"{100 * fitted.penetration_max_m:>9.1f} cm   {errors:>9} %    {a.age_group}, {b.age_group:<6} "
        f"{a.height_m:>6.2f}, {b.height_m:.2f} m   {knees:>10}   "
        f"{b.root_depth_m - a.root_depth_m:>10.2f} m {seconds:>6.1f} s"
    )


def missed(source: str, pair: PairResult) -> list[str]:
    """Targets that the hug misses; A is the boy, B the woman. Ages and posture need keypoints that see her knees."""
    fitted, report = pair.fit, pair_report(pair.observation, pair.fit)
    boy, woman = report.people
    rules = {
        "13 contacts are annotated": len(fitted.contact_results) == 13,
        "9 contacts within 2 cm": sum(r.after_m <= TOUCHING_M for r in fitted.contact_results) >= 9,
        "penetration at most 4 cm": fitted.penetration_max_m <= 0.04,
        "2D error at most 2.5 %": max(fitted.reprojection_percent) <= 2.5,
    }
    if source == "vitpose":
        rules |= {
            "the boy is a child, the woman an adult": (boy.age_group, woman.age_group) == ("child", "adult"),
            "the woman kneels": min(woman.knee_angles_deg) > 60,
            "the woman is behind the boy": woman.root_depth_m > boy.root_depth_m,
        }
    return [f"{source}: {rule}" for rule, holds in rules.items() if not holds]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, metavar="PHOTOS")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--prior", default="shipped", metavar="NAME")
    given = parser.parse_args()
    sys.exit(main(given.photos, given.check, prior_of_word(given.prior)))
