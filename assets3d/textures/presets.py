"""What each program wants of a material: which files, what lies in which channel, how many bits.

Names carry no resolution: a material rebuilt at another size keeps its file names, so that an
engine's links to them hold; the size is in `material.json`. Every word of the plain and Blender
names but `orm` and `curvature` is one that Blender's Node Wrangler knows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from assets3d.errors import InputError

#: What a channel can hold. Base colour and the normals are three channels each; `full` is 1.
Source = Literal[
    "base_colour",
    "normal_gl",
    "normal_dx",
    "height",
    "roughness",
    "smoothness",
    "occlusion",
    "metallic",
    "curvature",
    "full",
]


@dataclass(frozen=True)
class MapFile:
    """One file of a pack.

    Attributes:
        suffix: its name within the preset's pattern.
        channels: what red, green, blue and alpha hold, or the one source of a grey or colour map.
        bits: 8 or 16: whole numbers as PNG; 32: floats as TIFF. Heights have 16, or 32 in metres.
    """

    suffix: str
    channels: tuple[Source, ...]
    bits: Literal[8, 16, 32] = 8

    @property
    def colour_space(self) -> Literal["srgb", "linear"]:
        """How a program must read it; only base colour is encoded."""
        return "srgb" if "base_colour" in self.channels else "linear"

    @property
    def extension(self) -> str:
        """The file's ending, without the dot."""
        return "tiff" if self.bits == 32 else "png"


@dataclass(frozen=True)
class Preset:
    """The files that one program wants.

    Attributes:
        name: what a person calls it.
        files: in the order in which they are written.
        pattern: a file's name without its ending, of {name}, {Name} (without separators, each
            word capitalised) and {suffix}.
    """

    name: str
    files: tuple[MapFile, ...]
    pattern: str = "{name}_{suffix}"

    def file_name(self, material: str, file: MapFile) -> str:
        """Return the name of one file of the material called so."""
        words = material.replace("-", "_").split("_")
        camel = "".join(word[:1].upper() + word[1:] for word in words)
        stem = self.pattern.format(name=material, Name=camel, suffix=file.suffix)
        return f"{stem}.{file.extension}"


_BASE = MapFile("basecolor", ("base_colour",))
_ROUGHNESS = MapFile("roughness", ("roughness",))
_OCCLUSION = MapFile("ao", ("occlusion",))
_METALLIC = MapFile("metallic", ("metallic",))
_HEIGHT = MapFile("height", ("height",), 16)
_CURVATURE = MapFile("curvature", ("curvature",))
_ORM = MapFile("orm", ("occlusion", "roughness", "metallic"))
#: What `with_directx` adds.
DIRECTX = MapFile("normal_dx", ("normal_dx",), 16)

_GLTF = (_BASE, MapFile("normal", ("normal_gl",)), _ORM, _HEIGHT)

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            "plain",
            (
                _BASE,
                MapFile("normal_gl", ("normal_gl",), 16),
                _HEIGHT,
                _ROUGHNESS,
                _OCCLUSION,
                _METALLIC,
                _ORM,
                # For masks in a painting program: worn edges, dirt in grooves.
                _CURVATURE,
            ),
        ),
        # glTF has no slot for the height; it lies beside for those who displace.
        Preset("gltf", _GLTF),
        Preset("godot", _GLTF),
        Preset(
            "unity-urp",
            (
                MapFile("BaseMap", ("base_colour",)),
                MapFile("MetallicSmoothness", ("metallic", "metallic", "metallic", "smoothness")),
                MapFile("NormalMap", ("normal_gl",)),
                MapFile("OcclusionMap", ("occlusion",)),
                MapFile("HeightMap", ("height",), 16),
            ),
        ),
        Preset(
            "unity-hdrp",
            (
                MapFile("BaseMap", ("base_colour",)),
                # Blue masks a detail map: one that is added later shows everywhere.
                MapFile("MaskMap", ("metallic", "occlusion", "full", "smoothness")),
                MapFile("NormalMap", ("normal_gl",)),
                MapFile("HeightMap", ("height",), 16),
            ),
        ),
        Preset(
            "unreal",
            (
                MapFile("D", ("base_colour",)),
                MapFile("N", ("normal_dx",)),
                MapFile("ORM", ("occlusion", "roughness", "metallic")),
                MapFile("H", ("height",), 16),
            ),
            "T_{Name}_{suffix}",
        ),
        # The float height is in metres, 0 at rest: midlevel 0 and scale 1 of the Displacement node.
        Preset(
            "blender",
            (
                _BASE,
                MapFile("normal", ("normal_gl",), 16),
                MapFile("height", ("height",), 32),
                _ROUGHNESS,
                _OCCLUSION,
                _METALLIC,
            ),
        ),
        # The users' ComfyUI workflows save under these names; a bump of 8 bits shows terraces.
        Preset(
            "workflow",
            (
                MapFile("color-map", ("base_colour",)),
                MapFile("normal-map", ("normal_gl",)),
                MapFile("bump-map", ("height",), 16),
            ),
            "{suffix}",
        ),
    )
}


def preset_named(name: str) -> Preset:
    """Return the preset called so.

    Raises:
        InputError: when there is none.
    """
    if name not in PRESETS:
        raise InputError(f"pack: found {name!r}, wanted one of {', '.join(PRESETS)}")
    return PRESETS[name]


def with_directx(preset: Preset) -> Preset:
    """Return the preset with a DirectX normal map of 16 bits beside what it has."""
    return replace(preset, files=(*preset.files, DIRECTX))
