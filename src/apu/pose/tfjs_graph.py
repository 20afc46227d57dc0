"""TF.js graph models as they lie on disk: one JSON of nodes, and the weights in binary files beside it."""

import base64
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from apu.errors import ModelFileError

_DTYPES = {"float32": np.float32, "int32": np.int32, "bool": np.bool_}


@dataclass(frozen=True)
class Node:
    """One operation of the graph.

    Attributes:
        name: unique in the graph.
        op: TensorFlow's name of the operation.
        inputs: names of the nodes it reads; control dependencies are left out.
        attributes: as in the JSON; read them through the methods.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    attributes: Mapping[str, Any]

    def integers(self, key: str) -> list[int]:
        """A list of integers; empty when the node has none."""
        return [int(value) for value in self._value(key, "list", {}).get("i", [])]

    def text(self, key: str, default: str = "") -> str:
        """One string."""
        value = self._value(key, "s", None)
        return default if value is None else base64.b64decode(value).decode()

    def texts(self, key: str) -> list[str]:
        """A list of strings; empty when the node has none."""
        return [base64.b64decode(value).decode() for value in self._value(key, "list", {}).get("s", [])]

    def flag(self, key: str) -> bool:
        """A boolean; false when the node has none."""
        return bool(self._value(key, "b", False))

    def dtype(self, key: str) -> str:
        """TensorFlow's name of a type, e.g. `DT_FLOAT`; empty when the node has none."""
        return self._value(key, "type", "")

    def shape(self) -> list[int]:
        """Shape of a placeholder; -1 for a size that is open."""
        dimensions = self._value("shape", "shape", {}).get("dim", [])
        return [int(dimension["size"]) for dimension in dimensions]

    def _value(self, key: str, kind: str, default: Any) -> Any:
        return self.attributes.get(key, {}).get(kind, default)


@dataclass(frozen=True)
class TfjsGraph:
    """A graph model.

    Attributes:
        nodes: by name, in the file's order.
        weights: constants by node name, in the type they are stored in: float16 weights stay float16.
    """

    nodes: Mapping[str, Node]
    weights: Mapping[str, np.ndarray]


def read_tfjs_graph(path: Path) -> TfjsGraph:
    """Read a TF.js graph model.

    Args:
        path: the `.json`; its weight files are expected in the same folder.

    Raises:
        ModelFileError: a file is missing, too short, or not of this format.
    """
    try:
        model = json.loads(path.read_bytes())
        nodes = [_node(entry) for entry in model["modelTopology"]["node"]]
        weights: dict[str, np.ndarray] = {}
        for group in model["weightsManifest"]:
            data = b"".join((path.parent / Path(name).name).read_bytes() for name in group["paths"])
            weights |= _weights(data, group["weights"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelFileError(
            "A detector model cannot be read.",
            where=path,
            expected="a TF.js graph model and its weight files",
            got=repr(error),
            remedy="delete it and run `apu models fetch`.",
        ) from error
    return TfjsGraph({node.name: node for node in nodes}, weights)


def _node(entry: Mapping[str, Any]) -> Node:
    inputs = tuple(name.removesuffix(":0") for name in entry.get("input", []) if not name.startswith("^"))
    return Node(entry["name"], entry["op"], inputs, entry.get("attr", {}))


def _weights(data: bytes, entries: list[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    arrays, offset = {}, 0
    for entry in entries:
        dtype = np.dtype(_DTYPES[entry["dtype"]])
        if "quantization" in entry:
            if entry["quantization"]["dtype"] != "float16":
                raise ValueError(f"weights quantised to {entry['quantization']['dtype']}")
            dtype = np.dtype(np.float16)
        array = np.frombuffer(data, dtype, math.prod(entry["shape"]), offset).reshape(entry["shape"])
        offset += array.nbytes
        arrays[entry["name"]] = array
    if offset != len(data):
        raise ValueError(f"{len(data)} bytes of weights, {offset} expected")
    return arrays
