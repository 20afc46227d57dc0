from pathlib import Path

import numpy as np
from PIL import Image

from apu.evaluate import plots
from apu.evaluate.findings import find
from apu.evaluate.methods import METHODS
from apu.evaluate.plots import COLOURS, LINES, MARKERS, draw_benchmark
from apu.evaluate.report import BenchmarkInfo
from apu.evaluate.rows import BenchmarkRow

INFO = BenchmarkInfo("Benchmark on synthetic pairs", "apu eval synthetic", {"data": "synthetic"}, {"apu": "1"})


def rows(shift: float = 0.0) -> list[BenchmarkRow]:
    return [
        BenchmarkRow(f"p{i}", ("hug", "kick")[i % 2], "seen", 0, m, {"pair_pa_mpjpe_mm": 50.0 + 10 * i + 5 * k + shift})
        for i in range(4)
        for k, m in enumerate(METHODS)
    ]


def drawn(path: Path, some: list[BenchmarkRow]) -> Path:
    draw_benchmark(path, INFO, find(some), some)
    return path


def test_the_same_numbers_give_the_same_bytes_and_others_another_picture(tmp_path: Path):
    first = drawn(tmp_path / "a.png", rows()).read_bytes()
    assert drawn(tmp_path / "b.png", rows()).read_bytes() == first
    assert drawn(tmp_path / "c.png", rows(40.0)).read_bytes() != first


def test_every_method_is_drawn_in_its_own_colour(tmp_path: Path):
    assert set(COLOURS) == set(MARKERS) == set(LINES) == set(METHODS)
    assert len(set(COLOURS.values())) == len(set(MARKERS.values())) == len(METHODS)
    pixels = np.asarray(Image.open(drawn(tmp_path / "a.png", rows())).convert("RGB")).reshape(-1, 3)
    present = {f"#{r:02X}{g:02X}{b:02X}" for r, g, b in np.unique(pixels, axis=0).tolist()}
    assert set(COLOURS.values()) <= present


def test_lost_pairs_and_unknown_methods_leave_a_picture(tmp_path: Path):
    some = [
        BenchmarkRow("p", "hug", "seen", 0, "mine", {"pair_pa_mpjpe_mm": 70.0}),
        BenchmarkRow("p", "hug", "seen", 0, "keypoints", {}, "lost"),
    ]
    assert Image.open(drawn(tmp_path / "a.png", some)).size[0] > 1000


def test_no_figure_is_kept_by_pyplot():
    assert "pyplot" not in Path(plots.__file__).read_text()
