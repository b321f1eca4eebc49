"""Write a material's maps as one or more programs want them.

The channels of a pack are copies of the same whole numbers that the separate maps hold, smoothness
and DirectX green their exact complements: no map disagrees with its packed form by a rounding.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from assets3d.textures.encoding import directx_codes, height_range, normal_codes, quantised
from assets3d.textures.map_files import (
    Codes,
    codes_of,
    png_bytes,
    tiff_bytes,
    write_png_consuming,
)
from assets3d.textures.material import Material
from assets3d.textures.occlusion import curvature, curvature_map
from assets3d.textures.presets import MapFile, Preset, Source, preset_named


@dataclass(frozen=True)
class PackedFile:
    """A file that was written, and what it is."""

    path: Path
    file: MapFile


def write_pack(
    material: Material, preset: str | Preset, folder: Path, name: str
) -> list[PackedFile]:
    """Write the files of one preset into a folder; the same material gives the same bytes.

    Args:
        material: as it is; its height is rounded to 16 bits first and its normals follow it.
        preset: one of `presets.PRESETS`, or its name.
        folder: is made when it is not there; files of the same names are replaced.
        name: of the material, in the files' names.

    Raises:
        InputError: for a preset that does not exist.
    """
    return write_packs(material, {folder: preset}, name)


def write_packs(
    material: Material, presets: Mapping[Path, str | Preset], name: str
) -> list[PackedFile]:
    """Write several presets, each into its own folder; what they share is encoded only once.

    Raises:
        InputError: for a preset that does not exist.
    """
    written = []
    for folder, preset in presets.items():
        chosen = preset_named(preset) if isinstance(preset, str) else preset
        folder.mkdir(parents=True, exist_ok=True)
        written += [PackedFile(folder / chosen.file_name(name, f), f) for f in chosen.files]
    places: dict[MapFile, list[Path]] = {}
    for entry in written:
        places.setdefault(replace(entry.file, suffix=""), []).append(entry.path)
    exact = quantised(material)
    for file, paths in places.items():
        _write(exact, file, paths[0])
        for path in paths[1:]:
            shutil.copyfile(paths[0], path)
    return written


def _write(material: Material, file: MapFile, path: Path) -> None:
    if file.bits == 32:
        path.write_bytes(tiff_bytes(material.height_m))
    else:
        write_png_consuming(path, channel_codes(material, file))


def file_bytes(material: Material, file: MapFile) -> memoryview:
    """Return a file's content; the material is already quantised (`encoding.quantised`)."""
    if file.bits == 32:
        return tiff_bytes(material.height_m)
    return png_bytes(channel_codes(material, file))


def channel_codes(material: Material, file: MapFile) -> Codes:
    """Return what a PNG holds, (H, W) or (H, W, 3|4); the material is already quantised."""
    if len(file.channels) == 1:
        return _codes(material, file.channels[0], file.bits)
    shape = (*material.roughness.shape, len(file.channels))
    packed = np.zeros(shape, np.uint8 if file.bits == 8 else np.uint16)
    for channel, source in enumerate(file.channels):  # one plane at a time: they are large
        packed[..., channel] = _codes(material, source, file.bits)
    return packed


def _codes(material: Material, source: Source, bits: int) -> Codes:
    match source:
        case "base_colour":
            return codes_of(material.base_colour, bits)
        case "normal_gl":
            return normal_codes(material.normals, bits)
        case "normal_dx":
            return directx_codes(normal_codes(material.normals, bits))
        case "height":
            return height_range(material.height_m).codes(material.height_m)
        case "roughness":
            return codes_of(material.roughness, bits)
        case "smoothness":
            return ~codes_of(material.roughness, bits)  # the highest code less the roughness
        case "occlusion":
            return codes_of(material.occlusion, bits)
        case "metallic":
            return codes_of(material.metallic, bits)
        case "curvature":
            bends = curvature(material.height_m, material.pixel_m)
            return codes_of(curvature_map(bends, out=bends), bits)
        case "full":
            return codes_of(np.ones_like(material.roughness), bits)
