"""Meshes made from true views, against the props' own meshes and front outlines."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from assets3d.cameras import four_views
from assets3d.mesh.from_splats import mesh_from_splats
from assets3d.native.mesh_renderer import render_mesh
from assets3d.props import prop_mesh
from assets3d.splats.fit import fit
from benchmarks.metrics import chamfer_distance, f_score, mask_iou, surface_samples
from benchmarks.quality.protocol import SIZE_PX, Case
from benchmarks.quality.splats import FOUR_VIEW_COUNT, FOUR_VIEW_STEPS

FACES, TEXTURE_PX = 5_000, 512
SURFACE_POINTS = 20_000


def mesh_from_true_views(case: Case) -> dict[str, float]:
    """Score the mesh of the splats fitted to the four true views.

    Distances are parts of the object's long side. The mesh is made as tall as the prop, so that its
    unit is the prop's, and is lowered from its base pivot to the prop's centre.
    """
    prop = case.prop
    views = case.views(four_views(SIZE_PX))
    splats = fit(views, count=FOUR_VIEW_COUNT, steps=FOUR_VIEW_STEPS, seed=0)
    height = 2.0 * prop.half_size[1]
    begin = time.perf_counter()
    mesh = mesh_from_splats(splats, faces=FACES, texture_px=TEXTURE_PX, height_m=height)
    seconds = time.perf_counter() - begin
    down = np.array([0.0, height / 2.0, 0.0], dtype=np.float32)
    mesh = replace(mesh, vertices=mesh.vertices - down)
    truth = prop_mesh(prop)
    found = surface_samples(mesh.vertices, mesh.faces, SURFACE_POINTS)
    wanted = surface_samples(truth.vertices, truth.faces, SURFACE_POINTS)
    size = 2.0 * max(prop.half_size)
    front = render_mesh(mesh, views.cameras[0]).rgba[0, ..., 3] / 255.0
    return {
        "front_iou": mask_iou(front, views.rgba[0, ..., 3] / 255.0),
        "chamfer": chamfer_distance(found, wanted, size),
        "f_score_02": f_score(found, wanted, 0.02 * size),
        "f_score_05": f_score(found, wanted, 0.05 * size),
        "faces": float(len(mesh.faces)),
        "seconds": seconds,
    }
