"""RTMPose and RTMO by `rtmlib`, on graphs of a few constants: what they decode to is known by hand."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from apu.errors import InputError, ModelFileError
from apu.pose import rtmpose
from apu.pose.rtmpose import load_rtmo, load_rtmpose

WIDTH, HEIGHT = 48, 64
"""Of the graphs' input."""

PIXELS = np.full((200, 300, 3), (10, 100, 200), np.uint8)


def graph(path: Path, outputs: dict[str, np.ndarray], sides: tuple[object, object] = (HEIGHT, WIDTH)) -> Path:
    """A net that looks at nothing and always says the same, plus zero times the picture's mean."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, *sides])
    zero = numpy_helper.from_array(np.zeros((), np.float32), "zero")
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    nodes += [helper.make_node("Add", [f"{name}_value", "nothing"], [name]) for name in outputs]
    values = [numpy_helper.from_array(value.astype(np.float32), f"{name}_value") for name, value in outputs.items()]
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(v.shape)) for n, v in outputs.items()]
    made = helper.make_graph(nodes, "net", [picture], infos, [zero, *values])
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def peaks(joints: int, width: int = WIDTH, height: int = HEIGHT) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """SimCC outputs, twice as fine as the input, that peak at one bin for each joint; and those places (j, 2)."""
    at = np.stack([5 + np.arange(joints) % 40, 20 + np.arange(joints) % 40], axis=1)
    x, y = np.zeros((1, joints, 2 * width)), np.zeros((1, joints, 2 * height))
    x[0, np.arange(joints), 2 * at[:, 0]], y[0, np.arange(joints), 2 * at[:, 1]] = 0.9, 0.7
    return {"simcc_x": x, "simcc_y": y}, at


@pytest.mark.parametrize("joints", [17, 26, 133])
def test_peaks_are_decoded_to_the_place_in_the_photo_that_they_stand_for(tmp_path: Path, joints: int):
    outputs, at = peaks(joints)
    net = load_rtmpose(graph(tmp_path / "net.onnx", outputs))
    # A box of 60 x 80 is padded to 75 x 100, which has the input's shape; its corner is then at 92.5, 40.
    first, second = net(PIXELS, [(100.0, 50.0, 160.0, 130.0), (0.0, 0.0, 120.0, 160.0)])
    assert first[:, :2] == pytest.approx(np.array([92.5, 40]) + at * (75 / WIDTH), abs=1e-3)
    assert second[:, :2] == pytest.approx(np.array([-15, -20]) + at * (150 / WIDTH), abs=1e-3)
    assert first[:, 2] == pytest.approx(0.8)


def test_a_net_for_pictures_of_any_size_is_given_the_usual_one(tmp_path: Path):
    outputs, at = peaks(17, 192, 256)
    net = load_rtmpose(graph(tmp_path / "net.onnx", outputs, ("h", "w")))
    (rows,) = net(PIXELS, [(100.0, 50.0, 160.0, 130.0)])
    assert rows[:, :2] == pytest.approx(np.array([92.5, 40]) + at * (75 / 192), abs=1e-3)


def mean_colour(path: Path, kind: str) -> Path:
    """A net whose first output's first number is the mean of the first channel."""
    picture = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, HEIGHT, WIDTH])
    shape = (1, 17, 4) if kind == "rtmpose" else (1, 1, 5)
    second = (1, 17, 4) if kind == "rtmpose" else (1, 1, 17, 3)
    value = np.ones(second) if kind == "rtmpose" else np.tile([1, 1, 0.9], (1, 1, 17, 1))
    start, end = (numpy_helper.from_array(np.array([i]), name) for i, name in ((0, "start"), (1, "end")))
    axis = numpy_helper.from_array(np.array([1]), "axis")
    ones = numpy_helper.from_array(np.ones(shape, np.float32), "ones")
    nodes = [
        helper.make_node("Slice", ["picture", "start", "end", "axis"], ["channel"]),
        helper.make_node("ReduceMean", ["channel"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "ones"], ["told"]),
        helper.make_node("Identity", ["rest_value"], ["rest"]),
    ]
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("told", shape), ("rest", second))]
    rest = numpy_helper.from_array(value.astype(np.float32), "rest_value")
    made = helper.make_graph(nodes, "net", [picture], infos, [start, end, axis, ones, rest])
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_rtmpose_sees_red_first_and_rtmo_blue(tmp_path: Path):
    (rows,) = load_rtmpose(mean_colour(tmp_path / "p.onnx", "rtmpose"))(PIXELS, [(100.0, 50.0, 160.0, 130.0)])
    red = (10 - 123.675) / 58.395  # normalised as in training
    assert 2 * rows[0, 2] - 1 == pytest.approx(red, abs=1e-3)
    seen: list[np.ndarray] = []
    net = load_rtmo(mean_colour(tmp_path / "o.onnx", "rtmo"))
    net._net.postprocess = lambda outputs, *rest: (seen.append(outputs[0]), (np.zeros((1, 17, 2)), np.zeros((1, 17))))[
        1
    ]
    net(np.full((HEIGHT, WIDTH, 3), (10, 100, 200), np.uint8))
    assert seen[0][0, 0, 0] == pytest.approx(200)


