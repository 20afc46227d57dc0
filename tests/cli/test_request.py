"""The command line's plain record of what was asked is that of `run.json`."""

from dataclasses import asdict, fields
from pathlib import Path

from apu.cli.batch_table import TOUCHING_M
from apu.cli.output import RESULT_FILES
from apu.cli.request import Request, printable
from apu.cli.summary import TOUCHING_M as SUMMARY_TOUCHING_M
from apu.prior.shipped import SHIPPED_FOLDER
from apu.scene.results import FitOptions
from apu.show import files
from apu.show.report import plain

FULL = {
    "pairs": ((1, 0), (2, 1)),
    "all_pairs": True,
    "keypoints": (Path("k/x.json"), Path("k/y.json")),
    "detector": "vitpose",
    "detector_weights": Path("vitpose"),
    "contacts": Path("caf\udce9.json"),
    "annotator": "openai:a-model",
    "person_boxes": ((1.0, 2.5, 3.0, 4.0),),
    "person_keypoints": ((0, Path("me.json")),),
    "init": Path("bev.npz"),
    "body": "smplx",
    "body_file": Path("models"),
    "prior": Path("both"),
    "ages": ("adult", "child"),
    "shared_floor": True,
    "seed": 7,
}


def test_a_request_has_the_fields_and_defaults_of_the_fit_options():
    assert [field.name for field in fields(Request)] == [field.name for field in fields(FitOptions)]
    assert FitOptions(**vars(Request())) == FitOptions()


def test_a_request_is_recorded_as_run_json_records_it():
    for values in ({}, FULL):
        assert Request(**values).recorded() == plain(asdict(FitOptions(**values)))


def test_every_keypoint_file_and_the_weights_count_as_files_of_the_request(tmp_path: Path):
    for name in ("config.json", "model.safetensors", "README.md"):
        (tmp_path / name).write_text("")
    keypoints = (Path("a.json"), Path("b.json"))
    assert Request(keypoints=keypoints, prior=None).files() == list(keypoints)
    found = Request(detector="vitpose", detector_weights=tmp_path, prior=None).files()
    assert [file.name for file in found] == ["config.json", "model.safetensors"]
    assert Request(detector="rtmo", detector_weights=Path("net.onnx"), prior=None).files() == [Path("net.onnx")]
    assert Request().files() == [SHIPPED_FOLDER / "config.json"]  # another shipped prior, another fit


def test_the_names_of_result_files_are_those_that_are_written():
    assert {files.PANEL, files.GLB, files.OBJ, files.NPZ, files.CONTACTS, files.RUN, files.PEOPLE} <= RESULT_FILES


def test_met_means_the_same_in_the_table_and_in_the_summary():
    assert TOUCHING_M == SUMMARY_TOUCHING_M


def test_a_file_name_cannot_steer_the_terminal():
    assert printable("a\x1b[2Jb\udce9") == "a?[2Jb?"
