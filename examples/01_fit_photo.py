"""Fit the closest pair of a photo from Python: python examples/01_fit_photo.py PHOTO OUT."""

import sys
from pathlib import Path

from apu import FitOptions, fit
from apu.pipeline import save

photo, out = map(Path, sys.argv[1:3])
options = FitOptions(ages=("unknown", "unknown"))  # e.g. ("adult", "child") for A and B, where you know it
result = fit(photo, options, progress=lambda stage, share=0.0: print(f"{stage} {share:.0%}", file=sys.stderr))

for pair in result.pairs:
    a, b = pair.indices
    bodies = pair.fit
    print(f"people {a} and {b}: {bodies.heights_m[0]:.2f} m and {bodies.heights_m[1]:.2f} m tall")
    print(f"  deepest point of one in the other: {100 * bodies.penetration_max_m:.1f} cm")
    for contact, distance in zip(bodies.contacts.contacts, bodies.contact_results, strict=True):
        print(f"  {contact.name}: {100 * distance.before_m:.1f} -> {100 * distance.after_m:.1f} cm")

for file in save(result, out, options=options, overwrite=True):
    print(file)
