"""TF.js graph model -> ONNX, with numpy and onnx only: no TensorFlow, and nothing lost.

TensorFlow keeps the channels last, ONNX convolutions want them second. A tensor is turned when an operation needs it
and stays turned until one does not, so a convolutional net is turned once on the way in and once on the way out.
The operations are those of MoveNet and BlazePose; to add one, write its handler and name it in `_HANDLERS`.
When the same graph comes out otherwise than before, raise `apu.pose.weights._CONVERSION`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from apu.errors import ModelFileError
from apu.pose.onnx_graph import OnnxGraph
from apu.pose.tfjs_graph import Node, TfjsGraph

_AXES = ("batch", "height", "width", "channels")
_TO_FIRST = (0, 3, 1, 2)
_TO_LAST = (0, 2, 3, 1)
_PADDING = {"SAME": "SAME_UPPER", "VALID": "VALID"}
_ELEMENTWISE = {"Add": "Add", "AddV2": "Add", "BiasAdd": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div"}
_SHAPE_GIVEN = ("Reshape", "ResizeBilinear")  # their second input is a shape and is read by the handler


def convert(graph: TfjsGraph, outputs: Mapping[str, str]) -> bytes:
    """Convert the part of a graph that leads to the wanted nodes.

    Args:
        graph: its placeholder sizes of -1 stay dynamic.
        outputs: name of the ONNX output -> node of the graph. Values come out as in TensorFlow, channels last.

    Returns:
        The serialised ONNX model, always the same for the same graph. Inputs are float32 whatever the placeholder's
        type, and keep its name.

    Raises:
        ModelFileError: the graph uses an operation, or a variant of one, that is not known here.
    """
    conversion = _Conversion(graph)
    for node in _in_order(graph, outputs.values()):
        handler = _HANDLERS.get(node.op)
        if handler is None:
            raise _unknown(node, f"one of {', '.join(sorted(_HANDLERS))}", node.op)
        conversion.values[node.name] = handler(conversion, node)
    return conversion.onnx.serialise({alias: conversion.last(name) for alias, name in outputs.items()})


@dataclass(frozen=True)
class _Value:
    """A tensor of the ONNX graph; 4-D when its channels are turned to the second place."""

    name: str
    channels_first: bool = False


class _Conversion:
    """Both graphs, and which value of the one is which of the other."""

    def __init__(self, graph: TfjsGraph) -> None:
        self.graph = graph
        self.onnx = OnnxGraph()
        self.values: dict[str, _Value] = {}

    def weight(self, node: Node, position: int) -> np.ndarray:
        """An input that has to be a constant."""
        name = node.inputs[position]
        if name not in self.graph.weights:
            raise _unknown(node, f"a constant as input {position}", f"the computed value {name}")
        return self.graph.weights[name]

    def value(self, name: str) -> _Value:
        """A computed value, or a constant that an operation reads like one."""
        if name in self.graph.weights and name not in self.values:
            self.values[name] = _Value(self.onnx.constant(self.graph.weights[name]))
        return self.values[name]

    def first(self, name: str) -> str:
        """A 4-D value with its channels second."""
        value = self.value(name)
        return value.name if value.channels_first else self.onnx.emit("Transpose", [value.name], perm=_TO_FIRST)

    def last(self, name: str) -> str:
        """A value in TensorFlow's own order."""
        value = self.value(name)
        return self.onnx.emit("Transpose", [value.name], perm=_TO_LAST) if value.channels_first else value.name


def _inputs_of(graph: TfjsGraph, node: Node) -> list[str]:
    inputs = node.inputs[:1] if node.op in _SHAPE_GIVEN else node.inputs
    return [name for name in inputs if name not in graph.weights]


def _in_order(graph: TfjsGraph, wanted: Iterable[str]) -> list[Node]:
    """The nodes that lead to the wanted ones, inputs before their users, always in the same order."""
    inputs: dict[str, list[str]] = {}
    found = list(wanted)
    for name in found:  # grows as it runs
        if name in inputs:
            continue
        if name not in graph.nodes:
            raise ModelFileError("A model lacks a node.", where=name, remedy="use the model version apu names.")
        inputs[name] = _inputs_of(graph, graph.nodes[name])
        found.extend(inputs[name])
    try:
        return [graph.nodes[name] for name in TopologicalSorter(inputs).static_order()]
    except CycleError as error:
        raise ModelFileError("A model's graph has a loop.", where=error.args[1]) from error


