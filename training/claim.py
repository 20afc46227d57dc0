"""The paper's claim in a world with truth: does a prior that learned from fits of many classes help on unseen ones?

    python training/claim.py WORK --stage data|train|evaluate|all --seeds 0,1,2 --jobs 2

Everything lies in WORK; what is finished is not done again, and a killed run goes on with the same command. Data sets,
priors and evaluations come from `apu` commands, which are printed as they run. All of it is synthetic.

- lab: true pairs of three classes, as motion capture has them; lab-large: as many of them as lab and wild together.
- wild: fits of `apu build` to simulated observations with noisy answers, of all seen classes; one for each seed.
- lab+wild, and controls: shuffled (B from another pair), random (untrained), classes-K (lab and as many fits of K
  classes, for every K).
- ceiling: true pairs of the unseen classes themselves, to see how much there is to gain.
"""

import argparse
import json
import shlex
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path

import torch
from claim_data import of_classes, records_of, shuffled, with_estimates, write
from claim_report import report
from claim_setup import SMALL, Claim, Sizes

from apu.cache import written_whole
from apu.cli.main import main as apu_main
from apu.dataset.engine import Failure, LocalEngine, SerialEngine
from apu.dataset.folder import INFO
from apu.dataset.meshes import body_of
from apu.dataset.store import PairStore
from apu.dataset.synthetic.interaction import GROUPS_OF_SPLIT, interactions
from apu.prior.checkpoint import CONFIG, load_prior, save_prior
from apu.prior.network import Denoiser

UNSEEN = {"validation": "dev-unseen", "test": "test-unseen"}
MOST_PARTS = 20
"""Of the pairs that wild is built from; where these do not give enough, something else is wrong."""
LAB_SEED, WILD_SEED, TEST_SEED, CEILING_SEED = 201, 101, 301, 401
"""Of the generator: nothing is in two of the data sets, as --test-seed, which is added, stays below 100."""


# ---------------------------------------------------------------------------------------------------------------- data


def make_data(claim: Claim) -> None:
    """All data sets that are not there."""
    sizes = claim.sizes
    lab, large = claim.data("lab"), claim.data("lab-large")
    synth(claim, "lab", "train", sizes.large, LAB_SEED, sizes.lab_classes)
    if not finished(large):
        keep_with_estimates(claim, "lab", "lab-large")
    if not finished(lab):
        keep(lab, islice(PairStore(large).records(), sizes.lab), "synthetic", {"of": "lab-large"})
    for seed in claim.seeds:
        make_wild(claim, seed)
    first = claim.seeds[0]
    if not finished(mixed := claim.data(f"shuffled-{first}")):
        keep(mixed, shuffled(records_of(lab, claim.data(f"wild-{first}")), first), "simulated", {"of": "lab, wild"})
    make_subsets(claim, first)


def make_wild(claim: Claim, seed: int) -> None:
    """Fits until enough are accepted, part by part."""
    if finished(folder := claim.data(f"wild-{seed}")):
        return
    parts: list[Path] = []
    taken = tried = 0
    while taken < claim.sizes.wild and len(parts) < MOST_PARTS:
        number = len(parts)
        synth(claim, f"wild-{number}", "train", claim.sizes.part, WILD_SEED + number)
        built = claim.work / "built" / f"{seed}-{number}"
        if not finished(built):
            apu(
                "build", "--synthetic", claim.true(f"wild-{number}"), "--out", built, "--seed", seed, "--prior", "none",
                "--accepted", claim.sizes.wild - taken, "--jobs", claim.jobs, "--resume", *filtering(claim.sizes),
            )  # fmt: skip
        parts.append(built)
        taken += len(PairStore(built))
        rejected = built / "rejected.jsonl"
        tried += len(PairStore(built)) + len(rejected.read_text(encoding="utf-8").splitlines())
        say(f"wild of seed {seed}: {taken} of {tried} fits accepted ({taken / tried:.0%}), {claim.sizes.wild} wanted")
    if taken < claim.sizes.wild:
        raise SystemExit(f"{MOST_PARTS} parts gave {taken} accepted fits of {claim.sizes.wild}; lower --min-chance.")
    count = keep(folder, records_of(*parts), "simulated", {"of": [part.name for part in parts], "tried": tried})
    say(f"wild of seed {seed}: {dict(sorted(Counter(r.interaction for r in records_of(folder)).items()))}, {count}")


