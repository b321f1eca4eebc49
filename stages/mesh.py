"""The mesh stage: Gaussians become a textured GLB in metres, with pictures from all round.

python -m stages.mesh --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/cutout runs/splats --out runs/mesh
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from stages._harness import main
from stages._step import Item, Params, Step

_SPLATS = ("splats/splats.ply",)
_WITH_FRONT = (*_SPLATS, "cutout/cutout.png")

#: Depth less than this part of the width is worth a warning, unless the words name a flat thing.
_THIN = 0.45
_FLAT_THINGS = frozenset(
    "axe banner blade bow card coin cross dagger disc door feather fence flag frame halberd "
    "key knife ladder leaf map medal paddle painting pan paper picture plank plate ring saw scroll "
    "scythe shield sickle sign spear sword tile wall wand wing".split()
)


def load(params: Params) -> None:
    """Need nothing: meshing uses no network."""


def build(_: None, item: Item) -> Mapping[str, Any]:
    """Write <id>.glb, the formats asked for, a turntable and a preview."""
    from assets3d.mesh.from_splats import Report, Settings, mesh_from_splats
    from assets3d.mesh.glb import write_glb
    from assets3d.mesh.measures import agreement
    from assets3d.splats.ply import read_ply

    spec, name = item.spec, item.spec["id"]
    gaussians = read_ply(item.folders["splats"] / "splats.ply")
    front, report = _front(item), Report()
    mesh = mesh_from_splats(
        gaussians,
        faces=spec["faces"],
        texture_px=spec["texture_px"],
        height_m=spec["height_m"],
        sources=front,
        settings=Settings(threads=item.params["threads"]),
        report=report,
    )
    write_glb(item.out / f"{name}.glb", mesh, name)
    _write_formats(mesh, item)
    _write_pictures(mesh, item)
    low, high = mesh.bounds
    size_m = [round(float(v), 4) for v in high - low]
    numbers = {
        "splats_kept": report.splats_kept,
        "dense_faces": report.dense_faces,
        "atlas": report.atlas,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "size_m": size_m,
        "pieces": report.pieces,
        "texture_px": 0 if mesh.base_colour is None else int(mesh.base_colour.shape[0]),
        # (point of the splats - pivot) * metres_per_unit is the point in the mesh.
        "metres_per_unit": round(report.metres_per_unit, 6),
        "pivot": [round(float(v), 6) for v in report.pivot],
    }
    if front is not None:
        overlap, psnr_db = agreement(mesh, front, report)
        numbers |= {"front_iou": round(overlap, 3), "front_psnr_db": round(psnr_db, 1)}
    return {"numbers": numbers, "warnings": _warnings(item, size_m, report.pieces)}


def _warnings(item: Item, size_m: list[float], pieces: int) -> list[str]:
    """Name what a person should look at: their own splats and views are taken as they are."""
    found = []
    if pieces > 1:
        found.append(f"the mesh is in {pieces} separate pieces")
    imagined = item.spec["enters"] not in ("views", "splats")
    words = set((item.spec["prompt"] or "").lower().replace(",", " ").split())
    width_m, _, depth_m = size_m
    if imagined and depth_m < _THIN * width_m and not words & _FLAT_THINGS:
        found.append(
            f"{depth_m:.2g} m deep for {width_m:.2g} m of width: "
            "the imagined side views look too narrow, another seed may do better"
        )
    return found


def _front(item: Item) -> Any:
    """Return the cutout as the one exact view of the object, or None where there is none."""
    if "cutout" not in item.folders:
        return None
    import numpy as np

    from assets3d.cameras import four_views
    from assets3d.images.picture import read_picture
    from assets3d.views.posed import Views

    picture = read_picture(item.folders["cutout"] / "cutout.png")
    if picture.shape[2] == 3:  # opaque everywhere
        picture = np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2)
    return Views(picture[None], four_views(len(picture))[0])


def _write_formats(mesh: Any, item: Item) -> None:
    from assets3d.mesh.obj import write_obj
    from assets3d.mesh.stl import write_stl

    name = item.spec["id"]
    if "obj" in item.spec["formats"]:
        write_obj(item.out / f"{name}.obj", mesh, name)
    if "stl" in item.spec["formats"]:
        write_stl(item.out / f"{name}.stl", mesh)


def _write_pictures(mesh: Any, item: Item) -> None:
    from assets3d.images.animation import write_webp
    from assets3d.images.picture import write_png
    from assets3d.images.sheet import contact_sheet
    from assets3d.mesh.turntable import turntable

    params = item.params
    frames = turntable(
        mesh, params["turntable_frames"], params["turntable_px"], renderer=params["renderer"]
    )
    write_webp(list(frames), item.out / "turntable.webp", fps=params["turntable_fps"])
    every = max(1, len(frames) // 8)
    write_png(item.out / "turntable.png", contact_sheet(list(frames[::every][:8]), columns=4))
    write_png(item.out / "preview.png", frames[0])


STEP = Step(
    name="mesh",
    reads={
        "prompt": _WITH_FRONT,
        "edit": _WITH_FRONT,
        "image": _WITH_FRONT,
        "views": _SPLATS,
        "splats": _SPLATS,
    },
    fields=("id", "prompt", "height_m", "faces", "texture_px", "formats"),
    modules=(
        "assets3d.cameras",
        "assets3d.images.animation",
        "assets3d.images.picture",
        "assets3d.images.sheet",
        "assets3d.mesh.from_splats",
        "assets3d.mesh.glb",
        "assets3d.mesh.measures",
        "assets3d.mesh.obj",
        "assets3d.mesh.stl",
        "assets3d.mesh.turntable",
        "assets3d.mesh.xatlas_process",  # run as a program of its own, imported by nobody
        "assets3d.splats.ply",
        "assets3d.views.posed",
    ),
    load=load,
    build=build,
)

if __name__ == "__main__":
    sys.exit(main(STEP))
