"""Writes the files of `apu export`. Loads torch: import it inside the command only."""

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

import click
import torch

from apu.body.anny import AnnyBody
from apu.body.anny_rigs import rigged_as
from apu.body.load import load_body
from apu.body.protocol import BodyModel, Parts
from apu.body.rigged import RiggedBody, few_influences
from apu.cache import written_whole
from apu.cli.request import printable
from apu.cli.run import use_threads
from apu.contact.measured import TOUCHING_M
from apu.dataset.record import PairRecord
from apu.dataset.store import PairStore
from apu.errors import InputError, OutputError
from apu.show.bvh import write_bvh
from apu.show.exported_arrays import write_arrays, write_smplx
from apu.show.glb import write_body, write_meshes_glb
from apu.show.palette import PERSON_NAMES
from apu.show.skinned_glb import INFLUENCES, write_skinned_glb
from apu.show.stored_pair import StoredPair, read_stored_pair

SAME_M = 1e-3
"""Parameters whose vertices are farther from the stored ones are not theirs."""

Files = Mapping[str, Callable[[Path], None]]
"""Name of a file -> what writes it to a path."""


class Export:
    """A pair, its body model and its skeletons; the latter are made when a format needs them.

    Args:
        pair: to be written.
        rig: `own`, or a name of `ANNY_RIGS`.
    """

    def __init__(self, pair: StoredPair, rig: str) -> None:
        self.pair, self.rig = pair, rig

    @cached_property
    def body(self) -> BodyModel:
        """The model that the pair was fitted with."""
        return body_named(self.pair.body_model, self.pair.where)

    @cached_property
    def own(self) -> tuple[RiggedBody, RiggedBody]:
        """Both people on the body model's own skeleton."""
        _check_parameters(self.pair, self.body)
        a, b = self.body.rigged(self.pair.parameters)
        for one, vertices in zip((a, b), self.pair.vertices, strict=True):
            _check_same(self.pair, one, vertices)
        return a, b

    @cached_property
    def rigged(self) -> tuple[RiggedBody, RiggedBody]:
        """Both people on the chosen skeleton."""
        own, body = self.own, self.body
        if self.rig == "own":
            return own
        if not isinstance(body, AnnyBody):
            raise InputError(
                "This skeleton is known for the Anny body only.",
                where="--rig",
                expected="own, for this pair",
                got=f"{self.rig}, for a pair of {self.pair.body_model}",
                remedy="leave --rig out; Blender can retarget the own skeleton.",
            )
        a, b = rigged_as(body, self.pair.parameters, self.rig)
        return a, b

    def files(self, form: str) -> Files:
        """The files of a format; nothing is computed yet."""
        pair, end = self.pair, "" if self.rig == "own" else f"_{self.rig.replace('-', '_')}"
        if form == "glb":
            return {"meshes.glb": lambda path: write_meshes_glb(path, pair.vertices, pair.surface, pair.regions)}
        if form in ("skinned-glb", "fbx-ready-glb"):
            return {f"skinned{end}.glb": lambda path: write_skinned_glb(path, self.rigged, pair.surface, pair.regions)}
        if form == "npz":
            return {"arrays.npz": lambda path: write_arrays(path, pair, self.own)}
        one = {
            "obj": lambda person: (f"{PERSON_NAMES[person]}.obj", lambda path: self._mesh(path, person, "obj")),
            "ply": lambda person: (f"{PERSON_NAMES[person]}.ply", lambda path: self._mesh(path, person, "ply")),
            "bvh": lambda person: (
                f"{PERSON_NAMES[person]}{end}.bvh",
                lambda path: write_bvh(path, self.rigged[person]),
            ),
            "smplx": lambda person: (f"{PERSON_NAMES[person]}_smplx.npz", lambda path: self._smplx(path, person)),
        }[form]
        return dict(one(person) for person in (0, 1))

    def _mesh(self, path: Path, person: int, form: Literal["obj", "ply"]) -> None:
        write_body(path, self.pair.vertices[person], self.pair.surface, self.pair.regions[person], person, form)

    def _smplx(self, path: Path, person: int) -> None:
        _check_parameters(self.pair, self.body)
        write_smplx(path, self.pair, self.body, person)


