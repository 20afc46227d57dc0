"""`apu regions` names every word that a contact file may use."""

import subprocess
import sys

from apu.body.region_names import CENTRAL_REGIONS, SIDED_REGIONS
from apu.contact.parts import PARTS


def test_every_region_and_part_is_listed_once(run):
    result = run("regions")
    assert result.exit_code == 0
    regions, parts = result.output.split("\n\n")
    assert [line.strip() for line in regions.splitlines()[1:]] == list(SIDED_REGIONS)
    assert all(name in regions.splitlines()[0] for name in CENTRAL_REGIONS)
    for part in PARTS.values():
        (line,) = [line for line in parts.splitlines() if line.startswith(f"  {part.name}  ")]
        assert line.split()[len(part.name.split())].strip(",") == part.surfaces[0]
    assert set(parts.replace(",", " ").split()) >= {*SIDED_REGIONS, *CENTRAL_REGIONS}


def test_the_list_fits_its_terminal(run):
    assert max(map(len, run("regions").output.splitlines())) <= 80


def test_listing_loads_no_heavy_library():
    code = (
        "import sys; from click.testing import CliRunner; from apu.cli.main import main\n"
        "assert CliRunner().invoke(main, ['regions']).exit_code == 0\n"
        "print(sorted({'torch', 'numpy', 'pydantic', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
