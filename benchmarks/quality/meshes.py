"""Meshes against the props' own meshes and front outlines: from four true views, from the front."""

from __future__ import annotations

import time

import numpy as np

from assets3d.cameras import four_views
from assets3d.mesh.from_splats import Report, mesh_from_splats
from assets3d.mesh.measures import agreement
from assets3d.props import prop_mesh
from assets3d.splats.fit import fit
from assets3d.views.posed import Views
from benchmarks.metrics import chamfer_distance, f_score, surface_samples
from benchmarks.quality.protocol import SIZE_PX, Case
from benchmarks.quality.splats import fit_settings

FACES, TEXTURE_PX = 5_000, 512
SURFACE_POINTS = 20_000


def mesh_from_true_views(case: Case) -> dict[str, float]:
    """Score the mesh of the splats fitted to the four true views."""
    views = case.views(four_views(SIZE_PX))
    return _scored(case, views, Views(views.rgba[:1], views.cameras[0]))


def mesh_from_true_front(case: Case) -> dict[str, float]:
    """Score what the whole pipeline makes of a true front: the other three views are imagined."""
    from benchmarks.quality.generated_views import imagined

    front = case.views(four_views(SIZE_PX)[0])
    rgba = imagined(front.rgba[0], case.seed)
    return _scored(case, Views(rgba, four_views(rgba.shape[1])), front, right_view=0)


def _scored(
    case: Case, views: Views, front: Views, right_view: int | None = None
) -> dict[str, float]:
    """Fit splats, mesh them, compare with the prop.

    Distances are parts of the object's long side, measured in the prop's own frame. The front view
    is a source of the texture, as the cutout is in the pipeline.
    """
    prop = case.prop
    splats = fit(views, **fit_settings(), front=right_view, seed=0)
    report = Report()
    begin, cpu_begin = time.perf_counter(), time.process_time()
    mesh = mesh_from_splats(
        splats, faces=FACES, texture_px=TEXTURE_PX, height_m=1.0, sources=front, report=report
    )
    seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - cpu_begin
    front_iou, front_psnr_db = agreement(mesh, front, report)
    vertices = mesh.vertices / report.metres_per_unit + np.asarray(report.pivot)
    truth = prop_mesh(prop)
    found = surface_samples(vertices, mesh.faces, SURFACE_POINTS)
    wanted = surface_samples(truth.vertices, truth.faces, SURFACE_POINTS)
    size = 2.0 * max(prop.half_size)
    return {
        "front_iou": front_iou,
        "front_psnr_db": front_psnr_db,
        "chamfer": chamfer_distance(found, wanted, size),
        "f_score_02": f_score(found, wanted, 0.02 * size),
        "f_score_05": f_score(found, wanted, 0.05 * size),
        "faces": float(len(mesh.faces)),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
    }
