"""Which program wrote an estimate: told by the entries of the file, never by its name; and everybody in it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from apu.errors import InputError
from apu.pose.bev import bev_estimates
from apu.pose.initial_content import ENDINGS, Content, read_content, wrong_kind
from apu.pose.initial_hmr2 import hmr2_estimates
from apu.pose.initial_multi_hmr import multi_hmr_estimates
from apu.pose.initial_person import Estimated
from apu.pose.initial_sam3d import sam3d_estimates
from apu.pose.initial_smplx import smplx_estimates
from apu.pose.initial_values import check_people
from apu.scene.camera import Camera

Record = Mapping[str, Any]
Reader = Callable[[Content, Path, Camera], list[Estimated]]

MOST_FILES = 100
"""Of a folder; they are read one after the other."""

SAM3D_ONLY = {"mhr_model_params", "pred_pose_raw", "body_pose_params", "scale_params", "pred_joint_coords"}
MULTI_HMR_ONLY = {"transl_pelvis", "j3d", "j3d_smplx"}


def read_estimates(path: Path, camera: Camera) -> list[Estimated]:
    """Everybody whom a program has estimated in one photo, each in the program's own camera.

    Args:
        path: a file, or a folder with one file per person (as SAM 3D Body is often saved), all of one program.
        camera: of the photo; its size is used, and what a file does not say of its own camera.

    Raises:
        InputError: a file cannot be read, is hostile, of another kind, or has numbers that make no sense.
    """
    if not path.is_dir():
        return _of_file(path, camera)
    files = _files_of(path)
    people = [one for file in files for one in _of_file(file, camera)]
    sources = sorted({one.source for one in people})
    if len(sources) > 1:
        raise InputError(
            "The folder of initial estimates holds files of several programs.",
            where=path,
            expected="files of one program, for the people of one photo",
            got=", ".join(sources),
            remedy="keep one program's files in the folder.",
        )
    check_people(len(people), path)
    return [replace(one, row=row) for row, one in enumerate(people)]


def reader_of(content: Content, path: Path) -> Reader:
    """Who reads a file's entries.

    Raises:
        InputError: nobody; it says what the file looks like.
    """
    record: Record = content if isinstance(content, Mapping) else content[0] if content else {}
    keys = set(record)
    if isinstance(record.get("results"), Mapping):
        return bev_estimates
    if keys & SAM3D_ONLY or ("pred_keypoints_3d" in keys and _joint_count(record) == 70):
        return sam3d_estimates
    if "pred_smpl_params" in keys or ("pred_cam" in keys and "pred_keypoints_3d" in keys) or _joint_count(record) == 44:
        return hmr2_estimates
    if keys & MULTI_HMR_ONLY and ("rotvec" in keys or "transl" in keys):
        return multi_hmr_estimates
    if {"global_orient", "body_pose"} <= keys:
        return hmr2_estimates if "pred_cam" in keys else smplx_estimates
    raise wrong_kind(path, *_looks_like(record, keys))


def _of_file(path: Path, camera: Camera) -> list[Estimated]:
    content = read_content(path)
    if isinstance(content, list) and not content:
        return []
    return reader_of(content, path)(content, path, camera)


def _joint_count(record: Record) -> int:
    value = record.get("pred_keypoints_3d")
    return value.shape[-2] if isinstance(value, np.ndarray) and value.ndim >= 2 else 0


def _looks_like(record: Record, keys: set[str]) -> tuple[str, str]:
    """What a file of another kind seems to be, and what to do about it."""
    inner: set[str] = set()
    for value in list(record.values())[:3]:
        inner |= set(value) if isinstance(value, Mapping) else set()
    if {"schema_version", "body_model"} <= keys:
        return "our own pair.npz: the result of a fit", "a result is no estimate by another program; leave --init out."
    if "poses" in keys and keys & {"trans", "mocap_framerate", "mocap_frame_rate"}:
        return "an AMASS sequence: motion capture, not a photo", "give an estimate of this very photo."
    if keys & {"v_template", "shapedirs"}:
        return "a body model file", "a model is no estimate of somebody; see docs/smplx.md for where models go."
    if {"tid", "3d_joints"} & inner:
        return "tracks of a video by 4D-Humans (PHALP)", "save the entries of one frame (docs/initial_estimates.md)."
    if {"keypoints", "pose_keypoints_2d", "keypoint_scores"} & keys:
        return "a keypoint file", "give it with --keypoints, as OpenPose or COCO JSON."
    if {"vertices", "faces"} & keys or {"verts", "v3d", "verts_smplx"} & keys:
        return "meshes without joints", "save the program's records of the people (docs/initial_estimates.md)."
    listed = ", ".join(ascii(str(key))[:40] for key in list(record)[:8])
    return f"a file with {listed}" if listed else "a file with nothing in it", ""


def _files_of(folder: Path) -> list[Path]:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS)
    if not 0 < len(files) <= MOST_FILES:
        raise InputError(
            "The folder of initial estimates does not hold those of one photo.",
            where=folder,
            expected=f"one to {MOST_FILES} files that end in {', '.join(ENDINGS)}",
            got=len(files) or "none",
            remedy="give the folder of this photo's files, or one file, with --init.",
        )
    for file in files:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InputError(
                "A file of the folder of initial estimates is a link that leads out of the folder.",
                where=file,
                expected="the file itself",
                got="a symbolic link to a place outside",
                remedy="copy the file into the folder, or name it alone with --init.",
            )
    return files