@torch.no_grad()
def export(
    place: Path, formats: tuple[str, ...], rig: str, record: str | None, out: Path | None, *, overwrite: bool
) -> None:
    """Write the files, and say what they are.

    Raises:
        InputError: the pair cannot be read, or a format cannot hold it.
        OutputError: a file exists and `overwrite` is not set, or cannot be written.
    """
    use_threads()
    pair = read_stored_pair(place) if record is None else of_record(PairStore(place).with_ids([record])[0])
    folder = out or (place if place.is_dir() else place.parent)
    job = Export(pair, rig)
    files = {name: write for form in formats for name, write in job.files(form).items()}
    _check_free(folder, files, overwrite)
    for name, write in files.items():
        with written_whole(folder / name) as temporary:
            write(temporary)
        click.echo(printable(folder / name))
    if any(name.startswith("skinned") for name in files):
        click.echo(_distance(job))


def of_record(record: PairRecord) -> StoredPair:
    """A pair of a data set, posed; what touches in it is painted."""
    body = body_named(record.body_model, f"pair {record.id}")
    parameters = {name: torch.tensor(value, dtype=torch.float32) for name, value in record.parameters.items()}
    posed = body.forward(parameters, Parts("body25", "all"))
    assert posed.vertices is not None
    assert posed.joints is not None
    near = [contact for contact in record.contacts if contact.distance_m <= TOUCHING_M]
    return StoredPair(
        where=f"pair {record.id}",
        body_model=record.body_model,
        parameters=parameters,
        vertices=posed.vertices,
        joints=posed.joints,
        surface=body.surface,
        regions=(frozenset(c.region_a for c in near), frozenset(c.region_b for c in near)),
        extra={},
    )


def body_named(name: str, where: str) -> BodyModel:
    """The body model of a result.

    Raises:
        InputError: this installation has another one.
        ModelFileError: its file is missing.
    """
    body = load_body("smplx" if name.startswith("smplx") else "anny")
    if body.name != name:
        raise InputError(
            "The pair was made with another body model than is here.",
            where=where,
            expected=body.name,
            got=name[:80],
            remedy="use the file or version that it was made with, or a format without a skeleton: glb, obj, ply.",
        )
    return body


def _check_parameters(pair: StoredPair, body: BodyModel) -> None:
    wanted = {name: (2, spec.size) for name, spec in body.parameter_spec.items()}
    found = {name: tuple(value.shape) for name, value in pair.parameters.items()}
    if wanted != found:
        raise InputError(
            "The pair's parameters are not those of its body model.",
            where=pair.where,
            expected=", ".join(f"param_{name} {shape}" for name, shape in wanted.items()),
            got=", ".join(f"param_{name} {shape}" for name, shape in found.items()) or "none",
            remedy="fit the photo again, or take a format without a skeleton: glb, obj, ply.",
        )


def _check_same(pair: StoredPair, body: RiggedBody, vertices: torch.Tensor) -> None:
    posed = body.skinned()
    apart = float((posed - vertices).norm(dim=-1).max()) if posed.shape == vertices.shape else float("inf")
    if not apart <= SAME_M:
        raise InputError(
            "The pair's vertices are not those of its parameters.",
            where=pair.where,
            expected=f"the same bodies, to {SAME_M * 1e3:.0f} mm",
            got=f"{apart * 1e3:.1f} mm apart",
            remedy="fit the photo again, or take a format without a skeleton: glb, obj, ply.",
        )


def _check_free(folder: Path, files: Files, overwrite: bool) -> None:
    taken = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if folder.exists() and not folder.is_dir():
        taken, folder = [folder.name], folder.parent
    if taken and (not overwrite or not all(name in files for name in taken)):
        raise OutputError(
            "A file of the export exists already.",
            where=folder / taken[0],
            expected="names that are free",
            got=", ".join(taken),
            remedy="add --overwrite to replace it, or name another folder with --out.",
        )


def _distance(job: Export) -> str:
    """How far the skinned meshes are from the fitted ones, in words."""
    shown = [few_influences(body, INFLUENCES).skinned() for body in job.rigged]
    apart = torch.cat([(s - v).norm(dim=-1) for s, v in zip(shown, job.pair.vertices, strict=True)]) * 1e3
    return f"skinned meshes: {apart.mean():.2f} mm from the fit on average, {apart.max():.1f} mm at most"
