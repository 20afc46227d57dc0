"""How the files of a result folder are called; docs/outputs.md says what they are."""

PANEL = "panel.png"
PEOPLE = "people.png"
SCENE = "scene.html"
TURNTABLE = "turntable.gif"
GLB, OBJ, NPZ = "pair.glb", "pair.obj", "pair.npz"
CONTACTS = "contacts.json"
RUN = "run.json"
FAILURE = "failure.json"
"""Written by the command line for a photo of several that failed."""

REPORT = "report.html"
"""Beside the folders of several photos."""
