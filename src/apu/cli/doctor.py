"""`apu doctor`: whether a fit would work now, without a network, and what to do when it would not."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import click

from apu.cli import doctor_checks as checks
from apu.cli.doctor_checks import Finding
from apu.cli.failures import FAILED
from apu.cli.group import ApuCommand

MARKS = {
    "ok": ("ok", "green"),
    "note": ("note", "yellow"),
    "missing": ("MISSING", "red"),
    "problem": ("PROBLEM", "red"),
}

IMPORTS: tuple[tuple[str, Callable[[], Finding]], ...] = (
    ("torch", checks.torch_build),
    ("warp", checks.warp_build),
    ("onnxruntime", checks.onnxruntime_build),
)
"""These take a second each, so they run beside the rest."""


@click.command("doctor", cls=ApuCommand, short_help="Check what is installed and cached; say how to mend it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def command(as_json: bool) -> None:
    """Check the installation, the cached model files, and the machine.

    Ends with exit code 0 when a fit would work now, without a network, and with 1 when it would not. For each problem
    there is the command that mends it.

    \b
    Examples:
      apu doctor
      apu doctor --json
    """
    found: list[Finding] = []
    for finding in findings():
        found.append(finding)
        if not as_json:
            click.echo(_line(finding))
    stopping = [finding for finding in found if finding.state in ("missing", "problem")]
    if as_json:
        click.echo(json.dumps({"ok": not stopping, "checks": [vars(finding) for finding in found]}, indent=2))
    else:
        click.echo(f"\n{_verdict(stopping)}")
    if stopping:
        click.get_current_context().exit(FAILED)


def findings() -> Iterator[Finding]:
    """All findings, in the order of the output, each as soon as it is known."""
    with ThreadPoolExecutor(len(IMPORTS)) as pool:
        imports = [pool.submit(checks.isolated, name, check) for name, check in IMPORTS]
        yield from checks.isolated("python", checks.python_version)
        yield from checks.isolated("apu", checks.apu_version)
        for future in imports:
            yield from future.result()
    yield from checks.isolated("npm", checks.npm)
    yield from checks.isolated("chromium", checks.chromium)
    yield from checks.isolated("language models", checks.language_models)
    yield from checks.isolated("other detectors", checks.other_detectors)
    yield from checks.isolated("cache folder", checks.cache_folder)
    models = checks.isolated("detector", checks.model_files) + checks.isolated("Anny body", checks.prepared_body)
    yield from models
    yield from checks.isolated("SMPL-X body", checks.smplx_model)
    missing = any(finding.state == "missing" for finding in models)
    yield from checks.isolated("free disk", lambda: checks.free_disk(models_missing=missing))
    yield from checks.isolated("threads", checks.threads)


def _line(finding: Finding) -> str:
    word, colour = MARKS[finding.state]
    line = f"{click.style(f'{word:<8}', fg=colour)} {finding.name:<18} {finding.detail}"
    return line if finding.remedy is None else f"{line}\n{'':<28}mend it: {finding.remedy}"


def _verdict(stopping: list[Finding]) -> str:
    if not stopping:
        return "A fit would work now, also without a network."
    return f"A fit would not work offline: {', '.join(finding.name for finding in stopping)}."
