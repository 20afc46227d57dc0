"""Foreign pickles that hold numbers: read by an interpreter that knows numpy's arrays and nothing else.

`pickle` with an allow-list would not do. Handing numpy's own functions to a hostile file is enough to crash the
process: a dtype `O` whose state says "no pointers inside" makes `ndarray.__setstate__` take bytes for addresses. And a
tuple of two references to one tuple, 64 levels deep, used as a key is hashed for ever. So nothing of the file is ever
looked up, imported or called here: opcodes are read by `pickletools`, each is carried out by a few lines below, and
arrays are views into the file's own bytes.
"""

import itertools
import math
import pickletools
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np

MAX_OPERATIONS = 200_000
"""Of one pickle, and values of what it holds; a photo of a hundred people needs some thousands."""
MAX_DEPTH = 32
MAX_DIMENSIONS = 16
MAX_ENCODED_BYTES = 256 * 2**20

_PLAIN_DTYPE = re.compile(r"[<>|=]?(b1|[iu][1248]|f[248]|[SU]\d{1,4})")
_OBJECT_DTYPE = re.compile(r"\|?O8?")
_MODULES = {
    "numpy.core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy.core.numeric": {"_frombuffer"},
    "numpy._core.numeric": {"_frombuffer"},
    "numpy": {"dtype", "ndarray"},
    "_codecs": {"encode"},  # how protocols 0 to 2 write bytes,
    "__builtin__": {"bytes"},  # and none
}
_IGNORED = {"PROTO", "FRAME"}
_VALUES = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_WITH_VALUE = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
    "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_MARK = object()


class RefusedPickle(ValueError):
    """The pickle holds something that is no number, text, container or numpy array, or it is damaged."""


@dataclass(frozen=True)
class _Name:
    """Stands for a function or class that the file names; there is nothing behind it."""

    name: str


@dataclass(eq=False)
class _Dtype:
    """Stands for a dtype; None inside for `O`."""

    dtype: np.dtype | None


@dataclass(eq=False)
class _Array:
    """Stands for an array until the whole file has been read. A list inside for `O`, None while there is no state."""

    content: np.ndarray | list[Any] | None = None
    shape: tuple[int, ...] = ()


def read_pickle(data: bytes) -> Any:
    """What a pickle holds: numbers, texts, bytes, None, lists, tuples, dicts with texts for keys, and numpy arrays.

    Arrays cannot be written to. Takes time and memory in proportion to the data, whatever they say.

    Args:
        data: any protocol.

    Raises:
        RefusedPickle: anything else is in it, or it is cut short.
    """
    try:
        top = _Machine().run(data)
        return _resolved(top, itertools.count(), 0)
    except RefusedPickle:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, RecursionError, MemoryError) as error:
        raise RefusedPickle(f"damaged: {error}"[:200]) from error


def plain_dtype(text: str) -> np.dtype:
    """A dtype of numbers or texts by its name in a file, e.g. `<f4`. Raises RefusedPickle for any other."""
    if not _PLAIN_DTYPE.fullmatch(text):
        raise RefusedPickle(f"an array of type {text[:40]!r}")
    return np.dtype(text)


def array_of(payload: bytes | bytearray, dtype: np.dtype, shape: tuple[int, ...], fortran: bool) -> np.ndarray:
    """The bytes as an array that cannot be written to. Raises RefusedPickle when they are too few or too many."""
    wanted = _count(shape) * dtype.itemsize
    if len(payload) != wanted:
        raise RefusedPickle(f"an array of shape {shape} with {len(payload)} bytes, where {wanted} belong")
    flat = np.frombuffer(payload, dtype) if wanted else np.empty(0, dtype)
    flat.flags.writeable = False
    return flat.reshape(shape, order="F" if fortran else "C")


def is_object_dtype(text: str) -> bool:
    """Whether a file's name of a dtype is that of Python objects."""
    return bool(_OBJECT_DTYPE.fullmatch(text))


