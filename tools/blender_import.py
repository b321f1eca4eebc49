"""Bring a delivered pack into Blender: collections, levels, hulls, materials, clips, asset marks.

    blender -b -P tools/blender_import.py -- export/<pack>/manifest.json [--out pack.blend]

or, in Blender's own Python or with the `bpy` package (`import_pack(...)` returns what it did):

    from tools.blender_import import import_pack
    import_pack("export/<pack>/manifest.json")

Only the standard library and bpy (Blender 3.4 or newer; made with 4.5) are used, so that the file
works by itself. A pack that is imported again changes only assets whose files changed.

Frames: the files are glTF (+Y up, front +Z, metres); in Blender that is +Z up, front -Y. Each asset
keeps its origin: it is the `instance_offset` of its collection, since assets stand in rows.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import logging
import math
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

try:
    import bpy
except ModuleNotFoundError:  # a manifest can be read and checked without Blender
    bpy = None

#: The form of `manifest.json` that is read here.
FORMAT = 1
#: Grows when an asset has to be imported anew though its files are the same.
_VERSION = 1
#: Custom properties of what was made here: whose it is, and from which files.
_OWNER, _DIGEST, _FILE, _NEXT = (
    f"assets3d{end}" for end in ("", "_digest", "_file", "_next_place_m")
)
#: Assets stand in rows of this length, a gap of this share of their width apart.
_ROW_M, _GAP, _LEAST_GAP_M = 10.0, 0.25, 0.1
#: What comes with a file, users before what they use.
_BLOCKS = ("objects", "meshes", "armatures", "materials", "images", "actions")
_KINDS_OF_ASSET = ("prop", "material", "motion")


class PackError(Exception):
    """One line that a person can act on."""


@dataclass(frozen=True)
class Asset:
    """One asset of a pack.

    Attributes:
        pack, name: whose, and its id.
        kind: prop, material or motion.
        folder: the pack's; files are named relative to it.
        files: role -> file.
        entry: all that the manifest says.
    """

    pack: str
    name: str
    kind: str
    folder: Path
    files: Mapping[str, str]
    entry: Mapping[str, Any]

    @property
    def owner(self) -> str:
        """What marks the things that came with it."""
        return f"{self.pack}/{self.name}"

    @property
    def digest(self) -> str:
        """What it was imported from; the same digest, nothing to do."""
        text = json.dumps([_VERSION, self.entry], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def path(self, role: str) -> Path:
        """Return where the file of a role lies."""
        return self.folder / self.files[role]


@dataclass(frozen=True)
class Pack:
    """A delivered pack: its name, and every asset that the manifest names."""

    name: str
    assets: tuple[Asset, ...]


@dataclass
class Report:
    """What an import did: ids, and lines for a person."""

    pack: str
    imported: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.pack}: {len(self.imported)} imported, {len(self.unchanged)} unchanged, "
            f"{len(self.failed)} failed"
        )


def read_pack(manifest: str | Path) -> Pack:
    """Read a pack's `manifest.json`; files are checked asset by asset, see `check`.

    Raises:
        PackError: no such file, no manifest, or one of another format.
    """
    path = Path(manifest).resolve()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PackError(
            f"manifest: found no readable {manifest} ({error.strerror}), "
            "wanted the manifest.json of a delivered pack"
        ) from None
    except ValueError:
        raise PackError(f"manifest: {manifest} is no JSON, wanted it as it was delivered") from None
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise PackError(
            f"format: found {found!r} in {manifest}, wanted {FORMAT}: "
            "the pack and this script come from different versions of the project"
        )
    try:
        name = content["pack"]
        assets = tuple(
            Asset(name, entry["id"], entry["kind"], path.parent, entry["files"], entry)
            for entry in content["assets"]
            if entry.get("status") != "refused"  # it must not be sold and was taken away
        )
    except (KeyError, TypeError) as error:
        raise PackError(
            f"manifest: {manifest} lacks {error}, wanted it as it was delivered"
        ) from None
    return Pack(name, assets)


def check(asset: Asset, edited: bool = False) -> list[str]:
    """Look whether an asset's files are what the manifest says; return lines about edited ones.

    Args:
        asset: of a pack.
        edited: whether files that differ are taken as they are.

    Raises:
        PackError: a file is missing, lies outside of the pack, or differs.
    """
    if asset.kind not in _KINDS_OF_ASSET:
        raise PackError(f"kind: found {asset.kind!r}, wanted one of {', '.join(_KINDS_OF_ASSET)}")
    lines = []
    for role, file in asset.files.items():
        parts = PurePosixPath(file)
        if parts.is_absolute() or ".." in parts.parts or "\\" in file:
            raise PackError(f"{role}: found {file!r}, wanted a file inside the pack")
        path = asset.folder / file
        if not path.is_file():
            raise PackError(f"{role}: found no file {file}, wanted it beside the manifest")
        wanted = asset.entry.get("sha256", {}).get(file)
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if wanted is None or found == wanted:
            continue
        if not edited:
            raise PackError(
                f"{role}: found {file} with sha256 {found[:12]}, wanted {wanted[:12]}: edited or "
                "damaged; --edited takes it as it is"
            )
        lines.append(f"{asset.name}: {file} was edited and is taken as it is")
    return lines


def import_pack(
    manifest: str | Path, *, edited: bool = False, rows: bool = True, embed: bool = False
) -> Report:
    """Bring a pack into the open file; an asset that cannot be read never stops the others.

    Args:
        manifest: a pack's `manifest.json`.
        edited: take files that differ from the manifest as they are.
        rows: let new assets stand in rows; otherwise all stand at the origin.
        embed: keep the textures of materials inside the .blend, instead of links to the files.

    Raises:
        PackError: no manifest, one of another format, or no Blender.
    """
    pack = read_pack(manifest)
    if bpy is None:
        raise PackError(
            "bpy: found no Blender in this Python, "
            "wanted: blender -b -P tools/blender_import.py -- MANIFEST"
        )
    _ready()
    report = Report(pack.name)
    good = []
    for asset in pack.assets:
        try:
            report.notes += check(asset, edited)
            good.append(asset)
        except PackError as error:
            report.failed.append(f"{asset.name}: {error}")
    report.notes += _set_frame_rate(good)
    whole = _collection(pack.name, pack.name)
    for asset in good:
        try:
            unchanged = _import_asset(asset, whole, rows, embed)
        except PackError as error:
            report.failed.append(f"{asset.name}: {error}")
            continue
        (report.unchanged if unchanged else report.imported).append(asset.name)
    if not whole.children:
        bpy.data.collections.remove(whole)
        return report
    if whole not in set(bpy.context.scene.collection.children_recursive):
        # Not before: Blender works out all that a scene holds again after every import.
        bpy.context.scene.collection.children.link(whole)
    named = {asset.name for asset in pack.assets}
    report.notes += [
        f"{child.name}: the pack has this asset no more; its collection stays"
        for child in whole.children
        if _OWNER in child and child[_OWNER].partition("/")[2] not in named
    ]
    return report


# --- one asset -------------------------------------------------------------------------------


def _import_asset(asset: Asset, whole: Any, rows: bool, embed: bool) -> bool:
    """Bring one asset in; return whether it was there already."""
    known = _find("collections", asset.owner)
    if known and known.get(_DIGEST) == asset.digest and known.objects:
        _point_textures(asset)  # the pack may have been moved since
        return True
    old = _set_aside(asset)
    before = {blocks: set(getattr(bpy.data, blocks)) for blocks in (*_BLOCKS, "collections")}
    try:
        make = {"prop": _prop, "material": _material, "motion": _motion}[asset.kind]
        things, shown = make(asset, embed)
    except (PackError, RuntimeError, OSError, LookupError, AttributeError, ValueError) as error:
        for blocks, there in before.items():
            bpy.data.batch_remove([b for b in getattr(bpy.data, blocks) if b not in there])
        for block in old:
            block.name = block.name.removesuffix("~")
        raise PackError(_last_line(error)) from None
    collection = known or _collection(asset.name, asset.owner)
    if known is None:
        whole.children.link(collection)
        if rows and things:
            collection.instance_offset = _free_place(things, whole)
    for thing in things:
        for other in thing.users_collection:
            other.objects.unlink(thing)
        collection.objects.link(thing)
    for blocks, there in before.items():
        for block in [b for b in getattr(bpy.data, blocks) if b not in there]:
            block[_OWNER] = asset.owner
    for junk in [c for c in bpy.data.collections if c not in before["collections"]]:
        if junk is not collection and not junk.objects:
            bpy.data.collections.remove(junk)
    for thing in things:
        if thing.parent is None:
            thing.location += collection.instance_offset
    _take_over(old, asset.owner)
    _describe(shown or collection, asset)
    collection[_DIGEST] = asset.digest
    return False


def _last_line(error: Exception) -> str:
    """Return an error in one line: operators give whole traces, with what happened at the end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ") if lines else type(error).__name__


