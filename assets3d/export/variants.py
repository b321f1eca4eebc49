"""Compressed copies of a model, beside the plain GLB that every program reads.

`webp` is made here. `meshopt` needs node with glTF Transform and meshoptimizer, `ktx2` the `ktx`
program of KTX-Software 4.4 or later; where these are not, one line says so and the rest is made.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.mesh.glb_builder import packed, unpacked

_ROOT = Path(__file__).resolve().parents[2]
SCRIPT = _ROOT / "tools" / "meshopt_glb.mjs"
_NODE_PACKAGES = ("@gltf-transform/core", "@gltf-transform/extensions", "meshoptimizer")
#: WebP's quality for colours; normal maps and packed maps are kept without loss.
_WEBP_QUALITY = 90
_LIMIT_S = 300.0

VARIANTS = ("meshopt", "webp", "ktx2")


def missing(variant: str) -> str:
    """Return what keeps a variant from being made here, or "".

    Raises:
        InputError: there is no such variant.
    """
    if variant not in VARIANTS:
        raise InputError(f"variants: found {variant!r}, wanted some of {', '.join(VARIANTS)}")
    if variant == "ktx2" and shutil.which("ktx") is None:
        return "the program ktx (KTX-Software) is not installed"
    if variant != "meshopt":
        return ""
    if shutil.which("node") is None:
        return "node is not installed"
    lacking = [name for name in _NODE_PACKAGES if not (_ROOT / "node_modules" / name).is_dir()]
    return f"the npm package {lacking[0]} is not installed (npm ci)" if lacking else ""


def write_variants(model: Path, variants: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Write `<model>.<variant>.glb` beside a GLB for each variant.

    Returns:
        Role (`variant_webp`) -> file name, and a line for each variant that could not be made.

    Raises:
        InputError: there is no such variant.
    """
    makers: dict[str, Callable[[Path, Path], None]] = {
        "meshopt": _meshopt,
        "webp": _webp,
        "ktx2": _ktx2,
    }
    files, lines = {}, []
    for variant in variants:
        if reason := missing(variant):
            lines.append(f"variant {variant} was not made: {reason}")
            continue
        target = model.with_name(f"{model.stem}.{variant}.glb")
        makers[variant](model, target)
        files[f"variant_{variant}"] = target.name
    return files, lines


@cache
def versions(variants: Sequence[str]) -> dict[str, str]:
    """Return what makes each variant here, as it names its version, or what is missing."""
    found = {}
    for variant in variants:
        words = {"meshopt": ["node", "--version"], "ktx2": ["ktx", "--version"]}.get(variant)
        found[variant] = missing(variant) or (_said_by(words) if words else "Pillow")
    return found


def _said_by(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def _meshopt(model: Path, target: Path) -> None:
    _run(["node", str(SCRIPT), str(model), str(target)], "meshopt", model)


def _webp(model: Path, target: Path) -> None:
    """Put every picture into the file as WebP (EXT_texture_webp); nothing else changes."""
    from PIL import Image

    def encoded(content: bytes, is_colour: bool) -> bytes:
        stream = io.BytesIO()
        with Image.open(io.BytesIO(content)) as picture:
            picture.save(stream, "WEBP", lossless=not is_colour, quality=_WEBP_QUALITY, method=4)
        return stream.getvalue()

    target.write_bytes(_with_pictures(model, encoded, "image/webp", "EXT_texture_webp"))


def _ktx2(model: Path, target: Path) -> None:
    """Put every picture into the file as KTX2 (KHR_texture_basisu), for the GPU as it is."""

    def encoded(content: bytes, is_colour: bool) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            source, result = Path(folder) / "in.png", Path(folder) / "out.ktx2"
            source.write_bytes(content)
            space = ("R8G8B8_SRGB", "srgb") if is_colour else ("R8G8B8_UNORM", "linear")
            command = ["ktx", "create", "--format", space[0], "--assign-tf", space[1]]
            codec = ["--encode", "basis-lz"] if is_colour else ["--encode", "uastc", "--zstd", "18"]
            command += [*codec, "--generate-mipmap", "--threads", "1", str(source), str(result)]
            _run(command, "ktx2", model)
            return result.read_bytes()

    target.write_bytes(_with_pictures(model, encoded, "image/ktx2", "KHR_texture_basisu"))


def _with_pictures(
    model: Path, encoded: Callable[[bytes, bool], bytes], mime: str, extension: str
) -> bytes:
    """Return a GLB whose pictures are encoded anew and named by an extension that it requires."""
    document, data = unpacked(model.read_bytes(), model.name)
    colours = _colour_images(document)
    replaced: dict[int, bytes] = {}
    for index, image in enumerate(document.get("images", [])):
        view = document["bufferViews"][image["bufferView"]]
        start = view.get("byteOffset", 0)
        content = data[start : start + view["byteLength"]]
        replaced[image["bufferView"]] = encoded(content, index in colours)
        image["mimeType"] = mime
    for texture in document.get("textures", []):
        texture["extensions"] = {extension: {"source": texture.pop("source")}}
    for key in ("extensionsUsed", "extensionsRequired"):
        if replaced:
            document[key] = sorted({*document.get(key, []), extension})
    fresh = bytearray()
    for number, view in enumerate(document["bufferViews"]):
        start = view.get("byteOffset", 0)
        content = replaced.get(number, data[start : start + view["byteLength"]])
        fresh += bytes(-len(fresh) % 4)
        view["byteOffset"], view["byteLength"] = len(fresh), len(content)
        fresh += content
    document["buffers"] = [{"byteLength": len(fresh)}]
    return packed(document, bytes(fresh))


def _colour_images(document: dict[str, Any]) -> set[int]:
    """Return the images that hold colours; the others hold numbers, which loss would bend."""
    textures = document.get("textures", [])
    shading = [m.get("pbrMetallicRoughness", {}) for m in document.get("materials", [])]
    used = [part["baseColorTexture"]["index"] for part in shading if "baseColorTexture" in part]
    return {textures[index]["source"] for index in used}


def _run(command: Sequence[str], variant: str, model: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S)
    if done.returncode:
        words = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise InputError(f"variants: {variant} of {model.name} failed: {words[:200]}")
