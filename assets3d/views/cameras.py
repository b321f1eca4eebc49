"""Camera vectors of MVDream and ImageDream, and the order of their frames.

Three traps of those networks live here and nowhere else:

- Their world is z-up (Blender's): from our y-up pose, new y = -old z and new z = old y.
- Elevation is positive above the object, as ours. One vendored copy of their code, LGM's, lost the
  sign; this module does not follow it.
- Frames come at azimuth 0, 90, 180, 270, but what the networks hold for the front is azimuth 90. So
  LGM is fed frames 1, 2, 3, 0: front, right, back, left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras, orbit_cameras

#: Length of a camera vector: a 4x4 pose, row by row.
CAMERA_DIM = 16
#: The frame that shows the front, right, back and left, in this order.
FRONT_FIRST = (1, 2, 3, 0)

_Z_UP_FROM_Y_UP = np.array(
    [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
)


def camera_vectors(cameras: Cameras) -> NDArray[np.float32]:
    """Return (V, 16) float32 vectors: poses in a z-up world, at distance 1 from the origin."""
    poses = _Z_UP_FROM_Y_UP @ cameras.world_from_camera
    poses[:, :3, 3] /= np.linalg.norm(poses[:, :3, 3], axis=1, keepdims=True)
    return poses.reshape(len(cameras), CAMERA_DIM).astype(np.float32)


def frame_vectors(elevation_deg: float = 0.0, image_frame: bool = False) -> NDArray[np.float32]:
    """Return (4, 16) vectors of the frames at azimuth 0, 90, 180, 270, in the networks' order.

    With `image_frame` a fifth vector of zeros follows, ImageDream's frame for the input picture.
    """
    vectors = camera_vectors(orbit_cameras([0.0, 90.0, 180.0, 270.0], elevation_deg, size_px=256))
    if image_frame:
        vectors = np.concatenate([vectors, np.zeros((1, CAMERA_DIM), np.float32)])
    return vectors


def view_vectors() -> NDArray[np.float32]:
    """Return (4, 16) vectors of front, right, back, left at elevation 0, the order of `four_views`.

    The embedded network trains and runs with these, so its front has the official networks' vector.
    """
    return frame_vectors()[list(FRONT_FIRST)]
