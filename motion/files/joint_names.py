"""Find a skeleton's joints among a rig's names, whatever their case, prefix and side marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

from motion.humanoid.body import NAME_MAPS
from motion.skeleton import QUADRUPED, Skeleton

_SIDE = re.compile(
    r"^(left|right)[._\- ]?|[._\- ]?(left|right)$|[._\- ](l|r)$|^(l|r)[._\- ]", re.IGNORECASE
)

#: What else rigs call the quadruped's joints, tried in this order after the name itself; each rig
#: joint is taken once, so spine_01 and spine_02 as well as spine and spine.001 come out right.
_QUADRUPED_ALIASES: dict[str, tuple[str, ...]] = {
    "hips": ("hip", "pelvis"),
    "spine": ("spine0", "spine00", "spine01", "spine001", "loin", "lowerback"),
    "spine1": ("spine2", "spine02", "spine002", "spine01", "spine001", "chest", "ribcage"),
    "neck": ("neck0", "neck1", "neck01", "neck001"),
    "head": ("skull",),
    "shoulder": ("clavicle", "scapula", "shoulderblade"),
    "arm": ("upperarm", "armupper", "frontupperleg", "frontthigh", "humerus"),
    "forearm": ("lowerarm", "armlower", "frontlowerleg", "frontshin"),
    "hand": ("frontfoot", "frontpaw", "forepaw", "wrist"),
    "upleg": ("thigh", "upperleg", "legupper", "rearthigh", "backthigh", "hindthigh"),
    "leg": ("shin", "calf", "lowerleg", "leglower", "rearshin", "hindshin"),
    "foot": ("rearfoot", "backfoot", "hindfoot", "backpaw", "hindpaw", "hock"),
    "tail": ("tail0", "tail00", "tail01", "tail1", "tail001"),
    "tail1": ("tail2", "tail02", "tail002", "tail01", "tail001"),
}


def canonical(name: str) -> tuple[str, str]:
    """Return (side, core) of a joint's name: ("left", "upleg") of `rig:UpLeg.L` and `LeftUpLeg`."""
    plain = re.split(r"[:|]", name)[-1].strip()
    found = _SIDE.search(plain)
    side = ""
    if found and len(found.group(0)) < len(plain):
        side = {"l": "left", "r": "right"}[next(filter(None, found.groups()))[0].lower()]
        plain = plain[: found.start()] + plain[found.end() :]
    return side, re.sub(r"[^a-z0-9]", "", plain.lower())


def matched(skeleton: Skeleton, rig: Sequence[str]) -> dict[int, int]:
    """Return {joint number of the skeleton: place in `rig`} for every joint that is found.

    The person's joints mean different things under the same names in different rigs (Mixamo's
    Spine is our spine1), so there the one naming that explains most joints is taken whole.
    """
    tables = [{name: _candidates(name) for name in skeleton.names}]
    for names in NAME_MAPS.values():
        if set(skeleton.names) <= set(names):
            tables.append({name: [canonical(names[name])] for name in skeleton.names})
    found = [_taken(skeleton, rig, table) for table in tables]
    return max(found, key=len)


def _taken(
    skeleton: Skeleton, rig: Sequence[str], table: dict[str, list[tuple[str, str]]]
) -> dict[int, int]:
    free: dict[tuple[str, str], int] = {}
    for place, name in enumerate(rig):
        free.setdefault(canonical(name), place)
    pairs: dict[int, int] = {}
    for joint, name in enumerate(skeleton.names):
        for key in table[name]:
            if key in free:
                pairs[joint] = free.pop(key)
                break
    return pairs


def _candidates(name: str) -> list[tuple[str, str]]:
    side, core = canonical(name)
    aliases = _QUADRUPED_ALIASES.get(core, ()) if name in QUADRUPED.names else ()
    return [(side, core), *((side, alias) for alias in aliases)]
