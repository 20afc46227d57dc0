"""TF.js graphs made by hand, converted and run by onnxruntime, against torch with TensorFlow's rules for padding."""

import base64
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F

from apu.errors import ModelFileError
from apu.pose.tfjs_graph import Node, TfjsGraph, read_tfjs_graph
from apu.pose.tfjs_to_onnx import convert

GENERATOR = np.random.default_rng(0)


def text(value: str) -> dict:
    return {"s": base64.b64encode(value.encode()).decode()}


def texts(*values: str) -> dict:
    return {"list": {"s": [text(value)["s"] for value in values]}}


def integers(*values: int) -> dict:
    return {"list": {"i": [str(value) for value in values]}}


def placeholder(*shape: int) -> Node:
    return Node("input", "Placeholder", (), {"shape": {"shape": {"dim": [{"size": str(size)} for size in shape]}}})


def graph_of(*nodes: Node, shape: tuple[int, ...] = (1, -1, -1, 3), **weights: np.ndarray) -> TfjsGraph:
    """A placeholder called `input`, the nodes, and constants by name."""
    constants = [Node(name, "Const", (), {}) for name in weights]
    return TfjsGraph({node.name: node for node in [placeholder(*shape), *constants, *nodes]}, weights)


def run(graph: TfjsGraph, picture: np.ndarray, output: str = "out") -> np.ndarray:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        convert(graph, {"result": output}), options, providers=["CPUExecutionProvider"]
    )
    (result,) = session.run(["result"], {"input": picture})
    return np.asarray(result)


def normal(*shape: int) -> np.ndarray:
    return GENERATOR.normal(size=shape).astype(np.float32)


