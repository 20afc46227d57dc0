"""Foreign npz files: what numpy writes is read as numpy reads it, and a hostile file does nothing at all."""

import io
import os
import pickle
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from apu import restricted_load
from apu.errors import InputError
from apu.restricted_load import load_npz
from apu.restricted_pickle import RefusedPickle, read_pickle

RESULTS = {
    "floats": np.arange(6, dtype=np.float32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "big_endian": np.arange(3, dtype=">i4"),
    "flags": np.array([True, False]),
    "empty": np.zeros((0, 3), np.float32),
    "names": np.array(["a", "bc"]),
    "objects": np.array([np.arange(2), None, {"x": [1, (2.5, "y")]}], object),
    "scalar": np.float64(0.25),
    "plain": [1, -(2**40), 2.5, None, True, b"bytes", ("t",)],
}


def same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        return all(map(same, a.flat, b.flat)) if a.dtype == object else np.array_equal(a, b)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def npy(payload: bytes, descr: str = "|O", shape: str = "()") -> bytes:
    """A member in numpy's format with any payload behind the header."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return path


# ---- what is read


def test_an_npz_file_is_read_as_numpy_reads_it(tmp_path: Path):
    np.savez_compressed(tmp_path / "a.npz", plain=RESULTS["floats"], results=np.array(RESULTS, object))
    found = load_npz(tmp_path / "a.npz", "test")
    assert found.keys() == {"plain", "results"}
    assert same(found["plain"], RESULTS["floats"])
    assert same(found["results"], RESULTS)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_is_read(protocol: int):
    assert same(read_pickle(pickle.dumps(RESULTS, protocol)), RESULTS)


def test_the_module_names_of_numpy_1_are_read():
    new = pickle.dumps(RESULTS, 2)  # protocol 2 has no frames and no lengths of names
    assert b"numpy._core.multiarray" in new
    assert same(read_pickle(new.replace(b"numpy._core.multiarray", b"numpy.core.multiarray")), RESULTS)


def test_arrays_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        read_pickle(pickle.dumps(np.zeros(3)))[0] = 1


def test_real_files_are_read_as_numpy_reads_them(photos: Path):
    for path in sorted((photos / "bev").glob("*.npz")):
        with np.load(path, allow_pickle=True) as arrays:  # ours to trust, these two
            assert same(load_npz(path, "test")["results"], arrays["results"].item())


# ---- hostile pickles


RECONSTRUCT = np.zeros(0).__reduce__()[0]


class Calls:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments, state=None):
        self.call = (function, arguments, state) if state is not None else (function, arguments)

    def __reduce__(self):
        return self.call


def touch(tmp_path: Path) -> str:
    return f"touch {tmp_path / 'executed'}"


def gadget(module: str, name: str, argument: str) -> bytes:
    """A call by name, of something that need not be importable here."""
    return f"c{module}\n{name}\n(V{argument}\ntR.".encode()


def test_the_payloads_of_this_file_would_work_on_pickle(tmp_path: Path):
    pickle.loads(pickle.dumps(Calls(os.system, touch(tmp_path))))
    assert (tmp_path / "executed").exists()


EXECUTING = {
    "os.system": lambda t: pickle.dumps(Calls(os.system, touch(t))),
    "builtins.eval": lambda t: pickle.dumps(Calls(eval, f"__import__('os').system({touch(t)!r})")),
    "in a dictionary": lambda t: pickle.dumps({"results": [Calls(os.system, touch(t))]}),
    "in an object array": lambda t: pickle.dumps(np.array([Calls(os.system, touch(t)), None], object)),
    "as a shape": lambda t: pickle.dumps(Calls(RECONSTRUCT, np.ndarray, Calls(os.system, touch(t)), b"b")),
    "as a dtype": lambda t: pickle.dumps(Calls(np.dtype, Calls(os.system, touch(t)), False, True)),
    "in a dtype's state": lambda t: pickle.dumps(
        Calls(np.dtype, "f4", False, True, state=(3, "<", None, None, None, -1, -1, Calls(os.system, touch(t))))
    ),
    "by attribute of numpy": lambda t: gadget("numpy", "os.system", touch(t)),
    "numpy.f2py": lambda t: gadget("numpy.f2py.crackfortran", "myeval", f"__import__('os').system({touch(t)!r})"),
    "numpy.testing": lambda t: gadget("numpy.testing._private.utils", "runstring", f"open({t!s}/executed)"),
    "numpy.load": lambda t: gadget("numpy", "load", str(t / "other.npy")),
    "codecs": lambda t: b"c_codecs\nopen\n(V" + str(t / "executed").encode() + b"\nVw\ntR.",
    "a class with __setstate__": lambda t: b"cnumpy.random\nRandomState\n)\x81}b.",
    "a state for a function": lambda t: b"cnumpy\nndarray\n}(Vx\nI1\nub.",
    "an old instance": lambda t: f"(V{touch(t)}\nios\nsystem\n.".encode(),
    "an object of a class": lambda t: f"(cos\nsystem\nV{touch(t)}\no.".encode(),
    "a persistent id": lambda t: b"Pexecuted\n.",
    "an extension code": lambda t: b"\x80\x02\x82\x01.",
}  # fmt: skip


@pytest.mark.parametrize("name", EXECUTING)
def test_a_hostile_pickle_is_refused_and_never_executed(name: str, tmp_path: Path):
    data = EXECUTING[name](tmp_path)
    with pytest.raises(RefusedPickle):
        read_pickle(data)
    with pytest.raises(InputError) as caught:
        load_npz(zipped(tmp_path / "evil.npz", results=npy(data)), "initial estimate")
    assert not (tmp_path / "executed").exists()
    assert str(tmp_path / "evil.npz") in str(caught.value)
    for field in ("expected", "got", "remedy"):
        assert getattr(caught.value, field)


def bytes_as_pointers() -> bytes:
    """An array of objects whose dtype denies that it holds any: numpy itself would follow the bytes as addresses."""
    dtype = Calls(np.dtype, "O8", False, True, state=(3, "|", None, None, None, -1, -1, 0))
    state = (1, (1,), dtype, False, struct.pack("<Q", 0x4141414141414141))
    return pickle.dumps(Calls(RECONSTRUCT, np.ndarray, (0,), b"b", state=state))


def test_a_dtype_that_denies_its_objects_is_refused():
    with pytest.raises(RefusedPickle):
        read_pickle(bytes_as_pointers())


def test_the_same_pickle_kills_a_process_that_hands_out_numpys_own_functions():
    program = (
        "import pickle, sys, resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); "
        "repr(pickle.loads(sys.stdin.buffer.read())[0])"
    )
    ended = subprocess.run([sys.executable, "-c", program], input=bytes_as_pointers(), capture_output=True, check=False)
    assert ended.returncode != 0


def nested_tuples(depth: int) -> bytes:
    return b")" + b"q\x00h\x00\x86" * depth


def array_in_itself() -> np.ndarray:
    array = np.empty(1, object)
    array[0] = array
    return array


BOMBS = {
    "a key that is hashed for ever": b"}" + nested_tuples(64) + b"I1\ns.",
    "tuples that unfold for ever": nested_tuples(30) + b".",
    "tuples that nest for ever": b")" + b"\x85" * 100_000 + b".",
    "a list that holds itself": b"]q\x00h\x00a.",
    "an array that holds itself": pickle.dumps(array_in_itself()),
    "an endless pickle": b"N0" * 1_000_000 + b".",
    "a memo with a huge index": b"Nr\xff\xff\xff\xff0",
    "bytes that are not there": b"\x8e" + struct.pack("<Q", 2**62) + b"x",
    "an array that is not there": pickle.dumps(
        Calls(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (2**30, 2**30), np.dtype("f8"), False, b""))
    ),
    "a shape beyond all numbers": pickle.dumps(
        Calls(RECONSTRUCT, np.ndarray, (0,), b"b", state=(1, (0, 2**62), np.dtype("f8"), False, b""))
    ),
    "a text as bytes again and again": b"c_codecs\nencode\nq\x00(V" + b"x" * 2_000_000 + b"\nVlatin1\ntq\x01"
    + b"h\x00h\x01R" * 400 + b".",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_pickle_that_would_take_all_time_or_memory_is_refused_soon(name: str):
    began = time.perf_counter()
    with pytest.raises(RefusedPickle):
        read_pickle(BOMBS[name])
    assert time.perf_counter() - began < 5


# ---- hostile and damaged files


def test_a_file_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restricted_load, "MAX_FILE_BYTES", 1000)
    (tmp_path / "a.npz").write_bytes(b"x" * 1001)
    with pytest.raises(InputError, match="too large"):
        load_npz(tmp_path / "a.npz", "test")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(restricted_load, "MAX_UNPACKED_BYTES", 2**20)
    half = npy(bytes(600_000), "|u1", "(600000,)")
    assert len(load_npz(zipped(tmp_path / "one.npz", a=half), "test")) == 1
    with pytest.raises(InputError, match="unpacked"):
        load_npz(zipped(tmp_path / "two.npz", a=half, b=half), "test")


def test_a_file_of_countless_members_is_refused(tmp_path: Path):
    members = {f"a{i}": b"" for i in range(restricted_load.MAX_MEMBERS + 1)}
    with pytest.raises(InputError, match="arrays"):
        load_npz(zipped(tmp_path / "a.npz", **members), "test")


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"no array at all",
        npy(bytes(8), "<f4", "(3,)"),
        npy(bytes(12), "<f4", "(-3,)"),
        npy(b"", "<f8", "(1000000000, 1000000000)"),
        npy(bytes(8), "[('a', '<f4')]", "(2,)"),
        npy(bytes(8), "<M8", "(1,)"),
        npy(b"")[:40],
        npy(b"\x80\x04N"),
        npy(bytes(4), "<f4", "__import__('os')"),
    ],
)
def test_a_member_that_is_no_plain_array_is_refused(member: bytes, tmp_path: Path):
    with pytest.raises(InputError):
        load_npz(zipped(tmp_path / "a.npz", a=member), "test")


def test_what_is_no_file_or_no_zip_is_refused(tmp_path: Path):
    for name, data in {"empty": b"", "text": b"hello", "npy": npy(bytes(4), "<f4", "(1,)")}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match="no npz file"):
            load_npz(tmp_path / name, "test")
    for path in (tmp_path, tmp_path / "missing.npz"):
        with pytest.raises(InputError, match="cannot be opened"):
            load_npz(path, "test")


def test_a_file_that_is_cut_short_or_altered_anywhere_gives_an_error_or_its_arrays(tmp_path: Path):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, results=np.array({"a": np.arange(50.0), "b": [1, "x"]}, object))
    whole, random, path = buffer.getvalue(), np.random.default_rng(0), tmp_path / "a.npz"
    refused = 0
    for trial in range(300):
        data = bytearray(whole[: random.integers(len(whole))] if trial % 2 else whole)
        for _ in range(0 if trial % 4 == 1 else 3):
            if data:
                data[random.integers(len(data))] = random.integers(256)
        path.write_bytes(data)
        try:
            load_npz(path, "test")
        except InputError:
            refused += 1
    assert refused > 200


def test_a_pickle_that_is_altered_anywhere_gives_an_error_or_values():
    whole, random = pickle.dumps(RESULTS, 4), np.random.default_rng(0)
    for _ in range(600):
        data = bytearray(whole)
        for place in random.integers(len(data), size=2):
            data[place] = random.integers(256)
        try:
            read_pickle(bytes(data))
        except RefusedPickle:
            continue
