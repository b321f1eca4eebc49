"""What game engines and Blender want things to be called, and where they look for collision.

All files are glTF, so no engine needs other axes or units: its importer turns them. Sources: Epic's
naming guide and FBX static mesh pipeline (SM_, T_, M_, AS_, UCX_), Godot's "node type customization
using name suffixes" (-convcolonly, -loop), Unity's model@clip and LOD habits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from assets3d.errors import InputError
from assets3d.textures.presets import PRESETS, Preset

#: More levels than an entry may ask for.
_LEVELS = 8


@dataclass(frozen=True)
class Engine:
    """One target; patterns may hold {name} and {Name} (`red_mushroom`, `RedMushroom`).

    Attributes:
        name: what a person calls it.
        up_axis: the engine's own; its importer turns ours (+Y) into it.
        unit_m: metres in the engine's own unit; its importer converts.
        textures: the preset of `assets3d.textures` that its materials are packed by.
        model: the file and the mesh of a prop.
        material: a material, in files and by itself.
        image: what the names of the pictures inside of a model's file start with; Unreal wants no
            two assets of one name in a folder, whatever their kind.
        skinned: the file and the mesh of a motion clip.
        clip: one animation, of {name} or {Name} and {clip}.
        loop: what is added to the name of an animation that loops.
        lod: the file and the mesh of a coarser level, of {model} and {level}.
        hull: the mesh of a collision hull, of {model} and {number}.
        hull_file: the file of all hulls, of {model}.
        hull_in_model: whether the importer makes collision of hulls that lie in the model's file.
    """

    name: str
    up_axis: Literal["+y", "+z"]
    unit_m: float
    textures: str
    model: str = "{name}"
    material: str = "{name}"
    image: str = "{name}"
    skinned: str = "{name}"
    clip: str = "{clip}"
    loop: str = ""
    lod: str = "{model}_lod{level}"
    hull: str = "{model}_hull_{number:02d}"
    hull_file: str = "{model}_hull"
    hull_in_model: bool = False

    @property
    def preset(self) -> Preset:
        """How textures are packed and called."""
        return PRESETS[self.textures]

    @property
    def normal_green(self) -> Literal["up", "down"]:
        """Which way the green of its normal maps points: OpenGL up, DirectX down."""
        sources = {source for file in self.preset.files for source in file.channels}
        return "down" if "normal_dx" in sources else "up"

    def model_name(self, asset: str) -> str:
        """Return the name of a prop's file and mesh."""
        return _filled(self.model, asset)

    def material_name(self, asset: str) -> str:
        """Return the name of a material."""
        return _filled(self.material, asset)

    def image_name(self, asset: str) -> str:
        """Return what the names of the pictures inside of a model's file start with."""
        return _filled(self.image, asset)

    def skinned_name(self, asset: str) -> str:
        """Return the name of a motion clip's file and mesh."""
        return _filled(self.skinned, asset)

    def clip_name(self, asset: str, clip: str, loops: bool) -> str:
        """Return the name of one animation."""
        return _filled(self.clip, asset, clip=clip) + (self.loop if loops else "")

    def lod_name(self, asset: str, level: int) -> str:
        """Return the name of a coarser level's file and mesh."""
        return self.lod.format(model=self.model_name(asset), level=level)

    def hull_name(self, asset: str, number: int) -> str:
        """Return the name of one hull's mesh."""
        return self.hull.format(model=self.model_name(asset), number=number)

    def hull_file_name(self, asset: str) -> str:
        """Return the name of the file of all hulls."""
        return self.hull_file.format(model=self.model_name(asset))

    def names(self, asset: str, levels: int = _LEVELS) -> set[str]:
        """Return every name that an asset may take, whatever its kind; no two should share one.

        Args:
            asset: its id.
            levels: how many coarser levels it may have.
        """
        kinds = (self.model_name, self.material_name, self.image_name, self.skinned_name)
        lods = {self.lod_name(asset, level) for level in range(1, levels + 1)}
        return {name(asset) for name in kinds} | lods | {self.hull_file_name(asset)}


ENGINES: dict[str, Engine] = {
    engine.name: engine
    for engine in (
        Engine("generic", "+y", 1.0, "plain"),
        Engine("blender", "+z", 1.0, "blender"),
        Engine("unity", "+y", 1.0, "unity-urp", lod="{model}_LOD{level}", hull_file="{model}_Hull"),
        Engine(
            "unreal",
            "+z",
            0.01,
            "unreal",
            model="SM_{Name}",
            material="M_{Name}",
            image="T_{Name}",
            skinned="SK_{Name}",
            clip="AS_{Name}_{clip}",
            lod="{model}_LOD{level}",
            hull="UCX_{model}_{number:02d}",
            hull_file="UCX_{model}",
            hull_in_model=True,
        ),
        Engine(
            "godot",
            "+y",
            1.0,
            "godot",
            loop="-loop",
            hull="{model}_{number:02d}-convcolonly",
            hull_in_model=True,
        ),
    )
}


def engine_named(name: str) -> Engine:
    """Return the engine called so.

    Raises:
        InputError: when there is none.
    """
    if name not in ENGINES:
        raise InputError(f"engine: found {name!r}, wanted one of {', '.join(ENGINES)}")
    return ENGINES[name]


def _filled(pattern: str, asset: str, **values: str) -> str:
    words = asset.replace("-", "_").split("_")
    camel = "".join(word[:1].upper() + word[1:] for word in words)
    return pattern.format(name=asset, Name=camel, **values)