def _placeholder(conversion: _Conversion, node: Node) -> _Value:
    shape = [size if size > 0 else axis for size, axis in zip(node.shape(), _AXES, strict=False)]
    return _Value(conversion.onnx.input(node.name, shape))


def _pass_through(conversion: _Conversion, node: Node) -> _Value:
    if node.op == "Cast" and node.dtype("DstT") != "DT_FLOAT":
        raise _unknown(node, "a cast to DT_FLOAT, as every value is float32 here", node.dtype("DstT"))
    return conversion.value(node.inputs[0])


def _convolution(conversion: _Conversion, node: Node) -> _Value:
    kernel = conversion.weight(node, 1)
    height, width, channels, last = kernel.shape
    if "Depthwise" in node.op:  # (height, width, channel, multiplier), channel-major outputs, one group per channel
        groups, kernel = channels, kernel.transpose(2, 3, 0, 1).reshape(channels * last, 1, height, width)
    else:  # (height, width, in, out)
        groups, kernel = 1, kernel.transpose(3, 2, 0, 1)
    inputs = [conversion.first(node.inputs[0]), conversion.onnx.constant(kernel)]
    if len(node.inputs) > 2:
        inputs.append(conversion.onnx.constant(conversion.weight(node, 2).ravel()))
    result = conversion.onnx.emit(
        "Conv",
        inputs,
        kernel_shape=[height, width],
        strides=_of_plane(node, "strides"),
        dilations=_of_plane(node, "dilations"),
        group=groups,
        **_kernel_padding(node, height, width),
    )
    for fused in node.texts("fused_ops"):
        if fused != "BiasAdd":
            result = _activation(conversion, node, fused, result)
    return _Value(result, channels_first=True)


def _max_pool(conversion: _Conversion, node: Node) -> _Value:
    source = conversion.first(node.inputs[0])
    kernel, strides = _of_plane(node, "ksize"), _of_plane(node, "strides")
    pooled = conversion.onnx.emit("MaxPool", [source], kernel_shape=kernel, strides=strides, auto_pad=_padding(node))
    return _Value(pooled, channels_first=True)


def _activate(conversion: _Conversion, node: Node) -> _Value:
    value = conversion.value(node.inputs[0])
    return _Value(_activation(conversion, node, node.op, value.name), value.channels_first)


def _activation(conversion: _Conversion, node: Node, kind: str, value: str) -> str:
    if kind in ("Relu", "Sigmoid"):
        return conversion.onnx.emit(kind, [value])
    if kind == "Relu6":
        bounds = [conversion.onnx.constant(np.array(bound, np.float32)) for bound in (0.0, 6.0)]
        return conversion.onnx.emit("Clip", [value, *bounds])
    raise _unknown(node, "the activation Relu, Relu6 or Sigmoid", kind)


def _elementwise(conversion: _Conversion, node: Node) -> _Value:
    computed = [conversion.values[name] for name in node.inputs if name not in conversion.graph.weights]
    turned = bool(computed) and all(value.channels_first for value in computed)
    names = []
    for position, name in enumerate(node.inputs):
        if name in conversion.graph.weights:
            array = conversion.weight(node, position)
            names.append(conversion.onnx.constant(_constant_first(array) if turned else array))
        else:
            names.append(conversion.values[name].name if turned else conversion.last(name))
    return _Value(conversion.onnx.emit(_ELEMENTWISE[node.op], names), turned)


def _constant_first(array: np.ndarray) -> np.ndarray:
    """A constant that is broadcast against channels last, for a value whose channels are second."""
    return array.reshape((1,) * (4 - array.ndim) + array.shape).transpose(_TO_FIRST)


def _pad(conversion: _Conversion, node: Node) -> _Value:
    value = conversion.value(node.inputs[0])
    margins = conversion.weight(node, 1).astype(np.int64)
    if value.channels_first:
        margins = margins[list(_TO_FIRST)]
    amounts = conversion.onnx.constant(margins.T.ravel())
    return _Value(conversion.onnx.emit("Pad", [value.name, amounts]), value.channels_first)


