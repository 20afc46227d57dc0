"""`apu` with a fit that takes a while and computes nothing, for tests that kill it: python slow_apu.py fit in/ ...

It writes its files as the real one does: whole, by rename, and `run.json` last. A photo called `slow*` is never done.
"""

import json
import sys
import time
import types
from pathlib import Path

from apu import __version__
from apu.cache import sha256_file, written_whole
from apu.cli.main import main
from apu.errors import PhotoError

FILES = ("people.png", "panel.png", "pair.npz", "run.json")


def fit_and_save(
    photo: Path, request, folder: Path, progress, *, overwrite: bool, video: bool = False, annotator: None = None
):
    progress("finding people")
    if photo.stem.startswith("bad"):
        raise PhotoError("The photo cannot be decoded.", where=photo)
    record = {
        "versions": {"apu": __version__},
        "options": request.recorded(),
        "photo": {"sha256": sha256_file(photo)},
        "people_found": {"count": 2},
    }
    for name in FILES:
        with written_whole(folder / name) as path:
            path.write_text("half of it")
            if photo.stem.startswith("slow") and name == "pair.npz":
                print("in the middle", flush=True)
                time.sleep(60)
            path.write_text(json.dumps(record))


if __name__ == "__main__":
    run = types.ModuleType("apu.cli.run")  # the real one loads torch
    run.__dict__.update(
        fit_and_save=fit_and_save, use_threads=lambda: None, annotator_of=lambda *_: None, check_models=lambda _: None
    )
    sys.modules["apu.cli.run"] = run
    main(prog_name="apu")
