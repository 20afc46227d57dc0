"""Feeds 1,000 spoilt files to `apu fit`, and counts the answers: python benchmarks/mutations.py [NUMBER].

Images, keypoint, contact and BEV files are changed at random, by fixed seeds, and given to the command line in this
process. Everything is real but the fit itself, which is left out. Ends with 1 when anything but a sound answer comes:
a traceback, an error without its remedy, or more than 5 seconds.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "hostile"))
from mutate import SOUND, TooSlow, mutated, time_limit  # pyright: ignore[reportMissingImports]

SECONDS = 5.0
OPTIONS = {
    "openpose": "--keypoints",
    "coco": "--keypoints",
    "contacts": "--contacts",
    "signatures": "--contacts",
    "bev": "--init",
}
OUTCOMES = ("accepted", "refused", "crashed", "no remedy", "too slow")


def without_fit() -> None:
    """The pipeline up to the fit; nothing is united and nothing written."""
    from apu import pipeline

    pipeline._unite_batch = lambda *_, **__: []
    pipeline.save = lambda *_, **__: []


def arguments(kind: str, folder: Path, spoilt: Path, seed: int) -> list[str]:
    """Every tenth spoilt image goes to the detector, the others go with keypoints."""
    if kind not in OPTIONS:
        return [str(spoilt)] if seed % 10 == 0 else [str(spoilt), "--keypoints", str(folder / "openpose")]
    option = OPTIONS[kind]
    people = [] if option == "--keypoints" else ["--keypoints", str(folder / "openpose")]
    return [str(folder / "hug.jpg"), *people, option, str(spoilt)]


def outcome(words: list[str], out: Path) -> tuple[str, str]:
    from apu.cli.main import main

    try:
        with time_limit(SECONDS):
            result = CliRunner().invoke(main, ["fit", *words, "--out", str(out)])
    except TooSlow:
        return "too slow", f"more than {SECONDS} s"
    if isinstance(result.exception, TooSlow):
        return "too slow", f"more than {SECONDS} s"
    if "Unexpected" in result.output or result.exit_code not in (0, 1, 2, 3):
        return "crashed", result.output[-600:]
    if result.exit_code == 0:
        return "accepted", ""
    return ("refused" if "\n  remedy" in result.output else "no remedy"), result.output[-600:]


def main(number: int) -> int:
    without_fit()
    counts: Counter[tuple[str, str]] = Counter()
    slowest = 0.0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "hug.jpg").write_bytes(SOUND["jpeg"]())
        (folder / "openpose").write_bytes(SOUND["openpose"]())
        kinds = list(SOUND)
        for i in range(number):
            kind, seed = kinds[i % len(kinds)], i // len(kinds)
            spoilt = folder / ("spoilt.jpg" if kind not in OPTIONS else "spoilt")
            sound = SOUND[kind]()
            spoilt.write_bytes(mutated(sound, seed - 1) if seed else sound)  # the first must be accepted
            start = time.perf_counter()
            word, said = outcome(arguments(kind, folder, spoilt, seed), folder / "out")
            slowest = max(slowest, time.perf_counter() - start) if i >= len(kinds) else slowest  # loading comes first
            counts[kind, word] += 1
            if word not in ("accepted", "refused") or (seed == 0 and word != "accepted" and kind in OPTIONS):
                print(f"{kind}, seed {seed}: {word}\n{said}")
    print(f"{'file':<12}" + "".join(f"{word:>11}" for word in OUTCOMES))
    for kind in kinds:
        print(f"{kind:<12}" + "".join(f"{counts[kind, word]:>11}" for word in OUTCOMES))
    print(f"{'all':<12}" + "".join(f"{sum(counts[kind, word] for kind in kinds):>11}" for word in OUTCOMES))
    print(f"{number} files in {time.perf_counter() - began:.0f} s; the slowest took {slowest:.2f} s")
    return int(any(counts[kind, word] for kind in kinds for word in OUTCOMES[2:]))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
