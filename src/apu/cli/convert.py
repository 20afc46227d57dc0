"""`apu convert`: people of other body models, or of none, in the model that is wanted."""

from pathlib import Path
from typing import get_args

import click

from apu.body.smplx_place import find_smplx
from apu.cli.group import ApuCommand
from apu.cli.options import BodyKind
from apu.cli.output import check_file
from apu.errors import InputError

FILE = click.Path(path_type=Path)


@click.command("convert", cls=ApuCommand, short_help="Turn meshes and other bodies into Anny or SMPL-X.")
@click.argument("file", type=FILE, metavar="FILE")
@click.option(
    "--to", "kind", type=click.Choice(get_args(BodyKind)), required=True, help="The body model to convert to."
)
@click.option("--out", type=FILE, required=True, metavar="NPZ", help="Where the parameters go.")
@click.option("--body-file", type=FILE, metavar="PATH", help="Your SMPL-X file or folder.  [default: $APU_SMPLX]")
@click.option(
    "--up", type=click.Choice(["y", "-y"]), help="Which axis of FILE points up.  [default: what FILE says, or y]"
)
@click.option("--overwrite", is_flag=True, help="Replace the file NPZ.")
def command(file: Path, kind: BodyKind, out: Path, body_file: Path | None, up: str | None, overwrite: bool) -> None:
    """Lay a body model into the people of FILE, and write its parameters and meshes.

    FILE is a mesh (obj, ply or glb; an object for each person, in metres), an npz file of SMPL-X parameters, or a
    pair.npz of apu fit. With --up y, people look along z when they face you, as in glTF and SMPL-X. With --up -y the
    frame is a camera's: x right, y down, z forward. Results are in the camera frame.

    Meshes are matched by their surfaces, which takes some seconds for each person. Somebody of whom only the mesh is
    known should stand about upright. SMPL-X parameters become Anny by their rotations; with --body-file the model
    behind them is read, and Anny fitted to its mesh, too. docs/conversions.md tells how near all this comes.

    \b
    Examples:
      apu convert scan.obj --to anny --out scan_anny.npz
      apu convert smplx.npz --to anny --out anny.npz
      apu convert hug/pair.npz --to smplx --body-file models --out smplx.npz
    """
    if out.suffix != ".npz":
        raise click.UsageError(f"--out writes an npz file; {out} ends in {out.suffix or 'nothing'}.")
    check_file(out, overwrite=overwrite)
    if not file.is_file():
        raise InputError(
            "There is nothing to convert.",
            where=file,
            expected="an obj, ply, glb or npz file",
            got="a folder" if file.is_dir() else "no such file",
            remedy="check the path; of a result folder name its pair.npz.",
        )
    if kind == "smplx" or body_file is not None:
        find_smplx(body_file)
    from apu.cli.convert_run import convert
    from apu.cli.progress import shown_progress

    with shown_progress() as progress:
        lines = convert(file, kind, out, body_file, up, progress)
    for line in lines:
        click.echo(line)