def make_subsets(claim: Claim, seed: int) -> None:
    """Wild fits of fewer classes, all of as many pairs: those of lab first, then the others by name."""
    if all(finished(claim.data(f"classes-{count}-{seed}")) for count in claim.sizes.class_counts):
        return
    records = records_of(claim.data(f"wild-{seed}"))
    ours = claim.sizes.lab_classes
    others = [name for name in classes_of("seen") if name not in ours]
    chosen = {count: [*ours, *others][:count] for count in claim.sizes.class_counts}
    most = min(sum(record.interaction in classes for record in records) for classes in chosen.values())
    if not most:
        raise SystemExit("A subset of the classes has no accepted fit; make wild larger.")
    for count, classes in chosen.items():
        if not finished(folder := claim.data(f"classes-{count}-{seed}")):
            keep(folder, of_classes(records, classes, most), "simulated", {"of": f"wild-{seed}", "classes": classes})


def keep_with_estimates(claim: Claim, true: str, name: str) -> None:
    """True pairs as a simulated camera sees them, with estimates of the first family."""
    store = PairStore(claim.true(true))
    body = body_of(store.info.body_model)
    keep(claim.data(name), with_estimates(body, store.records(), 0), "synthetic", {"of": f"true/{true}"})


def classes_of(group: str) -> list[str]:
    """Names."""
    return sorted(name for name, one in interactions().items() if one.group == group)


def synth(claim: Claim, name: str, split: str, pairs: int, seed: int, classes: Sequence[str] = ()) -> None:
    """True pairs."""
    if not finished(claim.true(name)):
        only = ("--classes", ",".join(classes)) if classes else ()
        folder, jobs = claim.true(name), claim.jobs
        apu("synth", folder, "--split", split, "--pairs", pairs, "--seed", seed, *only, "--jobs", jobs, "--resume")


def filtering(sizes: Sizes) -> tuple[str, ...]:
    """Words for `apu build`."""
    if not sizes.verdict:
        return ("--no-verdict",)
    return () if sizes.min_chance is None else ("--min-chance", str(sizes.min_chance))


def keep(folder: Path, records, kind: str, settings: dict) -> int:
    """Write a data set of ours, and say so."""
    records = iter(records)
    first = next(records)
    count = write(folder, (record for some in ([first], records) for record in some), first.body_model, kind, settings)
    say(f"{count} pairs in {folder}")
    return count


# --------------------------------------------------------------------------------------------------------------- train


def train_all(claim: Claim) -> None:
    """All priors that are not there, `jobs` at a time."""
    wanted = [words for words in trainings(claim) if not trained(Path(words[words.index("--out") + 1]))]
    engine = SerialEngine() if claim.jobs == 1 else LocalEngine(claim.jobs)
    for words in wanted:
        say(command(words))
    for words, outcome in engine.run(wanted, run_apu):
        if isinstance(outcome, Failure) or outcome:
            reason = outcome.reason if isinstance(outcome, Failure) else f"exit code {outcome}"
            raise SystemExit(f"{command(words)}\n{reason}")
    make_random(claim, claim.seeds[0])


def trainings(claim: Claim) -> Iterator[tuple[str, ...]]:
    """Words of every `apu train`; those that the claim is about first."""
    sizes, first = claim.sizes, claim.seeds[0]
    wanted: list[tuple[str, int, tuple[str, ...]]] = []
    for seed in claim.seeds:
        wanted += [("lab", seed, ("lab",)), ("lab-large", seed, ("lab-large",))]
        wanted += [("lab+wild", seed, ("lab", f"wild-{seed}"))]
    wanted += [("wild", seed, (f"wild-{seed}",)) for seed in claim.seeds]
    wanted += [("shuffled", first, (f"shuffled-{first}",))]
    wanted += [(f"classes-{count}", first, ("lab", f"classes-{count}-{first}")) for count in sizes.class_counts]
    for name, seed, sets in wanted:
        yield training(claim, name, seed, sets)


def training(claim: Claim, name: str, seed: int, sets: Sequence[str]) -> tuple[str, ...]:
    """Words of one `apu train`."""
    sizes = claim.sizes
    data = [str(claim.data(one)) for one in sets]
    course = ("--steps", str(sizes.steps), "--batch", str(sizes.batch), *sizes.network)
    return ("train", *data, "--out", str(claim.prior(name, seed)), "--seed", str(seed), *course, "--resume")