class _Machine:
    """The pickle machine, without the power to look anything up."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.encoded = 0

    def run(self, data: bytes) -> Any:
        operations = pickletools.genops(BytesIO(data))
        for done, (opcode, argument, _) in enumerate(operations):
            if done >= MAX_OPERATIONS:
                raise RefusedPickle(f"more than {MAX_OPERATIONS} operations")
            if opcode.name == "STOP":
                return self.stack.pop()
            self.step(opcode.name, argument)
        raise RefusedPickle("no end")

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _VALUES:
            stack.append(_VALUES[name])
        elif name in _WITH_VALUE:
            stack.append(argument)
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self.memo[argument])
        elif name in ("EMPTY_LIST", "EMPTY_DICT"):
            stack.append([] if name == "EMPTY_LIST" else {})
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            stack.append(tuple(self.popped(int(name[-1]))))
        elif name in ("TUPLE", "LIST", "DICT"):
            self.contain(name)
        elif name in ("APPEND", "APPENDS"):
            items = self.popped(1) if name == "APPEND" else self.popped_to_mark()
            _expect(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = self.popped(2) if name == "SETITEM" else self.popped_to_mark()
            _set_items(_expect(stack[-1], dict), items)
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            module, attribute = argument.split(" ", 1) if name == "GLOBAL" else self.popped(2)
            stack.append(_named(module, attribute))
        elif name == "REDUCE":
            function, arguments = self.popped(2)
            made = _called(_expect(function, _Name).name, _expect(arguments, tuple))
            self.encoded += len(made) if isinstance(made, bytes) else 0
            if self.encoded > MAX_ENCODED_BYTES:
                raise RefusedPickle("the same text as bytes again and again")
            stack.append(made)
        elif name == "BUILD":
            (state,) = self.popped(1)
            _set_state(stack[-1], state)
        elif name not in _IGNORED:
            raise RefusedPickle(f"the operation {name}")

    def contain(self, name: str) -> None:
        items = self.popped_to_mark()
        if name == "DICT":
            made: dict[Any, Any] = {}
            _set_items(made, items)
            self.stack.append(made)
        else:
            self.stack.append(tuple(items) if name == "TUPLE" else items)

    def popped(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise RefusedPickle("damaged: nothing left to work on")
        items = self.stack[-count:]
        del self.stack[-count:]
        return items

    def popped_to_mark(self) -> list[Any]:
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]


def _expect(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise RefusedPickle(f"damaged: {type(value).__name__.strip('_')} where {kind.__name__.strip('_')} belongs")
    return value


def _named(module: Any, attribute: Any) -> _Name:
    if not isinstance(module, str) or attribute not in _MODULES.get(module, ()):
        raise RefusedPickle(f"{f'{module}.{attribute}'[:80]!a}, which is no part of an array")
    return _Name(attribute)


def _set_items(target: dict[Any, Any], items: list[Any]) -> None:
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str):  # others can be made to collide, or take for ever to hash
            raise RefusedPickle(f"a dictionary key that is a {type(key).__name__.strip('_')}")
        target[key] = value


def _called(name: str, arguments: tuple[Any, ...]) -> Any:
    """What numpy's function of that name would make."""
    if name == "_reconstruct":
        return _Array()
    if name == "dtype":
        text = _expect(arguments[0], str)
        return _Dtype(None if is_object_dtype(text) else plain_dtype(text))
    if name == "scalar":
        dtype, payload = _plain(arguments[0]), _expect(arguments[1], bytes)
        if dtype.kind in "SU":
            raise RefusedPickle("a text as a numpy scalar")
        return array_of(payload, dtype, (), False)[()]
    if name == "_frombuffer":
        payload, dtype, shape, order = arguments
        if not isinstance(payload, bytes | bytearray):
            raise RefusedPickle("an array without bytes")
        return _Array(array_of(payload, _plain(dtype), _shape(shape), order == "F"), shape)
    if name == "bytes" and arguments == ():
        return b""
    if name == "encode" and arguments[1:] == ("latin1",):
        return _expect(arguments[0], str).encode("latin1")
    raise RefusedPickle(f"a call of {name}")


def _set_state(target: Any, state: Any) -> None:
    """What `__setstate__` of numpy's dtype and ndarray would do."""
    state = _expect(state, tuple)
    if isinstance(target, _Dtype):
        _, order, *parts = state
        if parts[:3] != [None, None, None] or order not in ("<", ">", "|", "="):
            raise RefusedPickle("an array of records")
        if target.dtype is not None:
            target.dtype = target.dtype.newbyteorder(order)
    elif isinstance(target, _Array):
        _, shape, dtype, fortran, payload = state
        if _expect(dtype, _Dtype).dtype is not None:
            content = array_of(_expect(payload, bytes), _plain(dtype), _shape(shape), fortran is True)
        else:
            content = _expect(payload, list)
            if len(content) != _count(_shape(shape)):
                raise RefusedPickle(f"an array of shape {shape} with {len(content)} objects")
        target.content, target.shape = content, shape
    else:
        raise RefusedPickle(f"a state for a {type(target).__name__}")


def _plain(dtype: Any) -> np.dtype:
    found = _expect(dtype, _Dtype).dtype
    if found is None:
        raise RefusedPickle("objects where numbers belong")
    return found


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = _expect(shape, tuple)
    if len(sizes) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 2**31 for n in sizes):
        raise RefusedPickle("an array with an impossible shape")
    return sizes


def _count(shape: tuple[int, ...]) -> int:
    return math.prod(shape)


def _resolved(value: Any, steps: "itertools.count[int]", depth: int) -> Any:
    """The value with arrays in the place of what stood for them. Shared parts are counted as often as they are met."""
    if next(steps) > MAX_OPERATIONS or depth > MAX_DEPTH:
        raise RefusedPickle("too many values within values")
    if isinstance(value, list | tuple):
        return type(value)(_resolved(item, steps, depth + 1) for item in value)
    if isinstance(value, dict):
        return {key: _resolved(item, steps, depth + 1) for key, item in value.items()}
    if isinstance(value, _Array):
        if not isinstance(value.content, list):
            return _expect(value.content, np.ndarray)
        objects = np.empty(len(value.content), object)
        for i, item in enumerate(value.content):
            objects[i] = _resolved(item, steps, depth + 1)
        return objects.reshape(value.shape)
    if isinstance(value, _Name | _Dtype) or value is _MARK:
        raise RefusedPickle("a part of an array without its array")
    return value
