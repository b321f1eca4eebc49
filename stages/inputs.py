"""The inputs stage: the example inputs of the manifest; the repository holds no foreign files.

- coffee.png: the photograph of a cup of coffee that scikit-image installs.
- <family>/: sixteen posed views of a prop, with transforms.json.
- <family>.ply: another prop as splats, as a scanner would give it.

python -m stages.inputs --out runs/inputs
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError
from stages import _failures
from stages._progress import say

#: Example props: (family, seed); the seeds lie beyond those that models are trained on.
POSED_PROP = ("chest", 1_000_003)
SCANNED_PROP = ("vase", 1_000_005)
#: Where the photograph shows nothing but the table.
_TABLE_ROWS, _TABLE_COLUMNS = slice(130, 400), slice(482, 600)
_POSED_PX = 256


def write_inputs(out: Path) -> None:
    """Write every example input into a new folder."""
    out.mkdir(parents=True)
    copy_photograph(out / "coffee.png")
    copy_table_top(out / "coffee.png", out / "table.png")
    write_posed_views(*POSED_PROP, out / POSED_PROP[0])
    write_scan(*SCANNED_PROP, out / f"{SCANNED_PROP[0]}.ply")


def copy_photograph(path: Path) -> None:
    """Copy scikit-image's cup of coffee (public domain, by Rachel Michetti)."""
    import skimage

    shutil.copyfile(Path(skimage.__file__).parent / "data" / "coffee.png", path)


def copy_table_top(photograph: Path, path: Path) -> None:
    """Cut the wood of the table out of that photograph."""
    from assets3d.images.picture import read_picture, write_png

    write_png(path, read_picture(photograph)[_TABLE_ROWS, _TABLE_COLUMNS])


def write_posed_views(family: str, seed: int, folder: Path) -> None:
    """Draw a prop from sixteen cameras in two rings, the front first."""
    import numpy as np

    from assets3d.cameras import orbit_cameras
    from assets3d.props import render_prop, sample_prop
    from assets3d.views.posed import Views, write_views

    around = np.arange(8) * 45.0
    azimuths = np.concatenate([around, around + 22.5])
    elevations = np.repeat([0.0, 35.0], 8)
    cameras = orbit_cameras(azimuths, elevations, _POSED_PX)
    render = render_prop(sample_prop(family, seed), cameras)
    folder.mkdir()
    write_views(Views(render.rgba, cameras), folder)


def write_scan(family: str, seed: int, path: Path) -> None:
    """Write a prop's surface as flat Gaussians, one per vertex of its mesh."""
    from assets3d.props import prop_mesh, sample_prop
    from assets3d.splats.ply import write_ply

    write_ply(path, surface_gaussians(prop_mesh(sample_prop(family, seed))))


def surface_gaussians(mesh: Any) -> Any:
    """Return one opaque, flat Gaussian per vertex: as wide as the gap to its neighbours."""
    import numpy as np

    from assets3d.splats.gaussians import from_parts

    corners = mesh.vertices[mesh.faces]
    edges = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).mean(axis=1)
    total, count = np.zeros(len(mesh.vertices)), np.zeros(len(mesh.vertices))
    normals = np.zeros((len(mesh.vertices), 3))
    face_normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    for corner in range(3):
        np.add.at(total, mesh.faces[:, corner], edges)
        np.add.at(count, mesh.faces[:, corner], 1.0)
        np.add.at(normals, mesh.faces[:, corner], face_normals)
    width = 0.6 * total / np.maximum(count, 1.0)
    scale = np.stack([width, width, 0.15 * width], axis=1)
    used = (count > 0) & (np.linalg.norm(normals, axis=1) > 0)
    rotation = _turn_z_to(normals[used] / np.linalg.norm(normals[used], axis=1, keepdims=True))
    opacity = np.full(int(used.sum()), 0.95)
    colours = np.full((len(used), 3), 0.6) if mesh.colours is None else mesh.colours
    return from_parts(mesh.vertices[used], opacity, scale[used], rotation, colours[used])


def _turn_z_to(directions: Any) -> Any:
    """Return unit quaternions (N, 4) that turn +Z to unit vectors (N, 3) by the shortest way."""
    import numpy as np

    x, y, z = directions.T
    quaternions = np.stack([1.0 + z, -y, x, np.zeros_like(x)], axis=1)
    quaternions[z < -0.999999] = (0.0, 1.0, 0.0, 0.0)
    return quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage as a command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.inputs",
        description="Make the example inputs that the manifest names.",
        epilog="example: .venv/bin/python -m stages.inputs --out runs/inputs",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to rewrite")
    options = parser.parse_args(arguments)
    try:
        shutil.rmtree(options.out, ignore_errors=True)
        write_inputs(options.out)
    except (AssetError, OSError, MemoryError) as error:
        say(f"inputs: {_failures.from_exception('', 'inputs', error).message}")
        return 1
    say(f"inputs: wrote {len(list(options.out.iterdir()))} example inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
