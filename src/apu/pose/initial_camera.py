"""Cameras of other programs: crops, padded squares, other fields of view, and what fits between them and ours."""

import numpy as np
from jaxtyping import Bool, Float

from apu.scene.camera import Camera


def crop_to_full(
    crop_camera: Float[np.ndarray, "n 3"],
    center_px: Float[np.ndarray, "n 2"],
    size_px: Float[np.ndarray, " n"],
    camera: Camera,
) -> Float[np.ndarray, "n 3"]:
    """Places in the photo's camera of people who were looked at in square crops.

    In a crop, a weak-perspective camera (s, x, y) says: one metre is s half sides long, and (x, y) metres lie between
    the crop's middle and the body's origin. So `s * size / 2` pixels are a metre, which at the focal length f is so at
    the depth `2 f / (s * size)`; and the crop's own distance from the principal point is turned into metres by the
    same number. It is what 4D-Humans calls `cam_crop_to_full`.

    Args:
        crop_camera: (n, 3) s, x, y.
        center_px, size_px: of the crops, pixels of the photo.
        camera: the photo's.
    """
    pixels_per_metre = crop_camera[:, 0] * size_px / 2
    sideways = (center_px - np.array(camera.center_px, np.float32)) / pixels_per_metre[:, None]
    depth = camera.focal_px / pixels_per_metre
    return np.concatenate([crop_camera[:, 1:] + sideways, depth[:, None]], 1)


def pixels_of(
    joints: Float[np.ndarray, "k 3"], known: Bool[np.ndarray, " k"], camera: Camera
) -> Float[np.ndarray, "k 2"]:
    """Where joints before the camera (camera axes, metres) appear, pixels; zeros for those that are unknown."""
    depth = np.where(known, joints[:, 2], np.float32(1))[:, None]
    pixels = joints[:, :2] / depth * np.float32(camera.focal_px) + np.array(camera.center_px, np.float32)
    return pixels * known[:, None]


def seen_camera(
    points: Float[np.ndarray, "k 3"], pixels: Float[np.ndarray, "k 2"]
) -> tuple[float, tuple[float, float], float]:
    """The pinhole camera that projects points onto pixels: linear least squares on u = f x / z + c.

    Args:
        points: camera axes, before the camera.
        pixels: where the program says that they appear.

    Returns:
        Focal length and principal point, pixels, and the root mean square of what is left, pixels.
    """
    slope = (points[:, :2] / points[:, 2:]).astype(np.float64)
    zero, one = np.zeros(len(points)), np.ones(len(points))
    rows = np.concatenate([np.stack([slope[:, 0], one, zero], 1), np.stack([slope[:, 1], zero, one], 1)])
    wanted = pixels.T.reshape(-1).astype(np.float64)
    found = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    left = rows @ found - wanted
    focal, x, y = (float(v) for v in found)
    return focal, (x, y), float(np.sqrt((left**2).mean() * 2))


def of_padded_square(focal_px: float, side_px: float, camera: Camera) -> Camera:
    """The photo's camera, where the program saw the photo shrunk into the middle of a square.

    Args:
        focal_px: of the square, whose principal point is its middle.
        side_px: of the square.
        camera: tells the photo's size.
    """
    longer = max(camera.width, camera.height)
    return Camera.of_image(camera.width, camera.height, focal_px=focal_px * longer / side_px)


def place_in(place_m: Float[np.ndarray, "*n 3"], theirs: Camera, ours: Camera) -> Float[np.ndarray, "*n 3"]:
    """The place that looks the same in our camera: depth goes with the focal length, the pixel stays.

    Args:
        place_m: in their camera.
        theirs, ours: of the same photo.
    """
    scale = ours.focal_px / theirs.focal_px
    off = np.array(theirs.center_px, np.float32) - np.array(ours.center_px, np.float32)
    moved = place_m.copy()
    moved[..., :2] += off * place_m[..., 2:] / theirs.focal_px
    moved[..., 2] *= scale
    return moved
