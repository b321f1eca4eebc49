"""Runs inside Blender's own Python: open a file that a pack was brought into, print what is there.

<python with bpy> look_pack.py FILE.blend [CAMERA.json PICTURE.png]
blender -b -P look_pack.py -- FILE.blend [CAMERA.json PICTURE.png]

CAMERA.json says which object to draw: {"collection", "object", "world_from_camera", "focal_px",
"size_px"}, in Blender's axes, from the collection's own origin.
"""

import json
import sys
from pathlib import Path

import bpy
from mathutils import Matrix

sys.path.insert(0, str(Path(__file__).parent))
from look import look


def main(blend: str, *drawing: str) -> None:
    bpy.ops.wm.open_mainfile(filepath=blend)
    scene = bpy.context.scene
    found = {
        "fps": scene.render.fps / scene.render.fps_base,
        "frames": [scene.frame_start, scene.frame_end],
        "blocks": {
            kind: sorted(block.name for block in getattr(bpy.data, kind))
            for kind in ("objects", "meshes", "armatures", "materials", "images", "actions")
        },
        "collections": [collection_of(child) for child in scene.collection.children],
        "materials": {m.name: material_of(m) for m in bpy.data.materials},
        "images": {i.name: image_of(i) for i in bpy.data.images if i.source == "FILE"},
        "actions": {
            a.name: {"range": list(a.frame_range), "loops": a.use_cyclic, "users": a.users}
            for a in bpy.data.actions
        },
    }
    armatures = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    if armatures:
        (armature,) = armatures
        last = int(max(action["range"][1] for action in found["actions"].values()))
        found["poses"] = [look(armature, frame) for frame in (0, last)]
        found["armature_at"] = list(armature.location)
        found["tracks"] = [
            [t.name, [[s.name, s.action.name, s.frame_start, s.frame_end] for s in t.strips]]
            for t in armature.animation_data.nla_tracks
        ]
    if drawing:
        draw(json.loads(Path(drawing[0]).read_text()), drawing[1])
    print("LOOK " + json.dumps(found))


def collection_of(collection) -> dict:
    return {
        "name": collection.name,
        "asset": asset_of(collection),
        "offset": list(collection.instance_offset),
        "objects": {o.name: object_of(o) for o in collection.objects},
        "children": [collection_of(child) for child in collection.children],
    }


def placed(thing):
    """Return where an object is; Blender does not work that out for hidden ones."""
    own = thing.matrix_parent_inverse @ thing.matrix_basis
    return placed(thing.parent) @ own if thing.parent else own


def object_of(thing) -> dict:
    said = {
        "type": thing.type,
        "hidden": thing.hide_viewport and thing.hide_render,
        "materials": [slot.material.name for slot in thing.material_slots],
        "scale": list(thing.scale),
        "turned": list(placed(thing).to_euler()),
    }
    if thing.type == "MESH":
        places = [placed(thing) @ vertex.co for vertex in thing.data.vertices]
        said["triangles"] = len(thing.data.polygons)
        said["low"] = [min(place[axis] for place in places) for axis in range(3)]
        said["high"] = [max(place[axis] for place in places) for axis in range(3)]
    return said


def asset_of(block) -> dict | None:
    data = block.asset_data
    if data is None:
        return None
    pixels = list(block.preview.image_pixels_float) if block.preview else []
    return {
        "description": data.description,
        "author": data.author,
        "licence": getattr(data, "license", None),
        "tags": sorted(tag.name for tag in data.tags),
        "preview": list(block.preview.image_size) if block.preview else None,
        "opaque": sum(value > 0.5 for value in pixels[3::4]) / max(len(pixels[3::4]), 1),
    }


def material_of(material) -> dict:
    tree = material.node_tree
    return {
        "asset": asset_of(material),
        "links": sorted(
            f"{described(link.from_node)}.{link.from_socket.name} > "
            f"{described(link.to_node)}.{link.to_socket.name}"
            for link in tree.links
        ),
        "values": {
            f"{node.type}.{socket.name}": value_of(socket)
            for node in tree.nodes
            if node.type in ("DISPLACEMENT", "MAPPING")
            for socket in node.inputs
            if not socket.is_linked
        },
    }


def described(node) -> str:
    return node.image.name if node.type == "TEX_IMAGE" and node.image else node.type


def value_of(socket):
    value = getattr(socket, "default_value", None)
    return list(value) if hasattr(value, "__len__") else value


def image_of(image) -> dict:
    path = Path(bpy.path.abspath(image.filepath))
    return {
        "there": bool(image.packed_file) or path.is_file(),
        "packed": bool(image.packed_file),
        "path": image.filepath,
        "size": list(image.size),
        "colours": image.colorspace_settings.name,
    }


def draw(camera: dict, picture: str) -> None:
    """Draw one object alone on nothing, in even light, with Cycles on one core."""
    scene = bpy.context.scene
    scene.frame_set(0)
    for thing in bpy.data.objects:
        thing.hide_render = thing.name != camera["object"]
    eye = bpy.data.objects.new("eye", bpy.data.cameras.new("eye"))
    scene.collection.objects.link(eye)
    eye.data.sensor_width = 36.0
    eye.data.lens = 36.0 * camera["focal_px"] / camera["size_px"]
    eye.data.clip_start, eye.data.clip_end = 1e-3, 1e3
    stands = Matrix.Translation(bpy.data.collections[camera["collection"]].instance_offset)
    eye.matrix_world = stands @ Matrix(camera["world_from_camera"])
    world = bpy.data.worlds.new("even")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (1.0, 1.0, 1.0, 1.0)
    scene.world, scene.camera = world, eye
    render = scene.render
    render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples, scene.cycles.use_denoising = "CPU", 4, False
    render.threads_mode, render.threads = "FIXED", 1
    render.resolution_x = render.resolution_y = camera["size_px"]
    render.resolution_percentage = 100
    render.film_transparent = True
    scene.view_settings.view_transform = "Standard"
    render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
    render.filepath = picture
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(*given)