def _set_aside(asset: Asset) -> list[Any]:
    """Free the names of what came with an earlier version of an asset; return all of that.

    A material and its linked pictures stay what they are, so that whatever wears it keeps it.
    """
    old = [
        block
        for blocks in _BLOCKS
        for block in getattr(bpy.data, blocks)
        if block.get(_OWNER) == asset.owner
        and not (asset.kind == "material" and (blocks == "materials" or _FILE in block))
    ]
    for block in old:
        block.name = f"{block.name}~"
    return old


def _take_over(old: Sequence[Any], owner: str) -> None:
    """Let whatever used something of an earlier version use the new one of that name."""
    for block in old:
        blocks = next(b for b in _BLOCKS if block in set(getattr(bpy.data, b)))
        new = getattr(bpy.data, blocks).get(block.name.removesuffix("~"))
        if new is None or new.get(_OWNER) != owner:
            continue
        if blocks == "objects":
            for collection in block.users_collection:
                collection.objects.unlink(block)
                if new.name not in collection.objects:
                    collection.objects.link(new)
        block.user_remap(new)
    bpy.data.batch_remove(old)


def _prop(asset: Asset, embed: bool) -> tuple[list[Any], Any]:
    """Import the model, its coarser levels and its hulls; only the model is seen."""
    things = _gltf(asset.path("model"))
    for role in sorted(role for role in asset.files if role.startswith("lod")):
        coarser = _gltf(asset.path(role))
        for thing in coarser:
            _share_materials(thing, things[0])
            _hide(thing)
        things += coarser
    if "hull" in asset.files:
        named = _node_names(asset.path("hull"))
        hulls = [thing for thing in things if thing.name in named]  # some engines want them inside
        if not hulls:
            hulls = _gltf(asset.path("hull"))
            things += hulls
        for thing in hulls:
            thing.display_type = "WIRE"
            _hide(thing)
    return things, None