def people(*at: tuple[float, float, float]) -> dict[str, np.ndarray]:
    """RTMO's outputs: of each person x, y of a box of 10 x 20 pixels, and the score; joints lie on its diagonal."""
    boxes = np.array([[[x, y, x + 10, y + 20, score] for x, y, score in at]])
    along = np.linspace(0, 1, 17)
    joints = np.array([[[[x + 10 * t, y + 20 * t, 0.5 + 0.4 * t] for t in along] for x, y, _ in at]])
    return {"dets": boxes, "keypoints": joints}


def test_rtmo_gives_everybody_in_pixels_of_the_photo_and_nobody_twice(tmp_path: Path):
    at = [(5, 5, 0.9), (5.5, 5, 0.8), (30, 12, 0.5), (20, 30, 0.1)]
    net = load_rtmo(graph(tmp_path / "net.onnx", people(*at)))
    found = sorted(net(PIXELS), key=lambda rows: rows[0, 0])
    ratio = min(HEIGHT / 200, WIDTH / 300)
    assert [rows.shape for rows in found] == [(17, 3)] * 2
    for rows, (x, y, _) in zip(found, (at[0], at[2]), strict=True):
        assert rows[0, :2] == pytest.approx(np.array([x, y]) / ratio, abs=1e-3)
        assert rows[-1] == pytest.approx([(x + 10) / ratio, (y + 20) / ratio, 0.9], abs=1e-3)


def test_rtmo_gives_nobody_where_it_sees_nobody(tmp_path: Path):
    assert load_rtmo(graph(tmp_path / "net.onnx", people((5, 5, 0.05))))(PIXELS) == []


def test_weights_of_another_net_are_refused_and_the_error_shows_what_they_give(tmp_path: Path):
    twenty = graph(tmp_path / "hands.onnx", peaks(21)[0])
    one = graph(tmp_path / "one.onnx", {"map": np.zeros((1, 17, 16, 12))})
    rtmo, simcc = graph(tmp_path / "rtmo.onnx", people((1, 1, 1))), graph(tmp_path / "simcc.onnx", peaks(17)[0])
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"no graph")
    for load, file, told in (
        (load_rtmpose, twenty, "(1, 21, 96)"),
        (load_rtmpose, one, "(1, 17, 16, 12)"),
        (load_rtmpose, rtmo, "(1, 1, 5)"),
        (load_rtmo, simcc, "(1, 17, 96)"),
        (load_rtmo, broken, ""),
        (load_rtmpose, tmp_path / "none.onnx", "no such file"),
        (load_rtmpose, tmp_path, "a folder"),
    ):
        with pytest.raises(ModelFileError) as error:
            load(file)
        assert told in str(error.value.got)
        assert "--detector-weights" in str(error.value.remedy)


def test_offline_the_error_says_what_to_put_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import rtmlib.tools.base

    def unreachable(url: str) -> str:
        raise OSError(f"no route to {url}")

    monkeypatch.setattr(rtmlib.tools.base, "download_checkpoint", unreachable)
    for load in (load_rtmpose, load_rtmo):
        with pytest.raises(ModelFileError) as error:
            load()
        assert "ONNX" in str(error.value.expected)
        assert "no route" in str(error.value.got)


def test_nothing_is_printed_while_a_net_is_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    load_rtmpose(graph(tmp_path / "net.onnx", peaks(17)[0]))
    assert capsys.readouterr().out == ""


def test_without_the_package_the_error_has_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rtmpose, "find_spec", lambda name: None)
    with pytest.raises(InputError) as error:
        load_rtmo()
    assert "--no-deps" in str(error.value.remedy)
