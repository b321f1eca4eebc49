"""Pictures of a clip: the body in motion on its ground, and a sheet to read at a glance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from assets3d.cameras import Cameras, look_at
from assets3d.images.sheet import contact_sheet
from assets3d.mesh.mesh import Mesh
from motion.clip import Clip, world_pose
from motion.control.rollout import Rollout
from motion.looks import preview_scene as scene

#: The eye: where it is from the point it looks at, in metres.
EYE_FROM_MIDDLE_M = (2.1, 0.95, 1.7)
FOV_Y_DEG = 29.0
BACKGROUND = (0.90, 0.91, 0.92)
#: The eye follows the body as if on a spring of this many seconds, so that steps do not shake it.
FOLLOW_S = 0.25
_TRAIL_WIDTH_M, _TRAIL_STEP_M = 0.03, 0.05
_EXPERT_COLOURS = (
    *((214, 81, 75), (233, 150, 66), (228, 203, 84), (124, 178, 95)),
    *((79, 161, 160), (76, 120, 180), (126, 100, 168), (190, 114, 158)),
)


def animation(
    clip: Clip,
    rollout: Rollout | None = None,
    *,
    contacts: NDArray[np.bool_] | None = None,
    fps: float = 15.0,
    size_px: int = 288,
) -> list[NDArray[np.uint8]]:
    """Return (size, size, 3) uint8 pictures of the whole clip.

    Args:
        clip: what moves.
        rollout: frame by frame the same run; adds the trajectory and the experts' weights.
        contacts: (T, F) which of the skeleton's feet stand; adds discs under them.
        fps: pictures a second.
        size_px: side of a picture.
    """
    count = max(1, int(np.floor(clip.seconds * fps)) + 1)
    frames = np.minimum(np.rint(np.arange(count) * clip.fps / fps).astype(int), len(clip) - 1)
    return list(_pictures(clip, rollout, contacts, frames, size_px))


def sheet(
    clip: Clip,
    rollout: Rollout | None = None,
    *,
    contacts: NDArray[np.bool_] | None = None,
    poses: int = 16,
    size_px: int = 240,
) -> NDArray[np.uint8]:
    """Return a contact sheet of poses at equal times, each with its time and command."""
    frames = np.rint(np.linspace(0, len(clip) - 1, poses)).astype(int)
    labels = [f"{frame / clip.fps:.1f} s {_command(clip, frame)}".strip() for frame in frames]
    pictures = list(_pictures(clip, rollout, contacts, frames, size_px))
    return contact_sheet(pictures, 8 if poses > 8 else poses, labels)


def _pictures(
    clip: Clip,
    rollout: Rollout | None,
    contacts: NDArray[np.bool_] | None,
    frames: NDArray[np.int_],
    size_px: int,
) -> Iterator[NDArray[np.uint8]]:
    from assets3d.native.mesh_renderer import render_mesh
    from motion.looks.proxy import proxy_for
    from motion.looks.skinned_mesh import posed_mesh

    body = proxy_for(clip.skeleton)
    places, _ = world_pose(clip)
    # The eye looks at the middle of the body: a quadruped's hips are at its end.
    middles = _followed(places.mean(axis=1), clip.fps)
    scale, height_m = _framing(places)
    feet = _feet(clip)
    for frame in frames:
        shown = posed_mesh(body, clip, int(frame))
        parts = [scene.ground(middles[frame, [0, 2]]), scene.shadow(shown)]
        parts += _ways(clip, rollout, places, int(frame))
        if contacts is not None and contacts[frame].any():
            standing = np.asarray(feet)[contacts[frame]]
            parts.append(scene.discs(places[frame, standing][:, [0, 2]]))
        camera = _camera(middles[frame] * [1, 0, 1] + [0, height_m, 0], size_px, scale)
        drawn = render_mesh(
            scene.joined([*parts, shown]),
            camera,
            shading="flat_light",
            background=BACKGROUND,
            supersample=2,
        )
        picture = np.ascontiguousarray(drawn.rgba[0, ..., :3])
        yield picture if rollout is None else _with_experts(picture, rollout.experts[frame])


def _ways(
    clip: Clip, rollout: Rollout | None, places: NDArray[np.float64], frame: int
) -> list[Mesh]:
    """Return the way so far, and the trajectory's samples where a controller has them."""
    path = (
        places[: frame + 1, 0][:, [0, 2]] if clip.ground is None else clip.ground[: frame + 1, :2]
    )
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    # One point for each few centimetres: standing still must not tie knots.
    marks = np.unique((np.concatenate([[0.0], np.cumsum(steps)]) / _TRAIL_STEP_M).astype(int))
    first = np.searchsorted(np.concatenate([[0.0], np.cumsum(steps)]), marks * _TRAIL_STEP_M)
    kept = path[np.minimum(first, len(path) - 1)]
    near = kept[np.linalg.norm(kept - path[-1], axis=1) < scene.REACH_M * 0.9]
    parts = [scene.trail(near, scene.PAST, _TRAIL_WIDTH_M)] if len(near) > 1 else []
    if rollout is not None:
        parts.append(scene.arrows(rollout.trajectory[frame]))
    return parts


