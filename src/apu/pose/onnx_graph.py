"""A graph of ONNX operations under construction: the adapter to the `onnx` package."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
"""Old enough for onnxruntime 1.20, and its Shape can be cut."""

IR_VERSION = 9
"""Old enough for onnxruntime 1.20."""


class OnnxGraph:
    """Collects nodes and constants. Both are numbered in the order they come, so equal graphs give equal bytes."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, shape: Sequence[int | str]) -> str:
        """Declare a float32 input; a size given as a word is dynamic. Returns its name."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape)))
        return name

    def constant(self, array: np.ndarray) -> str:
        """Add a constant; float16 is stored as it is and cast to float32 in the graph. Returns its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return self.emit("Cast", [name], to=TensorProto.FLOAT) if array.dtype == np.float16 else name

    def emit(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node with one output. Returns the output's name."""
        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def serialise(self, outputs: Mapping[str, str]) -> bytes:
        """The model as bytes, its float32 outputs named by the keys of `outputs`."""
        nodes = [helper.make_node("Identity", [value], [name]) for name, value in outputs.items()]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self._nodes + nodes, "graph", self._inputs, results, self._constants)
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        return model.SerializeToString(deterministic=True)