def _motion(asset: Asset, embed: bool) -> tuple[list[Any], Any]:
    """Import a skinned body; each of its clips is an action on an NLA track of its own."""
    things = _gltf(asset.path("clip"))
    loops = {clip["name"]: clip["loop"] for clip in asset.entry.get("clips", [])}
    for thing in things:
        if thing.type == "MESH" and thing.parent is not None:
            thing.name = f"{thing.parent.name}_mesh"
        if thing.animation_data is None:
            continue
        for track in thing.animation_data.nla_tracks:
            for strip in track.strips:
                action = strip.action
                first, last = action.frame_range
                action.name = _clip_name(asset.name, track.name)
                action.use_frame_range = True
                action.frame_start, action.frame_end = first, last
                action.use_cyclic = bool(loops.get(track.name, False))
                strip.name = track.name
                # The importer lets tracks begin at the scene's first frame; the clips begin at 0.
                strip.frame_start_ui = first
    return things, None


def _clip_name(asset: str, clip: str) -> str:
    """Return an action's name: all assets of a file share one list of actions."""
    bare = asset.replace("_", "").replace("-", "").lower()
    return clip if bare in clip.replace("_", "").replace("-", "").lower() else f"{asset}_{clip}"


def _gltf(path: Path, **options: bool) -> list[Any]:
    """Import a GLB; return its objects, those without a parent first."""
    before = set(bpy.data.objects)
    known = bpy.ops.import_scene.gltf.get_rna_type().properties
    if "disable_bone_shape" in known:
        options["disable_bone_shape"] = True
    logging.disable(logging.INFO)  # three lines a file
    try:
        bpy.ops.import_scene.gltf(filepath=str(path), **options)
    finally:
        logging.disable(logging.NOTSET)
    new = [thing for thing in bpy.data.objects if thing not in before]
    shapes = {
        bone.custom_shape for thing in new if thing.pose for bone in thing.pose.bones
    }  # older importers draw bones as balls
    bpy.data.batch_remove([thing for thing in new if thing in shapes])
    things = sorted((t for t in bpy.data.objects if t not in before), key=lambda t: t.name)
    if not things:
        raise PackError(f"{path.name}: found nothing in it, wanted a model")
    return sorted(things, key=lambda thing: thing.parent is not None)


