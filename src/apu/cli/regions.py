"""`apu regions`: the words that contacts are written in."""

import click

from apu.cli.group import ApuCommand


@click.command("regions", cls=ApuCommand, short_help="List the words that contacts are written in.")
def command() -> None:
    """List the names of the 75 surface regions, and of the parts that stand for several of them.

    Left and right are the person's own. A contact file names regions or parts; see docs/contact_files.md.

    \b
    Example:
      apu regions
    """
    from apu.body.region_names import CENTRAL_REGIONS, REGION_NAMES, SIDED_REGIONS
    from apu.contact.parts import PARTS

    click.echo(f"{len(REGION_NAMES)} regions: left_ and right_ of each of these, and {', '.join(CENTRAL_REGIONS)}.")
    for name in SIDED_REGIONS:
        click.echo(f"  {name}")
    click.echo(f"\n{len(PARTS)} parts, each a word for the regions beside it. Write `left hand`, `right hand`")
    click.echo("or `both hands`; without a side, a part stands for both.")
    table = click.HelpFormatter(width=80)
    with table.indentation():
        table.write_dl([(part.name, ", ".join(part.surfaces)) for part in PARTS.values()])
    click.echo(table.getvalue(), nl=False)
