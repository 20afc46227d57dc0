from dataclasses import replace

from apu.cli.summary import summary
from apu.scene.results import PhotoResult


def test_notes_are_told_and_cannot_steer_the_terminal(fitted: PhotoResult):
    text = summary(replace(fitted, notes=("pair 1,0: no contacts from MODEL, because it said \x1b[2J",)))
    assert "\nNote: pair 1,0: no contacts from MODEL, because it said ?[2J\n" in text
    assert "Note" not in summary(fitted)