def _reshape(conversion: _Conversion, node: Node) -> _Value:
    shape = conversion.onnx.constant(conversion.weight(node, 1).astype(np.int64))
    return _Value(conversion.onnx.emit("Reshape", [conversion.last(node.inputs[0]), shape]))


def _resize(conversion: _Conversion, node: Node) -> _Value:
    source = conversion.first(node.inputs[0])
    if node.flag("align_corners"):
        rule = "align_corners"
    else:
        rule = "half_pixel" if node.flag("half_pixel_centers") else "asymmetric"
    # All four axes are spelled out: onnxruntime's optimiser breaks a Resize over two `axes` that meets a Transpose.
    if node.inputs[1] in conversion.graph.weights:
        plane = conversion.onnx.constant(conversion.weight(node, 1).astype(np.int64))
        others = conversion.onnx.emit("Shape", [source], start=0, end=2)
        target = ["", "", conversion.onnx.emit("Concat", [others, plane], axis=0)]
    else:
        scales = np.concatenate([np.ones(2, np.float32), _growth(conversion.graph, node)])
        target = ["", conversion.onnx.constant(scales)]
    resized = conversion.onnx.emit("Resize", [source, *target], mode="linear", coordinate_transformation_mode=rule)
    return _Value(resized, channels_first=True)


def _growth(graph: TfjsGraph, resize: Node) -> np.ndarray:
    """The factors of a size that is computed as `Shape(source)[1:3] * factors`: up-sampling of a dynamic size."""
    source, size = resize.inputs
    product = graph.nodes[size]
    if product.op == "Mul" and product.inputs[1] in graph.weights:
        piece = graph.nodes[product.inputs[0]]
        shape = graph.nodes[piece.inputs[0]] if piece.op == "StridedSlice" else piece
        if shape.op == "Shape" and shape.inputs == (source,):
            return graph.weights[product.inputs[1]].astype(np.float32)
    raise _unknown(resize, "a fixed size, or its source's own size times a constant", f"a size computed by {size}")


def _of_plane(node: Node, key: str) -> list[int]:
    """Height and width of an attribute that has four numbers; 1, 1 when it is left out."""
    values = node.integers(key) or [1, 1, 1, 1]
    if node.text("data_format", "NHWC") != "NHWC" or values[0] != 1 or values[3] != 1:
        raise _unknown(node, f"{key} over height and width, channels last", values)
    return values[1:3]


def _padding(node: Node) -> str:
    padding = node.text("padding")
    if padding not in _PADDING:
        raise _unknown(node, "the padding SAME or VALID", padding)
    return _PADDING[padding]


def _kernel_padding(node: Node, height: int, width: int) -> dict[str, Any]:
    dilations = _of_plane(node, "dilations")
    if _padding(node) == "VALID" or dilations == [1, 1]:
        return {"auto_pad": _padding(node)}
    if _of_plane(node, "strides") != [1, 1]:
        raise _unknown(node, "dilation without strides", f"strides {_of_plane(node, 'strides')}")
    # onnxruntime refuses automatic padding with dilation; without strides it does not depend on the picture's size.
    totals = [dilation * (size - 1) for dilation, size in zip(dilations, (height, width), strict=True)]
    before = [total // 2 for total in totals]
    return {"pads": [*before, *(total - half for total, half in zip(totals, before, strict=True))]}


def _unknown(node: Node, expected: str, got: object) -> ModelFileError:
    return ModelFileError(
        "A model uses an operation that the converter does not know.",
        where=f"{node.op} {node.name}",
        expected=expected,
        got=got,
        remedy="use the model version that apu names in `apu models`.",
    )


_HANDLERS: dict[str, Callable[[_Conversion, Node], _Value]] = {
    "Placeholder": _placeholder,
    "Identity": _pass_through,
    "Cast": _pass_through,
    "Conv2D": _convolution,
    "_FusedConv2D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "FusedDepthwiseConv2dNative": _convolution,
    "MaxPool": _max_pool,
    "Relu": _activate,
    "Relu6": _activate,
    "Sigmoid": _activate,
    "Pad": _pad,
    "Reshape": _reshape,
    "ResizeBilinear": _resize,
    **dict.fromkeys(_ELEMENTWISE, _elementwise),
}