def same_padding(size: int, kernel: int, stride: int, dilation: int) -> tuple[int, int]:
    """TensorFlow: output ceil(size / stride), the odd pixel of padding at the end."""
    total = max((-(-size // stride) - 1) * stride + dilation * (kernel - 1) + 1 - size, 0)
    return total // 2, total - total // 2


def convolved(picture, kernel, *, stride=1, dilation=1, padding="SAME", groups=1, bias=None) -> np.ndarray:
    """Channels last in and out; kernel (height, width, in / groups, out)."""
    x = torch.from_numpy(picture.transpose(0, 3, 1, 2).copy())
    if padding == "SAME":
        rows = same_padding(x.shape[2], kernel.shape[0], stride, dilation)
        columns = same_padding(x.shape[3], kernel.shape[1], stride, dilation)
        x = F.pad(x, (*columns, *rows))
    weight = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
    bias = None if bias is None else torch.from_numpy(bias)
    return F.conv2d(x, weight, bias, stride, 0, dilation, groups).numpy().transpose(0, 2, 3, 1)


def conv_node(op: str, *inputs: str, stride: int = 1, dilation: int = 1, padding: str = "SAME", **more) -> Node:
    plane = {"strides": integers(1, stride, stride, 1), "dilations": integers(1, dilation, dilation, 1)}
    return Node("out", op, inputs, {**plane, "padding": text(padding), **more})


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (9, 8)])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (1, 3)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("kernel_size", [(3, 3), (1, 1), (2, 3)])
def test_convolution_pads_strides_and_dilates_as_tensorflow_does(size, stride, dilation, padding, kernel_size):
    kernel, picture = normal(*kernel_size, 3, 4), normal(1, *size, 3)
    node = conv_node("Conv2D", "input", "kernel", stride=stride, dilation=dilation, padding=padding)
    expected = convolved(picture, kernel, stride=stride, dilation=dilation, padding=padding)
    np.testing.assert_allclose(run(graph_of(node, kernel=kernel), picture), expected, atol=1e-5)


@pytest.mark.parametrize("multiplier", [1, 2])
def test_depthwise_convolution_gives_every_channel_its_own_kernels_in_channel_order(multiplier):
    kernel, picture = normal(3, 3, 3, multiplier), normal(1, 6, 9, 3)
    node = conv_node("DepthwiseConv2dNative", "input", "kernel", stride=2)
    each = [
        convolved(picture[..., c : c + 1], kernel[:, :, c : c + 1, k : k + 1], stride=2)
        for c in range(3)
        for k in range(multiplier)
    ]
    np.testing.assert_allclose(run(graph_of(node, kernel=kernel), picture), np.concatenate(each, -1), atol=1e-5)


@pytest.mark.parametrize(("activation", "bounds"), [("Relu", (0, np.inf)), ("Relu6", (0, 6))])
def test_fused_convolution_adds_its_bias_before_its_activation(activation, bounds):
    kernel, bias, picture = 4 * normal(3, 3, 3, 5), 4 * normal(5), normal(1, 6, 6, 3)
    node = conv_node("_FusedConv2D", "input", "kernel", "bias", fused_ops=texts("BiasAdd", activation))
    expected = np.clip(convolved(picture, kernel, bias=bias), *bounds)
    result = run(graph_of(node, kernel=kernel, bias=bias), picture)
    np.testing.assert_allclose(result, expected, atol=1e-4)
    assert result.min() == 0


def test_float16_weights_are_kept_as_they_are_stored():
    kernel, picture = normal(1, 1, 3, 4).astype(np.float16), normal(1, 4, 4, 3)
    result = run(graph_of(conv_node("Conv2D", "input", "kernel"), kernel=kernel), picture)
    np.testing.assert_allclose(result, convolved(picture, kernel.astype(np.float32)), atol=1e-5)


@pytest.mark.parametrize("size", [(6, 6), (5, 7)])
def test_max_pool_never_takes_its_padding_for_the_largest_value(size):
    picture = -1 - np.abs(normal(1, *size, 3))
    plane = {"ksize": integers(1, 3, 3, 1), "strides": integers(1, 2, 2, 1), "padding": text("SAME")}
    x = torch.from_numpy(picture.transpose(0, 3, 1, 2).copy())
    pads = (*same_padding(size[1], 3, 2, 1), *same_padding(size[0], 3, 2, 1))
    expected = F.max_pool2d(F.pad(x, pads, value=-np.inf), 3, 2).numpy().transpose(0, 2, 3, 1)
    result = run(graph_of(Node("out", "MaxPool", ("input",), plane)), picture)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("op", "function"),
    [("AddV2", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("RealDiv", np.divide), ("BiasAdd", np.add)],
)
@pytest.mark.parametrize("after_convolution", [True, False])
def test_a_constant_is_broadcast_over_the_last_axis_wherever_the_channels_lie(op, function, after_convolution):
    picture, kernel, constant = normal(1, 4, 5, 3), np.eye(3, dtype=np.float32)[None, None], 1 + np.abs(normal(3))
    convolution = Node("turned", "Conv2D", ("input", "kernel"), {"padding": text("SAME")})
    operation = Node("out", op, ("turned" if after_convolution else "input", "constant"), {})
    graph = graph_of(convolution, operation, kernel=kernel, constant=constant)
    np.testing.assert_allclose(run(graph, picture), function(picture, constant), atol=1e-6)


def test_a_turned_and_an_unturned_value_meet_in_tensorflows_order():
    picture, kernel = normal(1, 4, 5, 3), np.eye(3, dtype=np.float32)[None, None]
    convolution = Node("turned", "Conv2D", ("input", "kernel"), {"padding": text("SAME")})
    graph = graph_of(convolution, Node("out", "Sub", ("turned", "input"), {}), kernel=kernel)
    np.testing.assert_allclose(run(graph, picture), np.zeros_like(picture), atol=1e-6)


def test_pad_reads_its_margins_in_tensorflows_order():
    picture, kernel = normal(1, 4, 5, 3), np.eye(3, dtype=np.float32)[None, None]
    margins = np.array([[0, 0], [1, 2], [3, 0], [0, 1]], np.int32)
    convolution = Node("turned", "Conv2D", ("input", "kernel"), {"padding": text("SAME")})
    for source in ("turned", "input"):
        graph = graph_of(convolution, Node("out", "Pad", (source, "margins"), {}), kernel=kernel, margins=margins)
        np.testing.assert_allclose(run(graph, picture), np.pad(picture, margins), atol=1e-6)


def test_reshape_sees_the_channels_last():
    picture, kernel = normal(1, 4, 5, 3), np.eye(3, dtype=np.float32)[None, None]
    convolution = Node("turned", "Conv2D", ("input", "kernel"), {"padding": text("SAME")})
    reshape = Node("out", "Reshape", ("turned", "shape"), {})
    graph = graph_of(convolution, reshape, kernel=kernel, shape_=np.array([0]))
    graph = TfjsGraph(graph.nodes, {**graph.weights, "shape": np.array([1, -1, 3], np.int32)})
    np.testing.assert_allclose(run(graph, picture), picture.reshape(1, 20, 3), atol=1e-6)


@pytest.mark.parametrize("target", [(8, 10), (6, 6), (3, 2)])
@pytest.mark.parametrize("rule", ["align_corners", "half_pixel_centers"])
def test_bilinear_resize_follows_the_flag_for_pixel_centres(rule, target):
    picture = normal(1, 4, 5, 3)
    node = Node("out", "ResizeBilinear", ("input", "size"), {rule: {"b": True}})
    x = torch.from_numpy(picture.transpose(0, 3, 1, 2).copy())
    expected = F.interpolate(x, target, mode="bilinear", align_corners=rule == "align_corners")
    result = run(graph_of(node, size=np.array(target, np.int32)), picture)
    np.testing.assert_allclose(result, expected.numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_bilinear_resize_without_flags_scales_from_the_corner():
    picture = normal(1, 4, 5, 3)
    result = run(graph_of(Node("out", "ResizeBilinear", ("input", "s"), {}), s=np.array([8, 10], np.int32)), picture)
    np.testing.assert_allclose(result[:, ::2, ::2], picture, atol=1e-6)  # TensorFlow 1: pixel i comes from i * in / out
    np.testing.assert_allclose(result[:, 1:-1:2, ::2], (picture[:, 1:] + picture[:, :-1]) / 2, atol=1e-5)


def doubling() -> list[Node]:
    """`out` = the input resized to its own height and width times `factors`."""
    return [
        Node("shape", "Shape", ("input",), {}),
        Node("piece", "StridedSlice", ("shape", "begin", "end", "step"), {}),
        Node("size", "Mul", ("piece", "factors"), {}),
        Node("out", "ResizeBilinear", ("input", "size"), {"half_pixel_centers": {"b": True}}),
    ]


def test_up_sampling_of_an_open_size_grows_with_the_picture():
    graph = graph_of(*doubling(), factors=np.array([2, 3], np.int32))
    for size in ((4, 5), (7, 3)):
        assert run(graph, normal(1, *size, 3)).shape == (1, 2 * size[0], 3 * size[1], 3)


def test_a_size_computed_in_another_way_is_refused():
    nodes = [node for node in doubling() if node.name != "size"] + [Node("size", "Add", ("piece", "factors"), {})]
    with pytest.raises(ModelFileError, match="does not know") as caught:
        convert(graph_of(*nodes, factors=np.array([2, 2], np.int32)), {"result": "out"})
    assert "size computed by size" in str(caught.value)


@pytest.mark.parametrize(
    ("node", "named"),
    [
        (Node("out", "FancyOp", ("input",), {}), "FancyOp out"),
        (conv_node("_FusedConv2D", "input", "kernel", fused_ops=texts("Prelu")), "Prelu"),
        (conv_node("Conv2D", "input", "kernel", padding="EXPLICIT"), "EXPLICIT"),
        (conv_node("Conv2D", "input", "kernel", data_format=text("NCHW")), "channels last"),
        (conv_node("Conv2D", "input", "kernel", stride=2, dilation=2), "dilation without strides"),
        (conv_node("Conv2D", "input", "input"), "a constant as input 1"),
        (Node("out", "Cast", ("input",), {"DstT": {"type": "DT_INT32"}}), "DT_INT32"),
    ],
)
def test_an_unknown_operation_or_variant_is_refused_by_its_name(node, named):
    with pytest.raises(ModelFileError, match="does not know") as caught:
        convert(graph_of(node, kernel=normal(3, 3, 3, 4)), {"result": "out"})
    assert named in str(caught.value)
    assert node.name in str(caught.value)


def test_a_missing_node_and_a_loop_are_model_file_errors():
    with pytest.raises(ModelFileError, match="lacks a node") as caught:
        convert(graph_of(Node("out", "Relu", ("gone",), {})), {"result": "out"})
    assert caught.value.where == "gone"
    loop = graph_of(Node("out", "Relu", ("back",), {}), Node("back", "Relu", ("out",), {}))
    with pytest.raises(ModelFileError, match="loop"):
        convert(loop, {"result": "out"})


def test_an_operation_may_read_a_constant_where_it_usually_reads_a_value():
    graph = graph_of(
        Node("same", "Identity", ("constant",), {}),
        Node("positive", "Relu", ("same",), {}),
        Node("out", "Add", ("input", "positive"), {}),
        constant=np.array([-1, 2, 3], np.float32),
    )
    picture = normal(1, 2, 2, 3)
    np.testing.assert_allclose(run(graph, picture), picture + np.array([0, 2, 3], np.float32), atol=1e-6)


def test_the_same_graph_gives_the_same_bytes():
    graph = graph_of(conv_node("Conv2D", "input", "kernel"), kernel=normal(3, 3, 3, 4))
    assert convert(graph, {"result": "out"}) == convert(graph, {"result": "out"})


def write_model(folder: Path, weights: bytes, entry: dict) -> Path:
    topology = {"node": [{"name": "out", "op": "Identity", "input": ["w:0", "^control"]}, {"name": "w", "op": "Const"}]}
    manifest = [{"paths": ["../outside/w.bin"], "weights": [{"name": "w", **entry}]}]
    (folder / "w.bin").write_bytes(weights)
    path = folder / "model.json"
    path.write_text(json.dumps({"modelTopology": topology, "weightsManifest": manifest}))
    return path


def test_a_model_on_disk_is_read_with_its_weights_from_its_own_folder_only(tmp_path: Path):
    values = np.arange(6, dtype=np.float16)
    entry = {"dtype": "float32", "shape": [2, 3], "quantization": {"dtype": "float16"}}
    graph = read_tfjs_graph(write_model(tmp_path, values.tobytes(), entry))
    assert graph.weights["w"].dtype == np.float16
    np.testing.assert_array_equal(graph.weights["w"], values.reshape(2, 3))
    assert graph.nodes["out"].inputs == ("w",)


@pytest.mark.parametrize(
    ("weights", "entry"),
    [
        (b"\0" * 20, {"dtype": "float32", "shape": [2, 3]}),
        (b"\0" * 28, {"dtype": "float32", "shape": [2, 3]}),
        (b"\0" * 6, {"dtype": "float32", "shape": [6], "quantization": {"dtype": "uint8"}}),
        (b"\0" * 24, {"dtype": "string", "shape": [6]}),
        (b"\0" * 24, {"dtype": "float32", "shape": "six"}),
    ],
    ids=["short", "long", "quantised", "unknown type", "no shape"],
)
def test_weights_that_do_not_fit_their_description_are_refused(tmp_path: Path, weights: bytes, entry: dict):
    with pytest.raises(ModelFileError, match="cannot be read") as caught:
        read_tfjs_graph(write_model(tmp_path, weights, entry))
    assert caught.value.where == str(tmp_path / "model.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe", b'{"modelTopology": {"node": [1]}}'])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ModelFileError, match="cannot be read"):
        read_tfjs_graph(tmp_path / "model.json")
