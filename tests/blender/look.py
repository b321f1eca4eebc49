"""Runs inside Blender's own Python: import a file as a person would, print what is there as JSON.

<python with bpy> look.py FILE FRAMES_PER_SECOND
"""

import json
import sys
from pathlib import Path

import bpy
from mathutils import Vector


def main(path: Path, fps: int) -> None:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = fps
    if path.suffix == ".bvh":
        bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01, update_scene_fps=True)
    else:
        bpy.ops.import_scene.gltf(filepath=str(path))
    found = {
        "fps": scene.render.fps / scene.render.fps_base,
        "meshes": {o.name: len(o.data.vertices) for o in bpy.data.objects if o.type == "MESH"},
        "actions": {a.name: list(a.frame_range) for a in bpy.data.actions},
    }
    (armature,) = [o for o in bpy.data.objects if o.type == "ARMATURE"]
    found["bones"] = [bone.name for bone in armature.data.bones]
    last = int(max(stop for _, stop in found["actions"].values()))
    found["frames"] = [look(armature, frame) for frame in {0, last // 2, last}]
    print("LOOK " + json.dumps(found))


def look(armature, frame: int) -> dict:
    """Return where the bones are in Blender's world (+Z up) and the meshes' bounds."""
    bpy.context.scene.frame_set(frame)
    graph = bpy.context.evaluated_depsgraph_get()
    posed = armature.evaluated_get(graph)
    heads = {b.name: list(posed.matrix_world @ b.head) for b in posed.pose.bones}
    tails = {b.name: list(posed.matrix_world @ b.tail) for b in posed.pose.bones}
    corners = []
    for thing in bpy.data.objects:
        if thing.type == "MESH" and thing.find_armature() is not None:
            whole = thing.evaluated_get(graph)
            corners += [whole.matrix_world @ v.co for v in whole.data.vertices]
    bounds = None
    if corners:
        low = Vector([min(c[i] for c in corners) for i in range(3)])
        high = Vector([max(c[i] for c in corners) for i in range(3)])
        bounds = [list(low), list(high)]
    return {"frame": frame, "heads": heads, "tails": tails, "bounds": bounds}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
