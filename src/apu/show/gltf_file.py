"""The container of binary glTF: arrays in one buffer, with the accessors that say what is where (glTF 2.0)."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

_COMPONENT = {
    np.dtype(np.uint8): 5121,
    np.dtype(np.uint16): 5123,
    np.dtype(np.uint32): 5125,
    np.dtype(np.float32): 5126,
}
_TYPE = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
VERTICES, INDICES = 34962, 34963
"""What a buffer view is for (bufferView.target)."""


class GltfBuffer:
    """Collects arrays; `accessors` and `views` go into the document."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def add(
        self, array: np.ndarray, target: int | None = None, *, normalized: bool = False, bounds: bool = False
    ) -> int:
        """Append an array, and give back the number of its accessor.

        Args:
            array: (n,), (n, 2 to 4) or (n, 4, 4); uint8, uint16, uint32 or float32. Matrices are turned to the
                column order of glTF here.
            target: `VERTICES`, `INDICES`, or nothing for other data.
            normalized: integers stand for 0 to 1.
            bounds: write the smallest and the largest, which positions must have.
        """
        kind, component = _TYPE[array.shape[1:]], _COMPONENT[array.dtype]
        stored = array.swapaxes(1, 2) if kind == "MAT4" else array
        self.data += b"\0" * (-len(self.data) % 4)
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes}
        self.views.append(view | ({"target": target} if target else {}))
        self.data += np.ascontiguousarray(stored).tobytes()
        accessor: dict[str, Any] = {
            "bufferView": len(self.views) - 1,
            "componentType": component,
            "count": len(array),
            "type": kind,
        }
        if normalized:
            accessor["normalized"] = True
        if bounds:
            accessor |= {"min": array.min(0).tolist(), "max": array.max(0).tolist()}
        self.accessors.append(accessor)
        return len(self.accessors) - 1


def write_gltf(path: Path, document: dict[str, Any], buffer: GltfBuffer) -> None:
    """Write document and buffer as one `.glb` file; `asset`, accessors and views are filled in."""
    from apu import __version__

    whole = {
        "asset": {"version": "2.0", "generator": f"apu {__version__}"},
        **document,
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }
    text = json.dumps(whole, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 4)
    data = bytes(buffer.data) + b"\0" * (-len(buffer.data) % 4)
    with open(path, "wb") as file:
        file.write(struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + len(data)))
        file.write(struct.pack("<I4s", len(text), b"JSON") + text)
        file.write(struct.pack("<I4s", len(data), b"BIN\0") + data)
