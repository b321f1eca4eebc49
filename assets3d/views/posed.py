"""The Views record: pictures of one object with the cameras that saw it, and its files on disk."""

from __future__ import annotations

import json
import posixpath
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assets3d.cameras import Cameras
from assets3d.errors import InputError
from assets3d.images.picture import picture_size


@dataclass(frozen=True)
class Views:
    """V cut-out pictures of one object.

    Attributes:
        rgba: (V, H, W, 4) uint8, straight alpha.
        cameras: the V cameras, same image size as the pictures.
    """

    rgba: NDArray[np.uint8]
    cameras: Cameras

    def __post_init__(self) -> None:
        wanted = (len(self.cameras), self.cameras.height_px, self.cameras.width_px, 4)
        if self.rgba.shape != wanted:
            raise ValueError(f"Views.rgba: found shape {self.rgba.shape}, wanted {wanted}")

    def __len__(self) -> int:
        return len(self.rgba)


def write_views(views: Views, folder: Path) -> None:
    """Write view_000.png ... and transforms.json (the NeRF convention: OpenGL poses, fl_x, c_x)."""
    frames = []
    for index, picture in enumerate(views.rgba):
        name = f"view_{index:03d}.png"
        Image.fromarray(picture).save(folder / name)
        fx, fy, cx, cy = (float(v) for v in views.cameras.intrinsics_px[index])
        frames.append(
            {
                "file_path": name,
                "fl_x": fx,
                "fl_y": fy,
                "cx": cx,
                "cy": cy,
                "transform_matrix": views.cameras.world_from_camera[index].tolist(),
            }
        )
    content = {"w": views.cameras.width_px, "h": views.cameras.height_px, "frames": frames}
    (folder / "transforms.json").write_text(json.dumps(content, indent=1) + "\n")


def read_cameras(folder: Path) -> tuple[Cameras, list[Path]]:
    """Read the poses of transforms.json; return the cameras and the pictures' paths, in file order.

    Focal length may stand per frame or once at the top, in pixels (`fl_x`, `fl_y`) or as the
    horizontal field of view in radians (`camera_angle_x`).

    Raises:
        InputError: naming the file and field that is missing or wrong.
    """
    path = folder / "transforms.json"
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(
            f"views: no transforms.json in {folder.name}/, wanted one pose per picture"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"views: transforms.json is not JSON ({error}), wanted one pose per picture"
        ) from None
    frames = content.get("frames") if isinstance(content, dict) else None
    if not isinstance(frames, list) or not frames:
        raise InputError("views: transforms.json has no frames, wanted one pose per picture")
    paths = [_frame_path(folder, index, frame) for index, frame in enumerate(frames)]
    sizes = {
        path.relative_to(folder).as_posix(): picture_size(path, field="views") for path in paths
    }
    first, size = next(iter(sizes.items()))
    for name, other in sizes.items():
        if other != size:
            raise InputError(
                f"views: {first} is {size[0]}x{size[1]} and {name} is {other[0]}x{other[1]}, "
                "wanted pictures of one size"
            )
    width, height = size
    poses, intrinsics = [], []
    for index, frame in enumerate(frames):
        poses.append(_pose(index, frame))
        intrinsics.append(_intrinsics(index, {**content, **frame}, width, height))
    cameras = Cameras(np.array(poses), np.array(intrinsics), width, height)
    return cameras, paths


def _frame_path(folder: Path, index: int, frame: object) -> Path:
    name = frame.get("file_path") if isinstance(frame, dict) else None
    if not isinstance(name, str):
        raise InputError(
            f"views: frame {index} of transforms.json has no file_path, wanted a picture's name"
        )
    # What lies elsewhere is no part of the item's key: a change of it would go unseen.
    inside = posixpath.normpath(name.replace("\\", "/"))
    if posixpath.isabs(inside) or inside == ".." or inside.startswith("../"):
        raise InputError(
            f"views: frame {index} names {name}, which is outside of {folder.name}/, "
            "wanted a picture in there"
        )
    path = folder / name
    if not path.suffix:
        path = path.with_suffix(".png")
    if not path.is_file():
        raise InputError(
            f"views: frame {index} names {name}, which is not in {folder.name}/, wanted it there"
        )
    return path


def _pose(index: int, frame: dict) -> NDArray[np.float64]:
    try:
        pose = np.array(frame.get("transform_matrix"), dtype=np.float64)
    except (TypeError, ValueError):
        pose = np.zeros(0)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        raise InputError(f"views: frame {index} has no transform_matrix of 4x4 finite numbers")
    rotation = pose[:3, :3]
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-3) or np.linalg.det(rotation) < 0:
        raise InputError(
            f"views: frame {index}'s transform_matrix is not a rigid right-handed pose"
        )
    return pose


def _intrinsics(index: int, values: dict, width: int, height: int) -> list[float]:
    def number(field: str, default: float) -> float:
        try:
            found = float(values.get(field, default))
        except (TypeError, ValueError):
            found = float("nan")
        if not (np.isfinite(found) and found > 0):
            raise InputError(
                f"views: frame {index}'s {field} is {values.get(field)!r}, wanted a number above 0"
            )
        return found

    # A transforms.json written for other pixels (w, h) is scaled to the pictures found.
    sx, sy = width / number("w", width), height / number("h", height)
    if "fl_x" in values:
        fx = number("fl_x", 0.0)
        fy = number("fl_y", fx)
    elif "camera_angle_x" in values:
        fx = fy = width / sx / (2.0 * np.tan(number("camera_angle_x", 0.0) / 2.0))
    else:
        raise InputError(
            f"views: frame {index} has no fl_x and no camera_angle_x, wanted a focal length"
        )
    cx, cy = number("cx", width / sx / 2.0), number("cy", height / sy / 2.0)
    return [fx * sx, fy * sy, cx * sx, cy * sy]
