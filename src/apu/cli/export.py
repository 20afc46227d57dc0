"""`apu export`: a fitted pair in the formats of other programs."""

from pathlib import Path

import click

from apu.cli.group import ApuCommand

PLACE = click.Path(path_type=Path)
FORMATS = ("glb", "skinned-glb", "fbx-ready-glb", "obj", "ply", "bvh", "npz", "smplx")
RIGS = ("own", "mixamo", "game-engine")


@click.command("export", cls=ApuCommand, short_help="Write a fitted pair for other programs.")
@click.argument("pair", type=PLACE, metavar="PAIR")
@click.option(
    "--format", "formats", type=click.Choice(FORMATS), multiple=True, required=True, help="What to write; repeatable."
)
@click.option(
    "--rig", type=click.Choice(RIGS), default="own", show_default=True, help="Skeleton of skinned-glb and bvh."
)
@click.option("--record", metavar="ID", help="PAIR is a data set; export this pair of it.")
@click.option("--out", type=PLACE, metavar="DIR", help="Folder for the files.  [default: the pair's own]")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def command(
    pair: Path, formats: tuple[str, ...], rig: str, record: str | None, out: Path | None, overwrite: bool
) -> None:
    """Write the pair in PAIR in formats of other programs.

    PAIR is a result folder of `apu fit`, one of its pair_I_J folders, or a pair.npz. With --record it is a data set.

    glb: both meshes. skinned-glb: both with skeletons, at rest underneath and posed as fitted; fbx-ready-glb is the
    same file, which Blender turns into FBX. obj, ply: a mesh for each person. bvh: a skeleton and one frame for each.
    npz: all numbers. smplx: SMPL-X parameters for each.

    docs/exports.md tells axes, units and limits.

    \b
    Examples:
      apu export photo_apu --format skinned-glb
      apu export photo_apu --format bvh --rig mixamo --out for_blender
      apu export data/train --record ID --format ply --out pair
    """
    if record is not None and out is None:
        raise click.UsageError("--record needs --out: nothing is written into a data set.")
    from apu.cli.export_run import export

    export(pair, tuple(dict.fromkeys(formats)), rig, record, out, overwrite=overwrite)