def make_random(claim: Claim, seed: int) -> None:
    """The control that never learned: lab+wild's prior with fresh weights."""
    if trained(folder := claim.prior("random", seed)):
        return
    body = body_of(PairStore(claim.data("lab")).info.body_model)
    prior = load_prior(claim.prior("lab+wild", seed), body)
    torch.manual_seed(seed)
    network = Denoiser(prior.representation.tokens, prior.schedule, prior.network.settings)
    save_prior(folder, replace(prior, network=network), "cosine", {"control": "random weights", "seed": seed})


def make_ceiling(claim: Claim) -> tuple[str, int]:
    """A prior that learned the truth of the very classes that are measured as unseen: what there is to gain."""
    name, seed = f"ceiling-{claim.split}", claim.seeds[0]
    synth(claim, name, claim.split, claim.sizes.large, CEILING_SEED, classes_of(UNSEEN[claim.split]))
    if not finished(claim.data(name)):
        keep_with_estimates(claim, name, name)
    if not trained(claim.prior(name, seed)):
        apu(*training(claim, name, seed, (name,)))
    return name, seed


# ------------------------------------------------------------------------------------------------------------ evaluate


def evaluate(claim: Claim) -> None:
    """Measure all priors, and say whether the claim holds."""
    sizes, split, unseen = claim.sizes, claim.split, UNSEEN[claim.split]
    data: list[str] = []
    for group, pairs, offset in ((unseen, sizes.unseen, 0), ("seen", sizes.seen, 1000)):
        assert group in GROUPS_OF_SPLIT[split]  # type: ignore[index]
        name = f"{split}-{claim.test_seed}-{group}"
        synth(claim, name, split, pairs, TEST_SEED + offset + claim.test_seed, classes_of(group))
        data += ["--data", str(claim.true(name))]
    first = claim.seeds[0]
    four = ("lab", "lab-large", "wild", "lab+wild")
    seeds = [("lab+wild", seed) for seed in claim.seeds]
    runs = {
        "priors": ([(name, seed) for name in four for seed in claim.seeds], ("--methods", "keypoints")),
        "contacts": (seeds, ("--methods", "contacts")),
        "buddi": ([("lab", first), ("lab+wild", first)], ("--recipe", "ours,buddi", "--methods", "keypoints")),
        "controls": ([(name, first) for name in ("shuffled", "random", "lab+wild")], ("--methods", "keypoints")),
        "classes": ([(f"classes-{count}", first) for count in sizes.class_counts], ("--methods", "keypoints")),
    }
    if "ceiling" in claim.runs:
        runs["ceiling"] = ([("lab-large", first), make_ceiling(claim)], ("--methods", "keypoints"))
    runs = {name: runs[name] for name in claim.runs}
    diversity = compared(claim)
    for family in claim.families:
        folder = claim.work / "eval" / "-".join([split, str(claim.test_seed), family, *claim.heard]).replace("--", "")
        for name, (priors, words) in runs.items():
            named = [word for one, seed in priors for word in ("--prior", f"{one}/{seed}={claim.prior(one, seed)}")]
            apu(
                "eval", "prior", *data, "--pairs", sizes.unseen + sizes.seen, "--observation-seeds", claim.test_seed,
                "--family", family, *words, *claim.heard, *named, "--jobs", claim.jobs,
                "--out", folder / name, "--resume",
            )  # fmt: skip
        tables = {name: json.loads((folder / name / "table.json").read_bytes()) for name in runs}
        text = report({**tables, "diversity": diversity}, unseen, family)
        with written_whole(folder / "claim.txt") as temporary:
            temporary.write_text(text + "\n", encoding="utf-8")
        say(f"\n{text}\n\nTables in {folder}/")


def compared(claim: Claim) -> dict:
    """How various the truth of few classes is, and the fits of many."""
    out = claim.work / "compare"
    if not (out / "table.json").is_file():
        apu("dataset", "compare", claim.data("lab-large"), claim.data(f"wild-{claim.seeds[0]}"), "--out", out)
    return json.loads((out / "table.json").read_bytes())


# -------------------------------------------------------------------------------------------------------------- common


def apu(*words: object) -> None:
    """Run a command of ours, which is printed first.

    Raises:
        SystemExit: it fails.
    """
    plain = tuple(map(str, words))
    say(f"$ {command(plain)}")
    if code := run_apu(plain):
        raise SystemExit(code)


def run_apu(words: tuple[str, ...]) -> int:
    """Its exit code."""
    found = apu_main(list(words), prog_name="apu", standalone_mode=False)
    return found if isinstance(found, int) else 0


