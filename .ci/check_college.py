"""Fails unless a fit of college_232334 with its human annotation is good: python .ci/check_college.py FOLDER [--kneels].

`--kneels`: the keypoints were good enough (ViTPose) to tell child from adult and to see that the woman kneels.
"""

import json
import sys
from pathlib import Path

from check_folder import check

TOUCHING_M = 0.02


def main(folder: Path, kneels: bool) -> None:
    check(folder)
    (pair,) = json.loads((folder / "run.json").read_text())["pairs"]
    fit = pair["fit"]
    met = sum(contact["distance_m"]["after"] <= TOUCHING_M for contact in fit["contacts"])
    print(f"contacts {met} of {len(fit['contacts'])}, penetration {100 * fit['penetration_max_m']:.1f} cm, "
          f"reprojection {fit['reprojection_percent']} %")  # fmt: skip
    assert len(fit["contacts"]) == 13
    assert met >= 9, "at least 9 contacts within 2 cm"
    assert fit["penetration_max_m"] <= 0.04, "penetration at most 4 cm"
    assert max(fit["reprojection_percent"]) <= 2.5, "reprojection error at most 2.5 % of the box diagonal"
    if kneels:
        boy, woman = pair["people"]
        print(f"boy {boy['age_group']}, {boy['height_m']:.2f} m; woman {woman['age_group']}, {woman['height_m']:.2f} m, "
              f"knees {woman['knee_angles_deg']}, {woman['root_depth_m'] - boy['root_depth_m']:.2f} m behind")  # fmt: skip
        assert (boy["age_group"], woman["age_group"]) == ("child", "adult")
        assert min(woman["knee_angles_deg"]) > 60, "the woman kneels"
        assert woman["root_depth_m"] > boy["root_depth_m"], "behind the boy"


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--kneels" in sys.argv)
