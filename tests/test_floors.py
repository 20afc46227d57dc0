"""The house keeps its floors: a module imports from floors below it, and a foreign package stays with its adapter."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src"

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "cache", "progress", "fetch", "restricted_load", "restricted_pickle", "user_config"),
    ("geometry",),
    ("body",),
    ("contact",),
    ("scene",),
    ("pose", "ask", "unite", "prior", "show"),
    ("pipeline",),
    ("dataset",),
    ("evaluate", "review"),
    ("cli",),
)
"""Rooms from the ground up. Only the ground floor's rooms may import each other."""

EVERYWHERE = {"jaxtyping", "numpy", "torch"}
"""The language of the house."""

ADAPTERS: dict[str, set[str]] = {
    "PIL": {"ask.pair_image", "pose.photo_file", "show.canvas"},
    "anny": {"body.anny_prepare"},
    "click": {"cli"},
    "cv2": {"pose.resample", "show.canvas"},
    "onnx": {"pose.onnx_graph"},
    "onnxruntime": {"pose.onnx_session"},
    "platformdirs": {"cache"},
    "genai_prices": {"ask.cost"},
    "google": {"ask.pydantic_ai_model"},
    "httpx2": {"ask.pydantic_ai_model", "ask.pydantic_ai_provider"},
    "matplotlib": {"evaluate.plots"},
    "numba": {"body.anny_fused_kernels"},
    "pyarrow": {"dataset.parquet"},
    "pydantic": {
        "ask.answer",
        "ask.pydantic_ai_batch",
        "contact.file_schema",
        "dataset.record",
        "prior.checkpoint",
        "show.schema",
    },
    "pydantic_ai": {"ask.pydantic_ai_batch", "ask.pydantic_ai_model", "ask.pydantic_ai_provider"},
    "huggingface_hub": {"pose.vitpose"},
    "rich": {"cli"},
    "roma": {
        "body.anny_kinematics",
        "body.retarget",
        "body.rigid",
        "body.smpl_rotations",
        "body.smplx",
        "dataset.synthetic.candidates",
        "dataset.synthetic.legs",
        "dataset.synthetic.initial_noise",
        "dataset.synthetic.mocap",
        "dataset.synthetic.mocap_retarget",
        "pose.initial_rotations",
        "prior.rotation_6d",
        "unite.joint_stage",
        "unite.losses",
    },
    "rtmlib": {"pose.rtmpose"},
    "safetensors": {"body.anny_asset", "body.pose_density", "prior.checkpoint", "prior.training_state"},
    "scipy": {
        "body.anny_prepare",
        "body.closed_skin",
        "body.region_islands",
        "contact.box_matching",
        "dataset.synthetic.support",
        "pose.decode",
    },
    "tensorboard": {"prior.tensorboard_scalars"},
    "transformers": {"pose.vitpose"},
    "trimesh": {"show.glb", "show.mesh_file"},
    "warp": {"geometry.surface_kernels"},
}
"""Foreign package -> the modules, or whole rooms, that may import it. A new entry is a decision: one adapter each."""

LONGEST = 400
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common"}


def modules(package: Path) -> dict[str, Path]:
    """Dotted name below the package -> file; "" is the package's own `__init__`."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(name: str, file: Path, package: str) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted target) of every import, also inside functions and by `import_module("...")`."""
    here = [package, *name.split(".")] if name else [package]
    if file.name != "__init__.py":
        here = here[:-1]
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            base = [*base, *([node.module] if node.module else [])]
            yield from ((node.lineno, ".".join([*base, alias.name])) for alias in node.names)
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__") and node.args:
            target = node.args[0]
            if isinstance(target, ast.Constant) and isinstance(target.value, str):
                yield node.lineno, target.value


def violations(package: Path, adapters: dict[str, set[str]] = ADAPTERS) -> list[str]:
    """Every broken rule of a package, as `module:line: what`."""
    found = []
    for name, file in modules(package).items():
        found += [f"{name}: {problem}" for problem in _shape_problems(name, file)]
        for line, target in imports(name, file, package.name):
            problem = _import_problem(name, target, package.name, adapters)
            found += [f"{name or package.name}:{line}: {problem}"] if problem else []
    return found


def _shape_problems(name: str, file: Path) -> Iterator[str]:
    length = len(file.read_text(encoding="utf-8").splitlines())
    if length > LONGEST:
        yield f"has {length} lines, more than {LONGEST}"
    if VAGUE & set(name.split(".")):
        yield "is named after nothing in particular"
    if name and _floor(_room(name)) is None:
        yield "is in a room that no floor knows"