def command(words: Sequence[str]) -> str:
    """As one types it."""
    return shlex.join(["apu", *words])


def say(text: str) -> None:
    """At once, also into a file."""
    print(text, flush=True)


def finished(folder: Path) -> bool:
    """Whether a data set is whole."""
    return (folder / INFO).is_file()


def trained(folder: Path) -> bool:
    """Whether a prior is whole."""
    return (folder / CONFIG).is_file()


def claim_of(arguments: argparse.Namespace) -> Claim:
    """What the options ask for; WORK remembers its sizes.

    Raises:
        SystemExit: WORK was begun with others.
    """
    sizes = SMALL if arguments.small else Sizes()
    if arguments.min_chance is not None:
        sizes = replace(sizes, min_chance=arguments.min_chance)
    file, told = arguments.work / "claim.json", json.dumps(asdict(sizes), indent=1)
    if not file.exists():
        with written_whole(file) as temporary:
            temporary.write_text(told, encoding="utf-8")
    elif file.read_text(encoding="utf-8") != told:
        raise SystemExit(f"{file} has other sizes or another --min-chance: name another folder, or delete this one.")
    heard = [(f"--{name}", getattr(arguments, name.replace("-", "_"))) for name in HEARD]
    return Claim(
        arguments.work, sizes, arguments.seeds, arguments.jobs, arguments.split, arguments.test_seed,
        ("bev",) if arguments.small else arguments.families, arguments.runs,
        tuple(word for option, value in heard if value is not None for word in (option, value)),
    )  # fmt: skip


HEARD = ("factor", "times", "start-steps", "sigmas")
"""Options that are handed to `apu eval prior` as they are; choose them on the validation split."""


RUNS = ("priors", "contacts", "buddi", "controls", "classes", "ceiling")
"""Parts of an evaluation: without and with contact answers, by BUDDI's recipe, controls, classes removed, and a prior
that knows the unseen classes."""


def words_of(text: str) -> tuple[str, ...]:
    """`bev,second`."""
    return tuple(text.split(","))


def runs_of(text: str) -> tuple[str, ...]:
    """`priors,contacts`; the report needs the first.

    Raises:
        ArgumentTypeError: there is no such part, or the first is missing.
    """
    runs = words_of(text)
    if RUNS[0] not in runs or set(runs) - set(RUNS):
        raise argparse.ArgumentTypeError(f"expected {RUNS[0]} and any of {', '.join(RUNS[1:])}; got {text}")
    return runs


def test_seed_of(text: str) -> int:
    """`1`.

    Raises:
        ArgumentTypeError: with this seed, pairs of another data set would be measured.
    """
    most = CEILING_SEED - TEST_SEED - 1
    if not text.isdecimal() or int(text) > most:
        raise argparse.ArgumentTypeError(f"expected 0 to {most}; got {text}")
    return int(text)


def seeds_of(text: str) -> tuple[int, ...]:
    """`0,1,2`."""
    return tuple(int(part) for part in text.split(","))


def parser() -> argparse.ArgumentParser:
    """Of the command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("work", type=Path, metavar="WORK")
    made.add_argument("--stage", choices=("data", "train", "evaluate", "all"), default="all")
    made.add_argument("--seeds", type=seeds_of, default=(0, 1, 2), help="of observations, answers and trainings")
    made.add_argument("--jobs", type=int, default=2, help="processes")
    made.add_argument("--min-chance", type=float, help="of apu build: least chance of an accurate fit")
    made.add_argument("--split", choices=tuple(UNSEEN), default="validation", help="which unseen classes are measured")
    made.add_argument("--test-seed", type=test_seed_of, default=0, help="of the measured pairs and their observations")
    made.add_argument("--families", type=words_of, default=("bev", "second"))
    made.add_argument("--runs", type=runs_of, default=RUNS, help="parts of the evaluation, the first at least")
    for name in HEARD:
        made.add_argument(f"--{name}", help="as of apu eval prior")
    made.add_argument("--small", action="store_true", help="a few pairs and steps, to see that everything runs")
    return made


def main(words: Sequence[str] | None = None) -> None:
    """Run the stages that are asked for."""
    arguments = parser().parse_args(words)
    claim = claim_of(arguments)
    torch.set_num_threads(1)
    stages = {"data": make_data, "train": train_all, "evaluate": evaluate}
    for name, stage in stages.items():
        if arguments.stage in (name, "all"):
            stage(claim)


if __name__ == "__main__":
    sys.exit(main())
