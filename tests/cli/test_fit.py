"""`apu fit` and `apu demo` with a stand-in for the pipeline: what is asked, what is printed, what is refused."""

from pathlib import Path

import pytest

from apu.cli.run import THREADS_VARIABLE
from apu.pose import weights


def test_options_reach_the_pipeline(run, stub):
    result = run(
        *["fit", "some/hug.jpg", "--pair", "1,0", "--pair", "2,1", "--contacts", "c.json"],
        *["--age", "B=child", "--seed", "7", "--out", "out", "--person-box", "0,0,9,9", "--person-box", "-1,2,3,4"],
        *["--person-keypoints", "1=me.json", "--init", "bev.npz", "--video", "--shared-floor"],
    )
    assert result.exit_code == 0, result.output
    ((photo, options),) = stub.calls
    assert photo == Path("some/hug.jpg")
    assert options.pairs == ((1, 0), (2, 1))
    assert not options.all_pairs
    assert options.contacts == Path("c.json")
    assert (options.keypoints, options.detector, options.detector_weights) == ((), "movenet", None)
    assert options.ages == ("unknown", "child")
    assert options.shared_floor
    assert options.seed == 7
    assert options.person_boxes == ((0.0, 0.0, 9.0, 9.0), (-1.0, 2.0, 3.0, 4.0))
    assert options.person_keypoints == ((1, Path("me.json")),)
    assert options.init == Path("bev.npz")
    assert stub.videos == [True]
    assert stub.saved == [(Path("out"), False)]


def test_several_keypoint_files_reach_the_pipeline_in_their_order(run, stub):
    assert run("fit", "hug.jpg", "--keypoints", "v.json", "--keypoints", "o.json").exit_code == 0
    ((_, options),) = stub.calls
    assert options.keypoints == (Path("v.json"), Path("o.json"))


def test_another_detector_is_loaded_before_any_work_and_its_name_reaches_the_pipeline(
    run, stub, monkeypatch: pytest.MonkeyPatch
):
    loaded = []
    monkeypatch.setattr("apu.cli.run.load_detector", lambda *given: loaded.append((given, len(stub.calls))))
    assert run("fit", "hug.jpg", "--detector", "vitpose", "--detector-weights", "net").exit_code == 0
    assert loaded == [(("vitpose", Path("net")), 0)]
    ((_, options),) = stub.calls
    assert (options.detector, options.detector_weights) == ("vitpose", Path("net"))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--detector-weights", "net.onnx"], 2, "takes no weights"),
        (["--detector", "rtmo", "--person-box", "0,0,9,9"], 2, "takes no boxes"),
        (["--keypoints", "k.json", "--detector", "rtmpose"], 2, "replace the detector"),
        (["--detector", "rtmpose", "--detector-weights", "none.onnx"], 3, "no such file"),
        (["--detector", "vitpose", "--detector-weights", "none"], 3, "model.safetensors"),
        (["--detector", "openpose"], 2, "'openpose' is not one of"),
    ],
)
def test_what_a_detector_cannot_do_is_refused_before_any_work(run, stub, arguments: list[str], code: int, told: str):
    result = run("fit", "hug.jpg", *arguments)
    assert result.exit_code == code
    assert told in result.output
    assert stub.calls == []


def test_the_folder_is_named_after_the_photo(run, stub):
    assert run("fit", "some/hug.jpg").exit_code == 0
    assert stub.saved == [(Path("hug_apu"), False)]


def test_the_summary_is_as_stored(run, stub, snapshot):
    result = run("fit", "hug.jpg", "--pair", "1,0")
    snapshot("summary", result.stdout)


def test_progress_goes_to_stderr(run, stub):
    result = run("fit", "hug.jpg")
    assert "finding people ..." in result.stderr
    assert "finding people" not in result.stdout


def test_a_failed_pair_is_named_and_the_exit_code_tells(run, stub):
    stub.failures = (((2, 0), "too few joints are seen"),)
    result = run("fit", "hug.jpg", "--all-pairs")
    assert result.exit_code == 1
    assert "Pair 2,0 failed: too few joints are seen" in result.stderr
    assert "Results in hug_apu/" in result.stdout


def test_a_folder_with_results_is_refused_before_any_work(run, stub, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    result = run("fit", "hug.jpg", "--out", "out")
    assert result.exit_code == 2
    assert "--overwrite" in result.stderr
    assert stub.calls == []


def test_overwrite_lets_results_be_replaced(run, stub, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").write_text("old")
    assert run("fit", "hug.jpg", "--out", "out", "--overwrite").exit_code == 0
    assert stub.saved == [(Path("out"), True)]


def test_an_output_folder_that_is_a_file_is_refused(run, stub, tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    result = run("fit", "hug.jpg", "--out", "out", "--overwrite")
    assert result.exit_code == 2
    assert "is a file" in result.stderr
    assert stub.calls == []


def test_a_wrong_number_of_threads_is_refused(run, stub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(THREADS_VARIABLE, "many")
    result = run("fit", "hug.jpg")
    assert result.exit_code == 2
    assert THREADS_VARIABLE in result.stderr


@pytest.fixture
def demo_photo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(weights, "ensure_demo_photo", lambda progress: tmp_path / "demo.jpg")
    return tmp_path / "demo.jpg"


def test_the_demo_fits_its_photo_and_can_be_repeated(run, stub, demo_photo: Path):
    assert run("demo").exit_code == 0
    again = run("demo")
    assert again.exit_code == 0
    assert [photo for photo, _ in stub.calls] == [demo_photo, demo_photo]
    assert stub.saved == [(Path("apu_demo"), False), (Path("apu_demo"), True)]
    assert again.stdout.splitlines()[-4:] == [
        "Results in apu_demo/",
        "  panel.png  look at this first: photo, overlay, side and top view, contacts painted",
        "  pair.glb   both meshes, for any 3D viewer",
        "  run.json   versions, options, and every number of the fit",
    ]


def test_the_demo_does_not_write_over_what_is_not_its_own(run, stub, demo_photo: Path, tmp_path: Path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("mine")
    assert run("demo", "--out", "thesis").exit_code == 2
    assert stub.calls == []
    assert run("demo", "--out", "thesis", "--overwrite").exit_code == 0