def _followed(places: NDArray[np.float64], fps: float) -> NDArray[np.float64]:
    """Return places as a camera on a spring sees them: no step shakes it, and it never lags."""
    from scipy.ndimage import gaussian_filter1d

    # Carried on at its ends: a clip that begins or ends at a run does so in the picture's middle.
    margin = min(round(3 * FOLLOW_S * fps), len(places) - 1)
    longer = np.pad(places, ((margin, margin), (0, 0)), mode="reflect", reflect_type="odd")
    smooth = gaussian_filter1d(longer, FOLLOW_S * fps, axis=0, mode="nearest")
    return np.asarray(smooth[margin : margin + len(places)])


def _feet(clip: Clip) -> Sequence[int]:
    from motion.measures.table import feet_of

    return feet_of(clip).joints


def _framing(places: NDArray[np.float64]) -> tuple[float, float]:
    """Return how many times as far as for a wolf the eye is, and the height that it looks at.

    A person stands taller than a dog, and nobody knows where other bodies have their root.
    """
    hips_m = float(places[:, 0, 1].mean())
    tall_m = float(np.quantile(places[..., 1].max(axis=1), 0.9))
    away = np.linalg.norm((places - places.mean(axis=1, keepdims=True))[..., [0, 2]], axis=-1)
    reach_m = float(np.quantile(away.max(axis=1), 0.9))
    scale = max(1.0, hips_m / 0.55, tall_m / 1.05, reach_m / 0.75)
    return scale, max(0.75 * hips_m, 0.42 * tall_m)


def _camera(middle: NDArray[np.float64], size_px: int, scale: float) -> Cameras:
    eye = middle + scale * np.asarray(EYE_FROM_MIDDLE_M)
    focal_px = size_px / (2.0 * np.tan(np.radians(FOV_Y_DEG) / 2.0))
    intrinsics = np.array([[focal_px, focal_px, size_px / 2.0, size_px / 2.0]])
    return Cameras(look_at(eye[None], middle), intrinsics, size_px, size_px)


def _with_experts(picture: NDArray[np.uint8], weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the picture with a band along the bottom: each expert's share of the blend."""
    height = max(4, len(picture) // 40)
    edges = np.rint(np.concatenate([[0.0], np.cumsum(weights)]) * picture.shape[1]).astype(int)
    for colour, start, stop in zip(_EXPERT_COLOURS, edges[:-1], edges[1:], strict=True):
        picture[-height:, start:stop] = colour
    return picture


def _command(clip: Clip, frame: int) -> str:
    names = [s.name for s in clip.sections if s.first <= frame < s.last]
    return names[0] if names else ""
