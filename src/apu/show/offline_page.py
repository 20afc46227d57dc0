"""Web pages in one file: they need no network, and nothing runs in them but the script that was written here."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path

from apu.show.report import clean_text

_PAGES = Path(__file__).with_name("pages")
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def offline_page(
    name: str, *, texts: Mapping[str, str], data: object = None, markup: Mapping[str, str] | None = None
) -> str:
    """Fill `pages/<name>.html` with its style and script, and with what the caller has.

    A policy in the page (Content-Security-Policy) allows this style and this script by their hashes, pictures that are
    part of the file, and nothing else.

    Args:
        name: of the page.
        texts: place -> any text, also foreign; becomes text.
        data: any JSON; the script finds it in the element `data`.
        markup: place -> HTML whose foreign parts the caller has escaped with `escaped`.
    """
    style, script = (_read(f"{name}.{ending}") for ending in ("css", "js"))
    filling = {place: escaped(text) for place, text in texts.items()} | dict(markup or {})
    filling |= {"style": style, "script": script, "data": _json(data), "policy": escaped(_policy(style, script))}
    # One pass: what has been filled in is not looked at again.
    return _PLACE.sub(lambda place: filling[place.group(1)], _read(f"{name}.html"))


def escaped(text: object) -> str:
    """Any text as HTML text, or as the value of an attribute in quotes."""
    return html.escape(clean_text(str(text)), quote=True)


def data_url(media_type: str, content: bytes) -> str:
    """Bytes as an address that is part of the page."""
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _json(data: object) -> str:
    """JSON in which no letter can end or open a tag."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(style: str, script: str) -> str:
    hashes = {"style": style, "script": script}
    allowed = " ".join(f"{kind}-src 'sha256-{_sha256(text)}';" for kind, text in hashes.items())
    return f"default-src 'none'; {allowed} img-src data:; base-uri 'none'; form-action 'none'"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _read(name: str) -> str:
    return (_PAGES / name).read_text(encoding="utf-8")
