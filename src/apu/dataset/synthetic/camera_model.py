"""A photographer: where the camera stands, where it looks, and from which side it sees both people."""

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from apu.body.joints import joint_names
from apu.dataset.synthetic.observation_settings import CameraSettings
from apu.dataset.synthetic.random_streams import Streams
from apu.dataset.synthetic.visibility import JointState, joint_states, limb_thickness, pixels_of
from apu.scene.camera import DEFAULT_FIELD_OF_VIEW, Camera

STANDING_M = 1.75
"""Size of a pair that is looked at from `CameraSettings.distance_m`."""

SIZE_RANGE = (0.6, 1.5)
"""Smaller and larger pairs are looked at as if they had this many times that size."""

MARGIN = 0.03
"""Of the picture's size, left free around an uncropped pair."""

LEAST_KEPT = 0.6
"""Of a person's height in the picture, that a crop leaves."""

CROPPED_CLOSER = 0.5
NEAREST_M = 0.6
FIELD_OF_VIEW_DEG = (35.0, 90.0)
AIMING_STEPS = 4
STEPPING_BACK = 12
_THINNING = 7
"""Every seventh vertex outlines a body well enough."""

MAIN_JOINTS: tuple[int, ...] = tuple(
    i
    for i, name in enumerate(joint_names("body25"))
    if name.endswith(("shoulder", "elbow", "wrist", "knee", "ankle", "left_hip", "right_hip"))
)


@dataclass(frozen=True)
class View:
    """A camera and where it stands: x_camera = rotation @ x_level + translation.

    Attributes:
        camera: the camera.
        rotation: (3, 3).
        translation: (3,) metres.
        yaw: turn of the pair about the vertical, radians; 0 as the level frame has it.
        cropped: whether the lower edge was meant to cut the pair.
    """

    camera: Camera
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, " 3"]
    yaw: float
    cropped: bool

    def seen(self, points: Float[np.ndarray, "*b 3"]) -> Float[np.ndarray, "*b 3"]:
        """Points of the level frame in the camera frame."""
        return points @ self.rotation.T + self.translation


@dataclass(frozen=True)
class _Plan:
    """All of a view but the yaw: `place` is the pair's place in the picture, in shares of its size from the middle."""

    camera: Camera
    distance_m: float
    height_m: float
    place: Float[np.ndarray, " 2"]
    cropped: bool
    cut: float


def choose_view(
    joints: Float[np.ndarray, "2 25 3"],
    vertices: Float[np.ndarray, "2 v 3"],
    faces: Int[np.ndarray, "f 3"],
    streams: Streams,
    settings: CameraSettings,
) -> tuple[View, Int[np.ndarray, "2 25"]]:
    """A view of a pair, and the state of every joint in it.

    Yaws are uniform over those from which enough of both people is seen; everything else is drawn beforehand.

    Args:
        joints: BODY_25, level frame (floor at y = 0), metres.
        vertices: level frame, metres.
        faces: of either body.
        streams: of the pair.
        settings: see there.
    """
    plan = _plan(vertices, streams, settings)
    thickness = limb_thickness(joints, vertices)
    yaws = streams("camera/yaw").uniform(-math.pi, math.pi, max(1, settings.tries)) if settings.on else np.zeros(1)
    best: tuple[float, View, Int[np.ndarray, "2 25"]] | None = None
    for yaw in yaws:
        view = _view(vertices, plan, float(yaw))
        states = joint_states(view.seen(joints), thickness, view.seen(vertices), faces, view.camera)
        share = unhidden_share(states)
        if best is None or share > best[0]:
            best = share, view, states
        if share >= settings.least_unhidden:
            break
    assert best is not None
    return best[1], best[2]


def unhidden_share(states: Int[np.ndarray, "2 25"]) -> float:
    """Share of a person's limb joints in the picture that are not behind the other one; of who has the smaller."""
    limbs = states[:, list(MAIN_JOINTS)]
    inside = (limbs != JointState.OUT_OF_FRAME).sum(1)
    hidden = (limbs == JointState.BEHIND_OTHER).sum(1)
    return float((1 - hidden / np.maximum(inside, 1)).min())


