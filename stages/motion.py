"""The motion stage: clips as BVH and as skinned GLB, with pictures that move.

python -m stages.motion --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --out runs/motion
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any

from stages._harness import main
from stages._step import Item, Params, Step

#: The measures that a record keeps; `python -m benchmarks.motion FILE.bvh` gives them all.
_MEASURES = (
    *("mean_speed_m_s", "speed_error_max", "heading_error_deg_max", "foot_skating_m_s"),
    *("network_skating_m_s", "stance_share", "penetration_max_m", "jerk_m_s3"),
    *("bone_length_error_max_m", "hips_min_m", "hips_max_m", "lock_largest_move_m"),
    *("expert_entropy_nats", "longest_freeze_s"),
)


def load(params: Params) -> Any:
    """Return a function that gives the profile's own controller network, read at its first call."""
    from functools import cache

    @cache
    def network() -> Any:
        from stages._models import find_model

        path = find_model("motion", params["model"]).path
        embedded = path / "controller.safetensors"
        return _network(embedded if embedded.is_file() else path, "441")

    return network


def build(profile_network: Any, item: Item) -> Mapping[str, Any]:
    """Write <id>.bvh, <id>.glb, a contact sheet, an animation and the measures."""
    from motion.editing.resample import resample
    from motion.files.bvh import write_bvh
    from motion.files.gltf import write_clip_glb

    spec, name = item.spec, item.spec["id"]
    clip, rollout, warnings = _clip(profile_network, item)
    locked = _locked(clip, rollout) if spec["lock_feet"] else None
    clip = clip if locked is None else locked.clip
    written = resample(clip, float(spec["fps"]))
    write_bvh(item.out / f"{name}.bvh", written, unit=spec["bvh_unit"])
    skin = item.sources.get("skin")
    write_clip_glb(
        item.out / f"{name}.glb",
        written,
        mode=spec["root"],
        split=spec["clips"] == "commands",
        skin=skin,
    )
    _write_pictures(clip, rollout, locked, item)
    return {"numbers": _numbers(clip, rollout, locked), "warnings": warnings}


def _clip(profile_network: Any, item: Item) -> tuple[Any, Any, list[str]]:
    """Return the clip, the roll-out where a controller made it, and warnings."""
    enters, name = item.spec["enters"], item.spec["id"]
    if enters == "script":
        from motion.control.controller import ControlSettings
        from motion.control.rollout import clip_from_rollout
        from motion.script import parse_script, roll_out

        own = item.sources.get("weights")
        network = profile_network() if own is None else _network(own, item.spec["gating"])
        settings = ControlSettings(root_motion_unit=item.spec["root_motion_unit"])
        script = parse_script(list(item.spec["script"]))
        rollout = roll_out(network, script, settings=settings, seed=item.seed)
        return clip_from_rollout(rollout, name), rollout, []
    if enters == "joints":
        from motion.humanoid.joints import read_joints

        clip = read_joints(item.given, mean=item.sources.get("mean"), std=item.sources.get("std"))
        return clip, None, []
    if enters == "bvh":
        return _captured(item.given, item.spec["unit"]), None, []
    from motion.editing.inbetween import between, continued

    paths = (item.sources[f"between.{number}"] for number in (1, 2))
    first, second = (_captured(path, item.spec["unit"]) for path in paths)
    seconds = item.spec["seconds"]
    second = continued(first, second, seconds=seconds)
    return between(first, second, seconds=seconds, name=name), None, []


def _captured(path: Any, unit: Any) -> Any:
    """Read a BVH; a capture of the quadruped is told by its bones and put into our rest pose."""
    from motion.editing.rebase import rebased
    from motion.files.bvh import read_bvh
    from motion.skeleton import QUADRUPED

    clip = read_bvh(path, unit=unit)
    known = set(QUADRUPED.names) <= set(clip.skeleton.names)
    return rebased(clip, source=path.name) if known else clip


def _network(path: Any, gating: str) -> Any:
    from motion.network import GATING_341, GATING_441, Network
    from motion.weights import expanded, read_weights

    lists = {"441": GATING_441, "341": GATING_341}
    return Network(expanded(read_weights(path)), gating=lists[gating])


def _locked(clip: Any, rollout: Any) -> Any:
    from motion.feet.lock import lock_feet
    from motion.skeleton import PAWS

    # The network's own feet are steadier than those that constant bones lead to.
    return lock_feet(clip, feet_m=None if rollout is None else rollout.positions_m[:, PAWS])


def _write_pictures(clip: Any, rollout: Any, locked: Any, item: Item) -> None:
    from assets3d.images.animation import write_webp
    from assets3d.images.picture import write_png
    from motion.looks.preview import animation, sheet

    params = item.params
    contacts = None if locked is None else locked.contacts
    frames = animation(
        clip, rollout, contacts=contacts, fps=params["preview_fps"], size_px=params["preview_px"]
    )
    write_webp(frames, item.out / "preview.webp", fps=params["preview_fps"])
    write_png(item.out / "sheet.png", sheet(clip, rollout, contacts=contacts))


def _numbers(clip: Any, rollout: Any, locked: Any) -> dict[str, Any]:
    from motion.measures import measure

    measured = measure(clip, rollout, locked)
    # What does not apply to a clip (no heading was asked for, say) is no number.
    kept = {n: round(v, 4) for n, v in measured.items() if n in _MEASURES and math.isfinite(v)}
    return {"frames": len(clip), "seconds": round(clip.seconds, 3), **kept}


STEP = Step(
    name="motion",
    reads={"script": (), "bvh": (), "joints": (), "between": ()},
    fields=(
        *("id", "seed", "script", "gating", "root_motion_unit", "seconds"),
        *("fps", "root", "clips", "lock_feet", "bvh_unit", "unit"),
    ),
    modules=(
        "assets3d.images.animation",
        "assets3d.images.picture",
        "motion.files.bvh",
        "motion.control.controller",
        "motion.feet.lock",
        "motion.files.gltf",
        "motion.humanoid.joints",
        "motion.editing.inbetween",
        "motion.measures",
        "motion.network",
        "motion.looks.preview",
        "motion.editing.rebase",
        "motion.editing.resample",
        "motion.control.rollout",
        "motion.script",
        "motion.weights",
    ),
    models={"model": "motion"},
    load=load,
    build=build,
    kind="motion",
)

if __name__ == "__main__":
    sys.exit(main(STEP))
