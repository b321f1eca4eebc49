"""A small gallery of real files: a red box with its splats, a tile of bumps, a nodding box."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from assets3d.mesh.glb import glb_bytes
from assets3d.mesh.glb_builder import GlbBuilder, packed
from assets3d.mesh.mesh import Mesh
from assets3d.splats.gaussians import from_parts
from assets3d.splats.ply import write_ply
from assets3d.textures.map_files import png_bytes
from stages._failures import Failure, Failures, write_failures

MANIFEST = """\
box: {prompt: a red box, seed: 7}
tile: {kind: material, procedural: cobble, pack: ground}
nod:  # a block
  kind: motion
  script: [{walk: 1 s}]

# of another
odd: {promt: x}
"""
CORNERS = np.array([[x, y, z] for x in (-1, 1) for y in (0, 2) for z in (-1, 1)], np.float32)
_SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([t for a, b, c, d in _SIDES for t in ((a, b, c), (a, c, d))], np.int32)
#: Splats are half as large as the mesh and stand elsewhere, as those of the mesh step do.
METRES_PER_UNIT, PIVOT = 2.0, (0.0, 1.0, 0.0)


def item(folder: Path, files: dict[str, bytes], **record) -> None:
    """Write an item of a step with its record."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    named = {
        name: {"bytes": len(content), "sha256": f"{hash(bytes(content)):x}"}
        for name, content in files.items()
    }
    content = {"numbers": {}, "warnings": [], "models": {}, "files": named, **record}
    (folder / "record.json").write_text(json.dumps(content))


def box(colour=(220, 30, 30)) -> Mesh:
    """Return a box 2 m wide that stands on the ground."""
    uvs = np.tile(np.float32([0.5, 0.5]), (8, 1))
    picture = np.full((16, 16, 3), colour, np.uint8)
    normals = CORNERS - np.float32([0, 1, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Mesh(CORNERS, FACES, uvs=uvs, normals=normals, base_colour=picture)


def splats_of(box: Mesh, count: int = 3000):
    """Return green splats all over a box, in a frame of their own."""
    generator = np.random.default_rng(0)
    points = generator.uniform(-1.0, 1.0, (count, 3))
    axis = generator.integers(0, 3, count)
    points[np.arange(count), axis] = np.sign(points[np.arange(count), axis])
    points[:, 1] += 1.0
    rotation = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
    rgb = np.tile([0.1, 0.8, 0.2], (count, 1))
    position = (points / METRES_PER_UNIT + PIVOT).astype(np.float32)
    size = np.full((count, 3), 0.03, np.float32)
    return from_parts(position, np.full(count, 0.9), size, rotation, rgb)


def nodding(degrees: float = 90.0, seconds: float = 2.0) -> bytes:
    """Return a skinned box: its lower half on joint 0, 1 m to the right, its upper on joint 1."""
    builder = GlbBuilder()
    mesh = box()
    joints = np.zeros((8, 4), np.uint8)
    joints[:, 0] = CORNERS[:, 1] > 0
    weights = np.tile(np.float32([1, 0, 0, 0]), (8, 1))
    binds = np.stack([np.eye(4), np.eye(4)]).astype(np.float32)
    binds[1, 1, 3] = -1.0  # joint 1 rests 1 m up
    half = np.radians(degrees) / 2
    turns = np.float32([[0, 0, 0, 1], [0, 0, np.sin(half), np.cos(half)]])
    primitive = {
        "attributes": {
            "POSITION": builder.vectors(mesh.vertices, bounds=True),
            "NORMAL": builder.vectors(mesh.normals),
            "COLOR_0": builder.vectors(np.tile(np.float32([0.02, 0.05, 0.8]), (8, 1))),
            "JOINTS_0": builder.attribute(joints),
            "WEIGHTS_0": builder.vectors(weights),
        },
        "indices": builder.indices(mesh.faces, 8),
    }
    inverse = builder.array(binds.transpose(0, 2, 1).reshape(2, 16))
    times = builder.array(np.float32([0, seconds]), True)
    output = builder.vectors(turns)
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0, 2]}],
        "nodes": [
            {"translation": [1, 0, 0], "children": [1]},
            {"translation": [0, 1, 0]},
            {"mesh": 0, "skin": 0},
        ],
        "meshes": [{"primitives": [primitive]}],
        "skins": [{"joints": [0, 1], "inverseBindMatrices": inverse}],
        "animations": [
            {
                "name": "nod",
                "samplers": [{"input": times, "output": output}],
                "channels": [{"sampler": 0, "target": {"node": 1, "path": "rotation"}}],
                "extras": {"sections": [{"name": "down", "start_s": 0.0, "end_s": 2.0}]},
            }
        ],
    }
    return packed(document | builder.buffers(), bytes(builder.data))


def maps(size: int = 64) -> dict[str, bytes]:
    """Return the maps of a grey tile with one round bump."""
    y, x = np.mgrid[:size, :size] / size - 0.5
    height = np.maximum(1.0 - 4.0 * np.hypot(x, y), 0.0)
    level = np.full((size, size), 180, np.uint8)
    slope = -np.gradient(height)[1] * 8, np.gradient(height)[0] * 8
    normals = np.stack([slope[0], slope[1], np.ones_like(height)], -1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    found = {
        "basecolor": np.full((size, size, 3), (190, 150, 90), np.uint8),
        "normal_gl": np.round(127.5 * (normals + 1)).astype(np.uint8),
        "roughness": level,
        "ao": np.full_like(level, 255),
        "metallic": np.zeros_like(level),
        "height": np.round(65535 * height).astype(np.uint16),
    }
    return {f"tile_{name}.png": png_bytes(codes) for name, codes in found.items()}


def project(root: Path) -> Path:
    """Write a manifest and the steps' folders; return runs/."""
    (root / "assets.yaml").write_text(MANIFEST)
    runs = root / "runs"
    write_ply(root / "splats.ply", splats_of(box()), "compact")
    numbers = {"metres_per_unit": METRES_PER_UNIT, "pivot": PIVOT, "size_m": [2, 2, 2], "faces": 12}
    item(runs / "splats/box", {"splats.ply": (root / "splats.ply").read_bytes()})
    item(runs / "mesh/box", {"box.glb": glb_bytes(box(), "box")}, numbers=numbers)
    tile = {"tile_m": 1.0, "height_range_m": 0.1, "size_px": 64}
    item(runs / "maps/tile", maps(), numbers=tile, warnings=["a seam"])
    item(runs / "motion/nod", {"nod.glb": nodding()})
    bars = [["triangles", 12, 20000], ["file_bytes", 32_000_000, 16_000_000]]
    package = {
        "words": "prompt: a red box",
        "commercial": True,
        "files": {"model": "box.glb", "lod1": "box_lod1.glb"},
        "budget": {"name": "desktop", "bars": bars},
    }
    files = {
        "box.glb": glb_bytes(box(), "box"),
        "box_lod1.glb": glb_bytes(box(), "box"),
        "package.json": json.dumps(package).encode(),
    }
    item(runs / "export/box", files)
    failure = Failure("odd", "manifest", "input", "promt: found no such field, wanted prompt")
    write_failures(Failures((failure,)), runs / "mesh")
    return runs


STEPS = ("splats", "mesh", "maps", "motion", "export")