def _plan(vertices: Float[np.ndarray, "2 v 3"], streams: Streams, settings: CameraSettings) -> _Plan:
    if not settings.on:
        field = math.radians(settings.field_of_view_deg)
        camera = Camera.of_image(settings.width, settings.height, field_of_view=field)
        return _Plan(camera, 3.5, 1.3, np.zeros(2), False, 0.0)
    field_deg = settings.field_of_view_deg + settings.field_of_view_spread_deg * streams("camera/lens").normal()
    field = math.radians(float(np.clip(field_deg, *FIELD_OF_VIEW_DEG)))
    camera = Camera.of_image(settings.width, settings.height, field_of_view=field)
    crop = streams("camera/crop")
    cropped, cut = bool(crop.random() < settings.cropped), float(crop.uniform(*settings.cut))
    extent = np.ptp(vertices.reshape(-1, 3), axis=0)
    size = float(np.clip(max(extent[1], math.hypot(extent[0], extent[2])) / STANDING_M, *SIZE_RANGE))
    zoom = math.tan(DEFAULT_FIELD_OF_VIEW / 2) / math.tan(field / 2)
    place = streams("camera/place")
    return _Plan(
        camera=camera,
        distance_m=float(place.uniform(*settings.distance_m)) * size * zoom * (CROPPED_CLOSER if cropped else 1.0),
        height_m=float(place.uniform(*settings.height_m)),
        place=settings.off_centre * place.normal(size=2),
        cropped=cropped,
        cut=cut,
    )


def _view(vertices: Float[np.ndarray, "2 v 3"], plan: _Plan, yaw: float) -> View:
    """The plan from one side; an uncropped pair that does not fit in is looked at from farther off."""
    outline = vertices[:, ::_THINNING]
    around = _turn(yaw)
    turned = outline @ around.T
    middle = (turned.reshape(-1, 3).min(0) + turned.reshape(-1, 3).max(0)) / 2
    nearest = float(middle[2] - turned[..., 2].min()) + NEAREST_M
    plan = replace(plan, distance_m=max(plan.distance_m, nearest))
    place, aim, fits = _stand(turned, middle, plan)
    for _ in range(STEPPING_BACK):
        if fits:
            break
        plan = replace(plan, distance_m=1.1 * plan.distance_m)
        place, aim, fits = _stand(turned, middle, plan)
    return View(plan.camera, aim @ around, -aim @ place, yaw, plan.cropped)


def _stand(
    points: Float[np.ndarray, "2 n 3"], middle: Float[np.ndarray, " 3"], plan: _Plan
) -> tuple[Float[np.ndarray, " 3"], Float[np.ndarray, "3 3"], bool]:
    """Where the camera stands before the pair's middle, and `_aim` from there."""
    place = np.array([middle[0], -plan.height_m, middle[2] - plan.distance_m])
    return place, *_aim(points - place, plan)


def _aim(points: Float[np.ndarray, "2 n 3"], plan: _Plan) -> tuple[Float[np.ndarray, "3 3"], bool]:
    """How to turn the camera that the pair appears in its place, and whether it is in the picture as it should be."""
    picture = np.array([plan.camera.width, plan.camera.height], float)
    flat = points.reshape(-1, 3)
    pan = math.atan2(float(flat[:, 0].mean()), float(flat[:, 2].mean()))
    tilt = math.atan2(float(flat[:, 1].mean()), float(flat[:, 2].mean()))
    fits = False
    for step in range(AIMING_STEPS + 1):
        turned = points @ _turned_down(tilt, pan).T
        if float(turned[..., 2].min()) < NEAREST_M / 2:
            return _turned_down(tilt, pan), False
        boxes = pixels_of(turned, plan.camera)
        low, high = boxes.reshape(-1, 2).min(0), boxes.reshape(-1, 2).max(0)
        room = picture * (1 - 2 * MARGIN) - (high - low)
        shift = np.clip(plan.place * picture, -room.clip(0) / 2, room.clip(0) / 2)
        fits = bool((room[:1] >= 0).all() if plan.cropped else (room >= 0).all())
        off = (low + high) / 2 - (picture / 2 + shift)
        if plan.cropped:
            off[1] = _cut_row(boxes, plan.cut) - picture[1]
        if step < AIMING_STEPS:
            pan += math.atan(off[0] / plan.camera.focal_px)
            tilt += math.atan(off[1] / plan.camera.focal_px)
    return _turned_down(tilt, pan), fits


def _cut_row(boxes: Float[np.ndarray, "2 n 2"], cut: float) -> float:
    """The pixel row at which a crop cuts the pair: not so high that little of either person stays."""
    top, bottom = boxes[..., 1].min(1), boxes[..., 1].max(1)
    wanted = bottom.max() - cut * (bottom.max() - top.min())
    return float(max(wanted, (top + LEAST_KEPT * (bottom - top)).max()))


def _turn(yaw: float) -> Float[np.ndarray, "3 3"]:
    """About the vertical."""
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def _turned_down(tilt: float, pan: float) -> Float[np.ndarray, "3 3"]:
    """World to camera for one that is panned to the right, then tilted downwards, radians; never rolled."""
    c, s = math.cos(tilt), math.sin(tilt)
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]]) @ _turn(-pan)