def _node_names(path: Path) -> set[str]:
    """Return the names of a GLB's nodes (Khronos, glTF 2.0, section 4.4: binary glTF)."""
    data = path.read_bytes()
    if len(data) < 20 or data[:4] != b"glTF":
        raise PackError(f"{path.name}: found no GLB, wanted one")
    (length,) = struct.unpack_from("<I", data, 12)
    return {node.get("name", "") for node in json.loads(data[20 : 20 + length])["nodes"]}


def _share_materials(thing: Any, model: Any) -> None:
    """Let a coarser level wear the model's material where it brought the same one again."""
    for slot, own in zip(thing.material_slots, model.material_slots, strict=False):
        twin = slot.material
        if twin is own.material or _pictures(twin) != _pictures(own.material):
            continue
        slot.material = own.material
        images = [node.image for node in _image_nodes(twin)]
        bpy.data.batch_remove([twin, *images])


def _image_nodes(material: Any) -> list[Any]:
    if material is None or material.node_tree is None:
        return []
    return [n for n in material.node_tree.nodes if n.type == "TEX_IMAGE" and n.image is not None]


def _pictures(material: Any) -> list[bytes]:
    files = [node.image.packed_file for node in _image_nodes(material)]
    return [hashlib.sha256(file.data).digest() if file else b"" for file in files]


def _hide(thing: Any) -> None:
    """Hide an object here and in every instance of its collection."""
    thing.hide_viewport = thing.hide_render = True


# --- materials -------------------------------------------------------------------------------

#: What the shader's inputs can be made of.
_SLOTS = {
    "base_colour": "colour",
    "normal_gl": "normal",
    "normal_dx": "normal",
    "roughness": "roughness",
    "smoothness": "roughness",
    "metallic": "metallic",
    "occlusion": "occlusion",
    "height": "height",
}


def _material(asset: Asset, embed: bool) -> tuple[list[Any], Any]:
    """Make the material from its maps, and import the ball that wears it."""
    try:
        facts = json.loads(asset.path("material").read_text(encoding="utf-8"))
        tile_m, height, files = float(facts["tile_m"]), facts["height"], facts["files"]
    except (OSError, ValueError, KeyError, TypeError):
        raise PackError("material: material.json is missing or broken, wanted it whole") from None
    folder = PurePosixPath(asset.files["material"]).parent
    files = _shown(files)
    images = [
        _picture(asset, f"{folder}/{file}", said["colour_space"] == "srgb", embed)
        for file, said in files.items()
    ]
    # In one piece, or displacement would open it along the cuts of its UVs.
    things = _gltf(asset.path("model"), merge_vertices=True) if "model" in asset.files else []
    worn = {slot.material for thing in things for slot in thing.material_slots}
    brought = {node.image for material in worn for node in _image_nodes(material)}
    bpy.data.batch_remove([*worn, *brought])
    material = _find("materials", asset.owner) or bpy.data.materials.new(asset.name)
    material[_OWNER], material["tile_m"] = asset.owner, tile_m
    material.use_nodes = True
    surface = _Surface(material.node_tree, tile_m)
    for number, (image, said) in enumerate(zip(images, files.values(), strict=True)):
        surface.add(image, said["channels"], number, height, in_metres=said.get("unit") == "m")
    # The normal map has the fine relief already: as a bump, the height would count twice.
    if hasattr(material, "displacement_method"):
        material.displacement_method = "DISPLACEMENT"
    else:
        material.cycles.displacement_method = "DISPLACEMENT"
    for thing in things:
        thing.data.materials.clear()
        thing.data.materials.append(material)
        for corner in thing.data.uv_layers.active.data:
            corner.uv = corner.uv * tile_m  # tiles to metres, as the material wants it
    return things, material


def _shown(files: Mapping[str, Any]) -> dict[str, Any]:
    """Return the maps that a shader needs: of two that say the same, the first.

    A pack may hold roughness both by itself and in an ORM picture, normals of both conventions, and
    curvature, which is for painting programs: each slot is filled once.
    """
    filled: set[str] = set()
    shown = {}
    for file, said in files.items():
        slots = {_SLOTS[source] for source in said["channels"] if source in _SLOTS}
        if slots - filled:
            shown[file] = said
            filled |= slots
    return shown