def _import_problem(name: str, target: str, package: str, adapters: dict[str, set[str]]) -> str | None:
    top, _, rest = target.partition(".")
    if top != package:
        return _foreign_problem(name, top, adapters)
    if name == "" or rest == "__version__" or _room(rest) == _room(name):
        return None  # the facade hands names on from any floor
    here, there = _floor(_room(name)), _floor(_room(rest))
    if there is None:
        return f"imports {target}, which is no room"
    if here is None or there > here:
        return f"imports {target}, a floor above"
    if here == there and here > 0:
        return f"imports {target}, a room of the same floor"
    return None


def _foreign_problem(name: str, top: str, adapters: dict[str, set[str]]) -> str | None:
    if top in sys.stdlib_module_names or top in EVERYWHERE:
        return None
    if top not in adapters:
        return f"imports {top}, which has no adapter (tests/test_floors.py: ADAPTERS)"
    if not {name, _room(name)} & adapters[top]:
        return f"imports {top}, which belongs to {', '.join(sorted(adapters[top]))}"
    return None


def _called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def _room(name: str) -> str:
    return name.split(".")[0]


def _floor(room: str) -> int | None:
    return next((i for i, rooms in enumerate(FLOORS) if room in rooms), None)


def test_the_house_keeps_its_floors():
    assert violations(SOURCE / "apu") == []


def test_no_adapter_is_granted_for_nothing():
    names = modules(SOURCE / "apu")
    used = {
        (target.split(".")[0], holder)
        for name, file in names.items()
        for _, target in imports(name, file, "apu")
        for holder in (name, _room(name))
    }
    granted = {(foreign, holder) for foreign, holders in ADAPTERS.items() for holder in holders}
    assert granted - used == set()


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small package with the right floors, to plant violations in."""
    package = tmp_path / "house"
    for name, text in {
        "__init__": "",
        "errors": "import json\n",
        "cache": "from house.errors import ApuError\n",
        "geometry/camera": "import torch\nfrom house.cache import x\n",
        "pose/detector": "import onnxruntime\nfrom house.geometry.camera import x\nfrom .boxes import y\n",
        "pose/boxes": "from . import detector\nfrom .. import errors\n",
        "ask/proximity": "from house.geometry import camera\n",
        "cli/main": "from house import __version__\nfrom house.pose.detector import x\n",
    }.items():
        plant(package, name, text)
    return package


def plant(package: Path, name: str, text: str) -> None:
    file = package / f"{name}.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


GRANTED = {"onnxruntime": {"pose.detector"}}


def test_a_sound_house_has_no_violations(house: Path):
    assert violations(house, GRANTED) == []


@pytest.mark.parametrize(
    ("module", "text", "complaint"),
    [
        ("geometry/up", "from house.pose.detector import x", "a floor above"),
        ("geometry/up", "import house.pose.detector", "a floor above"),
        ("geometry/up", "from house import pose", "a floor above"),
        ("geometry/up", "from ..pose import detector", "a floor above"),
        ("geometry/up", "def late():\n    from house.cli.main import x", "a floor above"),
        ("geometry/up", "import importlib\nimportlib.import_module('house.cli.main')", "a floor above"),
        ("geometry/up", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.scene", "a floor above"),
        ("errors", "from house.geometry.camera import x", "a floor above"),
        ("ask/side", "from house.pose.detector import x", "a room of the same floor"),
        ("ask/side", "from ..pose.boxes import y", "a room of the same floor"),
        ("ask/facade", "from house import fit", "is no room"),
        ("attic/box", "", "no floor knows"),
        ("pose/second", "import onnxruntime as ort", "belongs to pose.detector"),
        ("pose/second", "def late():\n    import onnxruntime.tools", "belongs to pose.detector"),
        ("pose/second", "from requests.auth import X", "no adapter"),
        ("pose/utils", "", "nothing in particular"),
        ("pose/helpers/boxes", "", "nothing in particular"),
        ("pose/long", "x = 1\n" * 401, "more than 400"),
    ],
)
def test_a_planted_violation_is_found(house: Path, module: str, text: str, complaint: str):
    plant(house, module, text)
    found = violations(house, GRANTED)
    assert len(found) == 1
    assert complaint in found[0]
    assert found[0].startswith(module.replace("/", "."))
