"""`scene.html`: both bodies and the photo in one page that turns them about, in any browser, without a network.

The viewer is our own (`pages/scene.js`, plain WebGL), not viser's: viser records a scene only while its web server
listens on a port, and its page can neither be closed to foreign scripts nor put the bodies exactly onto the photo.
"""

import base64
import math
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from apu.body.protocol import Surface
from apu.scene.pair import ContactResult, Fit, PairObservation
from apu.scene.photo import Photo
from apu.show.canvas import Color, resized, to_bytes, to_jpeg
from apu.show.glb import CAMERA_TO_GLTF
from apu.show.offline_page import data_url, offline_page
from apu.show.palette import BODY_COLORS, CONTACT_COLORS, LINE_COLORS, PERSON_NAMES
from apu.show.panel import CONTACT_REACHED_M
from apu.show.report import clean_text

_PHOTO_PX = 1280
"""The longer side of the photo in the page, at most."""

_STEPS = 2**16 - 1
"""Coordinates are written in 16 bits over the body's extent: steps of some 0.03 mm."""


def write_scene_html(path: Path, photo: Photo, observation: PairObservation, fit: Fit, surface: Surface) -> None:
    """Write the page. A body with a vertex that is not finite is left out.

    Args:
        path: of the file.
        photo: stands behind the bodies, where the camera saw it.
        observation: the pair, with the camera.
        fit: its two bodies.
        surface: the skin that the fit's vertices belong to.
    """
    faces = surface.faces.detach().cpu().numpy()
    region = surface.region_of_vertex.detach().cpu().numpy()
    wide = len(region) > _STEPS
    data = {
        "photo": _photo(photo, observation),
        "faces": _packed(faces, "<u4" if wide else "<u2"),
        "wide": wide,
        "regions": _packed(region, "u1"),
        "bodies": [body for person in (0, 1) if (body := _body(fit, surface, person))],
        "contacts": _contacts(fit, surface),
    }
    title = f"{photo.name}: {' and '.join(PERSON_NAMES)}"
    page = offline_page("scene", texts={"title": title, "heading": photo.name}, data=data)
    path.write_bytes(page.encode())


def _photo(photo: Photo, observation: PairObservation) -> dict[str, object]:
    scale = min(1.0, _PHOTO_PX / max(photo.width, photo.height))
    small = photo.pixels
    if scale < 1:
        small = resized(small, max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    camera = observation.camera
    return {
        "source": data_url("image/jpeg", to_jpeg(small)),
        "focal": float(camera.focal_px),
        "center": [float(c) for c in camera.center_px],
        "width": camera.width,
        "height": camera.height,
    }


def _body(fit: Fit, surface: Surface, person: int) -> dict[str, object] | None:
    """Y up, metres, the camera at the origin and looking along -z; None for a body that cannot be drawn."""
    points = fit.vertices[person].detach().cpu().double().numpy() * CAMERA_TO_GLTF
    if not np.isfinite(points).all():
        return None
    low, high = points.min(0), points.max(0)
    step = np.maximum(high - low, 1e-6) / _STEPS
    return {
        "person": person,
        "name": PERSON_NAMES[person],
        "points": _packed(np.rint((points - low) / step), "<u2"),
        "low": low.tolist(),
        "step": step.tolist(),
        "crown": _crown(points, surface).tolist(),
        "color": _bytes(BODY_COLORS[person]),
        "touching": _bytes(CONTACT_COLORS[person]),
        "mark": f"rgb({', '.join(map(str, _bytes(LINE_COLORS[person])))})",
    }


def _crown(points: Float[np.ndarray, "v 3"], surface: Surface) -> Float[np.ndarray, "3"]:
    """Highest point of the head, or of the body where no region is a head's."""
    is_head = np.array(["head" in name for name in surface.region_names], dtype=bool)
    head = points[is_head[surface.region_of_vertex.detach().cpu().numpy()]]
    some = head if len(head) else points
    return some[some[:, 1].argmax()]


def _contacts(fit: Fit, surface: Surface) -> list[dict[str, object]]:
    index = {name: i for i, name in enumerate(surface.region_names)}
    return [
        {
            "name": clean_text(contact.name),
            "regions": [
                sorted(index[r] for r in side if r in index) for side in (contact.regions_a, contact.regions_b)
            ],
            "words": _distance(result),
            "met": result.after_m <= CONTACT_REACHED_M,
        }
        for contact, result in zip(fit.contacts.contacts, fit.contact_results, strict=True)
    ]


def _distance(result: ContactResult) -> str:
    return f"{100 * result.after_m:.1f} cm" if math.isfinite(result.after_m) else "unknown"


def _bytes(color: Color) -> list[int]:
    return [int(c) for c in to_bytes(np.array(color))]


def _packed(values: Float[np.ndarray, "..."] | Int[np.ndarray, "..."], kind: str) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode()
