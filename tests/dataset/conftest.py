"""What the tests of data sets share."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # so that other processes find `errands` and `fake_world`
