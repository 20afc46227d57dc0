"""How long a user waits before anything happens: `import apu` and `apu --help`, on top of the bare interpreter.

Prints the best of several runs, because a busy machine only ever adds. Ends with 1 above the bounds.

    python benchmarks/startup.py
"""

import subprocess
import sys
import time

RUNS = 10
BOUNDS_S = {"import apu": 0.3, "apu --help": 0.5}
COMMANDS = {
    "bare python": ["-c", "pass"],
    "import apu": ["-c", "import apu"],
    "apu --help": ["-m", "apu.cli.main", "--help"],
}


def best_seconds(arguments: list[str]) -> float:
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> int:
    measured = {name: best_seconds(arguments) for name, arguments in COMMANDS.items()}
    bare = measured["bare python"]
    print(f"bare python {bare:.3f} s, best of {RUNS}")
    for name, bound in BOUNDS_S.items():
        extra = measured[name] - bare
        print(f"{name}: {measured[name]:.3f} s, {extra:.3f} s above bare python (bound {bound} s)")
    return int(any(measured[name] - bare > bound for name, bound in BOUNDS_S.items()))


if __name__ == "__main__":
    sys.exit(main())
