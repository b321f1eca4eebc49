"""Stand-ins for the models: the right files, made in a millisecond, for tests and benchmarks.

The profile `standin` turns them on. They read what the real steps read, so a change flows through
them, and they write the real names, padded to `files` files per asset. Faults can be asked for in
the environment, ASSETS3D_STANDIN_FAULTS="mesh/7=full_disk,views/8=kill" (step/asset seed=fault):
being no part of any key, they come and go while "nothing else changed".
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets3d.errors import InputError, PassingError
from assets3d.randomness import step_seed
from stages._candidates import CHOICE
from stages._step import Item, Params, Step

FAULTS_VARIABLE = "ASSETS3D_STANDIN_FAULTS"
_PICTURE_PX = 16

#: What each step writes for an asset that came from a prompt or an image.
_FILES = {
    "image": ("image.png",),
    "cutout": ("cutout.png",),
    "views": (*(f"view_{i:03d}.png" for i in range(4)), "transforms.json", "sheet.png"),
    "splats": ("splats.ply", "spin.png", "spin.webp"),
    "choose": ("candidates.png",),
    "mesh": ("{id}.glb", "turntable.png", "turntable.webp", "preview.png"),
    "texture": ("texture.png", "tiled.png", "source.json"),
    "maps": ("{id}_basecolor.png", "{id}.glb", "material.json", "sheet.png", "plane.png"),
    "motion": ("{id}.bvh", "{id}.glb", "sheet.png", "preview.webp"),
    "export": ("{id}.glb", "{id}_lod1.glb", "thumbnail.png", "turntable.webp"),
}
_POSED = (*(f"view_{i:03d}.png" for i in range(3)), "transforms.json")


def stand_in(step: Step) -> Step:
    """Return the step with its work replaced."""

    def build(_: None, item: Item) -> Mapping[str, Any]:
        return _build(step.name, item)

    return replace(step, load=_load, build=build)


def _load(_: Params) -> None:
    return None


def _build(step: str, item: Item) -> Mapping[str, Any]:
    digest = hashlib.sha256(f"{step}/{item.seed}/{sorted(item.spec.items())}".encode())
    for path in _source_files(item):
        digest.update(path.read_bytes())
    posed = step == "cutout" and item.spec["enters"] == "views"
    names = [name.format_map(item.spec) for name in (_POSED if posed else _FILES[step])]
    if step == "export":
        _write_package(item, names)
    names += [f"extra_{i}.bin" for i in range(item.params.get("files", 0) - len(names) - 1)]
    for index, name in enumerate(names):
        if index == len(names) // 2:
            _fault(step, item)  # half-way, so that half an item has been written
        _write(item.out / name, hashlib.sha256(digest.digest() + name.encode()).digest())
    numbers = {"files": len(names)}
    return {"numbers": numbers | (_choice(item) if step == CHOICE else {})}


def _choice(item: Item) -> dict[str, Any]:
    """Return what the record of a choice says; the scores are as good as thrown dice."""
    from stages.choose import choice, numbers_in, numbers_of

    totals = {}
    for number in numbers_in(item):
        content = (item.folders[f"splats/{number}"] / "splats.ply").read_bytes()
        totals[number] = round(int.from_bytes(content[:2], "little") / 2**16, 4)
    return numbers_of(item, totals, choice(totals, item.spec["pin"]))


def _write_package(item: Item, names: list[str]) -> None:
    """Write the one file of an export that delivery reads."""
    roles = ("model", "lod1", "thumbnail", "turntable")
    content = {
        "id": item.spec["id"],
        "kind": item.spec["kind"],
        "name": item.spec["id"],
        "words": item.spec["enters"],
        "status": "ok",
        "commercial": None,
        "licences": [],
        "made_by": "formula",
        "files": dict(zip(roles, names, strict=True)),
        "bytes": 0,
        "budget": {"name": "desktop", "bars": []},
        "warnings": [],
        "engine": item.params["engine"],
    }
    (item.out / "package.json").write_text(json.dumps(content, indent=1) + "\n")


def _source_files(item: Item) -> list[Path]:
    given = list(item.sources.values())
    folders = [*item.folders.values(), *(p for p in given if p.is_dir())]
    ignored = {"record.json", "item.json"}
    files = [p for folder in folders for p in folder.iterdir() if p.is_file()]
    files += [p for p in given if p.is_file()]
    return sorted(p for p in files if p.name not in ignored)


def _write(path: Path, noise: bytes) -> None:
    if path.suffix not in (".png", ".webp"):
        path.write_bytes(noise * 8)
        return
    from PIL import Image

    colour = tuple(noise[:3])
    picture = Image.new("RGB", (_PICTURE_PX, _PICTURE_PX), colour)
    picture.paste((255, 255, 255), (4, 4, 4 + noise[3] % 8, 4 + noise[4] % 8))
    picture.save(path)


def _fault(step: str, item: Item) -> None:
    for entry in os.environ.get(FAULTS_VARIABLE, "").split(","):
        where, _, fault = entry.partition("=")
        name, _, seed = where.partition("/")
        if name == step and seed.isdigit() and item.seed == step_seed(int(seed), step):
            _raise(fault)


def _raise(fault: str) -> None:
    match fault:
        case "full_disk":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        case "memory":
            raise MemoryError("no memory for the stand-in")
        case "network":
            raise PassingError("model: no network, wanted the stand-in's weights")
        case "bad_input":
            raise InputError("image: found nonsense, wanted a picture")
        case "bug":
            raise ZeroDivisionError("a stand-in's bug")
        case "slow":
            time.sleep(1)
        case "kill":
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
        case _:
            raise ValueError(f"{FAULTS_VARIABLE}: unknown fault {fault!r}")