def _picture(asset: Asset, file: str, colour: bool, embed: bool) -> Any:
    """Return the image of a file of the pack, loaded once."""
    image = next(
        (i for i in bpy.data.images if (i.get(_OWNER), i.get(_FILE)) == (asset.owner, file)), None
    )
    path = str(asset.folder / file)
    if image is None:
        image = bpy.data.images.load(path)
        image[_OWNER], image[_FILE] = asset.owner, file
    else:
        if image.packed_file:
            image.unpack(method="REMOVE")
        image.filepath = path
        image.reload()
    image.colorspace_settings.name = "sRGB" if colour else "Non-Color"
    if embed:
        image.pack()
    return image


def _point_textures(asset: Asset) -> None:
    """Let linked textures point at the files of the pack, wherever that lies now."""
    for image in bpy.data.images:
        if image.get(_OWNER) == asset.owner and _FILE in image and not image.packed_file:
            path = str(asset.folder / image[_FILE])
            if bpy.path.abspath(image.filepath) != path:
                image.filepath = path


class _Surface:
    """A node tree that is filled map by map; UVs are metres, 1 is one metre."""

    def __init__(self, tree: Any, tile_m: float) -> None:
        self.tree = tree
        tree.nodes.clear()
        self.output = self._node("OutputMaterial", 900, 0)
        self.shader = self._node("BsdfPrincipled", 550, 0)
        self._join(self.shader.outputs["BSDF"], self.output.inputs["Surface"])
        place = self._node("TexCoord", -900, 0)
        self.mapping = self._node("Mapping", -700, 0)
        self.mapping.label = f"a tile is {tile_m:.3g} m, UVs are metres"
        self.mapping.inputs["Scale"].default_value = (1.0 / tile_m, 1.0 / tile_m, 1.0)
        self._join(place.outputs["UV"], self.mapping.inputs["Vector"])

    def add(
        self,
        image: Any,
        channels: Sequence[str],
        number: int,
        height: Mapping[str, float],
        in_metres: bool,
    ) -> None:
        """Add one map.

        Args:
            image: it.
            channels: what its red, green, blue and alpha hold, or the one source of all of it.
            number: of the map; places the nodes.
            height: `range_m` and `rest_level` of the material.
            in_metres: whether heights are metres above rest, not shares of the range.
        """
        top = 600 - 300 * number
        texture = self._node("TexImage", -450, top)
        texture.image = image
        self._join(self.mapping.outputs["Vector"], texture.inputs["Vector"])
        if len(channels) == 1:
            self._use(channels[0], texture.outputs["Color"], top, height, in_metres)
            return
        split = self._node("SeparateColor", -150, top)
        self._join(texture.outputs["Color"], split.inputs[0])
        outputs = [*split.outputs, texture.outputs["Alpha"]]
        if len(channels) == 4:
            image.alpha_mode = "CHANNEL_PACKED"
        used = set()
        for source, output in zip(channels, outputs, strict=False):
            if source not in used:
                self._use(source, output, top, height, in_metres)
            used.add(source)

    def _use(
        self, source: str, output: Any, top: float, height: Mapping[str, float], in_metres: bool
    ) -> None:
        inputs = self.shader.inputs
        if source == "base_colour":
            self._join(output, inputs["Base Color"])
        elif source in ("roughness", "metallic"):
            self._join(output, inputs[source.capitalize()])
        elif source == "smoothness":
            self._join(self._inverted(output, top), inputs["Roughness"])
        elif source in ("normal_gl", "normal_dx"):
            normal = self._node("NormalMap", 250, top)
            if source == "normal_dx":
                output = self._green_up(output, top)
            self._join(output, normal.inputs["Color"])
            self._join(normal.outputs["Normal"], inputs["Normal"])
        elif source == "height":
            displaced = self._node("Displacement", 550, -500)
            displaced.inputs["Midlevel"].default_value = 0.0 if in_metres else height["rest_level"]
            displaced.inputs["Scale"].default_value = 1.0 if in_metres else height["range_m"]
            self._join(output, displaced.inputs["Height"])
            self._join(displaced.outputs[0], self.output.inputs["Displacement"])
        elif source == "occlusion":
            group = self._node("Group", 550, 250)
            group.node_tree = _occlusion_group()
            self._join(output, group.inputs["Occlusion"])

    def _inverted(self, output: Any, top: float) -> Any:
        minus = self._node("Math", 50, top)
        minus.operation = "SUBTRACT"
        minus.inputs[0].default_value = 1.0
        self._join(output, minus.inputs[1])
        return minus.outputs[0]

    def _green_up(self, output: Any, top: float) -> Any:
        """Return a DirectX normal map's colour as OpenGL's, which Blender wants."""
        split, merged = self._node("SeparateColor", -100, top), self._node("CombineColor", 150, top)
        self._join(output, split.inputs[0])
        for channel in (0, 2):
            self._join(split.outputs[channel], merged.inputs[channel])
        self._join(self._inverted(split.outputs[1], top - 60), merged.inputs[1])
        return merged.outputs[0]

    def _node(self, kind: str, x: float, y: float) -> Any:
        node = self.tree.nodes.new(f"ShaderNode{kind}")
        node.location = (x, y)
        return node

    def _join(self, output: Any, target: Any) -> None:
        self.tree.links.new(output, target)


