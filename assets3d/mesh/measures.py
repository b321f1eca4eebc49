"""How well a finished mesh shows what it was made from."""

from __future__ import annotations

import dataclasses

import numpy as np

from assets3d.cameras import Cameras
from assets3d.images.picture import on_grey
from assets3d.mesh.from_splats import Report
from assets3d.mesh.mesh import Mesh
from assets3d.native.mesh_renderer import render_mesh
from assets3d.views.posed import Views


def cameras_in_mesh_frame(cameras: Cameras, report: Report) -> Cameras:
    """Return cameras of the splats' frame as they stand round the placed mesh (metres)."""
    poses = cameras.world_from_camera.copy()
    poses[:, :3, 3] = (poses[:, :3, 3] - np.asarray(report.pivot)) * report.metres_per_unit
    return dataclasses.replace(cameras, world_from_camera=poses)


def agreement(mesh: Mesh, views: Views, report: Report) -> tuple[float, float]:
    """Compare the mesh, seen by the views' cameras, with the views themselves.

    Args:
        mesh: as `mesh_from_splats` returned it.
        views: cutouts in the splats' frame.
        report: of the same call.

    Returns:
        Mean intersection over union of the silhouettes, and the PSNR in dB of all pixels inside
        either silhouette, both pictures on grey.
    """
    cameras = cameras_in_mesh_frame(views.cameras, report)
    found, wanted = render_mesh(mesh, cameras, supersample=2).rgba, views.rgba
    inside_found, inside_wanted = found[..., 3] / 255.0 >= 0.5, wanted[..., 3] / 255.0 >= 0.5
    union = inside_found | inside_wanted
    per_view = tuple(range(1, union.ndim))
    overlap = (inside_found & inside_wanted).sum(per_view) / np.maximum(union.sum(per_view), 1)
    error = (on_grey(found) - on_grey(wanted))[union]
    mean_square = float(np.mean(error**2)) if error.size else 0.0
    return float(overlap.mean()), float(-10.0 * np.log10(max(mean_square, 1e-10)))