def _occlusion_group() -> Any:
    """Return the group in which Blender's glTF exporter looks for occlusion; it draws nothing."""
    name = "glTF Material Output"
    group = bpy.data.node_groups.get(name)
    if group is None:
        group = bpy.data.node_groups.new(name, "ShaderNodeTree")
        if hasattr(group, "interface"):
            group.interface.new_socket("Occlusion", socket_type="NodeSocketFloat")
        else:
            group.inputs.new("NodeSocketFloat", "Occlusion")
        group.nodes.new("NodeGroupInput")
    return group


# --- the file --------------------------------------------------------------------------------


def _set_frame_rate(assets: Sequence[Asset]) -> list[str]:
    """Give the scene the fastest clip's rate, before keys are laid on its frames.

    A file that holds actions keeps its rate, which their keys count on.
    """
    scene = bpy.context.scene
    clips = [(asset, clip) for asset in assets for clip in asset.entry.get("clips", [])]
    rates = [clip["fps"] for _, clip in clips if clip["fps"] > 0.0]
    if not rates:
        return []
    if not bpy.data.actions:
        rate = max(rates)
        scene.render.fps = max(1, math.ceil(rate - 1e-3))
        scene.render.fps_base = scene.render.fps / rate
        scene.frame_start = 0
        scene.frame_end = max(1, math.ceil(max(c["seconds"] for _, c in clips) * rate - 1e-3))
        scene.frame_set(0)
    rate = scene.render.fps / scene.render.fps_base
    return [
        f"{asset.name}: clip {clip['name']} has {clip['fps']:g} fps, the scene {rate:g}: "
        "keys lie between frames"
        for asset, clip in clips
        if clip["fps"] > 0.0 and abs(rate / clip["fps"] - round(rate / clip["fps"])) > 1e-3
    ]


def _describe(block: Any, asset: Asset) -> None:
    """Mark a collection or a material as asset, with words and picture for the asset browser."""
    entry = asset.entry
    block.asset_mark()
    data = block.asset_data
    sale = {True: "", False: "; must not be sold", None: "; nobody checked whether it may be sold"}
    licences = ", ".join(entry.get("licences", []))
    data.description = f"{entry.get('words', '')}{sale.get(entry.get('commercial'), '')}"
    data.author = f"assets3d ({entry.get('made_by', 'unknown')})"
    if hasattr(data, "license"):
        data.license = licences
    for tag in (asset.kind, asset.pack, entry.get("engine", ""), entry.get("status", "")):
        if tag and tag != "ok":
            data.tags.new(tag, skip_if_exists=True)
    block["licences"], block["words"] = licences, entry.get("words", "")
    if "thumbnail" in asset.files:
        with bpy.context.temp_override(id=block), contextlib.suppress(RuntimeError):
            bpy.ops.ed.lib_id_load_custom_preview(filepath=str(asset.path("thumbnail")))


def _find(blocks: str, owner: str) -> Any:
    """Return the block that was made here for a pack or an asset, or None."""
    return next((b for b in getattr(bpy.data, blocks) if b.get(_OWNER) == owner), None)


def _collection(name: str, owner: str) -> Any:
    """Return the collection of a pack or an asset, made where there is none."""
    collection = _find("collections", owner)
    if collection is None:
        collection = bpy.data.collections.new(name)
        collection[_OWNER] = owner
    return collection


def _free_place(things: Sequence[Any], whole: Any) -> tuple[float, float, float]:
    """Return where the next asset stands: in rows along +X, the next row behind (+Y)."""
    from mathutils import Vector

    bpy.context.view_layer.update()
    corners = [
        thing.matrix_world @ Vector(corner)
        for thing in things
        if thing.type == "MESH"
        for corner in thing.bound_box
    ]
    low = [min(corner[axis] for corner in corners) for axis in range(2)]
    high = [max(corner[axis] for corner in corners) for axis in range(2)]
    width, depth = high[0] - low[0], high[1] - low[1]
    x, y, deepest = whole.get(_NEXT, (0.0, 0.0, 0.0))
    if x > 0.0 and x + width > _ROW_M:
        x, y, deepest = 0.0, y + deepest + max(_LEAST_GAP_M, _GAP * deepest), 0.0
    whole[_NEXT] = (x + width + max(_LEAST_GAP_M, _GAP * width), y, max(deepest, depth))
    return (x - low[0], y - low[1], 0.0)


def _ready() -> None:
    """See to it that the glTF importer can work."""
    import addon_utils

    name = "io_scene_gltf2"
    if name not in bpy.context.preferences.addons:
        addon_utils.enable(name)
    import numpy

    # The importer of Blender 3 says numpy.bool, which the numpy of some distributions has not.
    if "bool" not in vars(numpy):
        numpy.bool = bool


def _open_target(out: Path | None) -> Path | None:
    """Open the file to work on, or an empty one; return where it is to be saved."""
    if out is not None and out.is_file():
        bpy.ops.wm.open_mainfile(filepath=str(out.resolve()))
    elif not bpy.data.filepath and bpy.app.background:
        bpy.ops.wm.read_homefile(use_empty=True)
    if out is not None:
        return out.resolve()
    return Path(bpy.data.filepath) if bpy.data.filepath and bpy.app.background else None


def _save(target: Path) -> None:
    """Save the open file; links to textures are relative to it, so that both can be moved."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for image in bpy.data.images:
        if _FILE in image:
            with contextlib.suppress(ValueError):  # another drive
                path = bpy.path.abspath(image.filepath)
                image.filepath = bpy.path.relpath(path, start=str(target.parent))
    bpy.ops.wm.save_as_mainfile(filepath=str(target), relative_remap=False)


def main(arguments: Sequence[str]) -> int:
    """Run as a command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="blender -b -P tools/blender_import.py --",
        description="Bring a delivered pack into Blender; a file that is there is updated.",
        epilog="example: blender -b -P tools/blender_import.py -- export/assets/manifest.json "
        "--out assets.blend",
    )
    parser.add_argument("manifest", type=Path, help="the pack's manifest.json")
    parser.add_argument("--out", type=Path, help="the .blend to write; by default the open file")
    parser.add_argument("--edited", action="store_true", help="take edited files as they are")
    parser.add_argument("--at-origin", action="store_true", help="no rows: all at the origin")
    parser.add_argument("--embed", action="store_true", help="textures inside the .blend")
    options = parser.parse_args(arguments)
    try:
        read_pack(options.manifest)  # before a file is opened
        target = None if bpy is None else _open_target(options.out)
        report = import_pack(
            options.manifest,
            edited=options.edited,
            rows=not options.at_origin,
            embed=options.embed,
        )
        for line in (*report.notes, *report.failed):
            _say(line)
        if target is not None:
            _save(target)
        where = f", saved {target}" if target is not None else ", not saved: no --out"
        _say(f"{report}{where}")
    except (PackError, OSError, RuntimeError) as error:
        _say(_last_line(error))
        return 1
    return 1 if report.failed else 0


def _say(line: str) -> None:
    sys.stdout.write(f"blender_import: {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else None
    if given is None and (bpy is None or bpy.app.background):
        given = sys.argv[1:]
    if given is None:
        _say("nothing to do: wanted -- MANIFEST; in the script editor call import_pack(MANIFEST)")
    else:
        status = main(given)
        if bpy is None or bpy.app.background:  # a window stays open, to look at what came
            sys.exit(status)
