"""The parts of the motion benchmark: each runs something and returns its numbers."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.motion_scripts import (
    GAITS,
    Entries,
    random_script,
    scripts_of_each,
    steady_cases,
)
from motion.clip import Clip, world_pose
from motion.control.controller import ControlSettings
from motion.control.rollout import Rollout, clip_from_rollout
from motion.control.settings import GAIT_SPEEDS_M_S
from motion.files.bvh import read_bvh, write_bvh
from motion.gaits.cycles import duty_factor
from motion.measures import clip_measures, measure, rollout_measures
from motion.measures.control import is_finite, steady_states
from motion.measures.pose import feet_of, foot_skating_m_s, horizontal_speed_m_s, penetration_m
from motion.script import parse_script, roll_out

if TYPE_CHECKING:
    from motion.network import Network

Numbers = dict[str, Any]

#: After this long a command has settled; what comes before is not counted in steady states.
SETTLE_S = 3.0


def gaits(network: Network, seconds: float) -> Numbers:
    """Run every gait and style by itself and measure the run, the clip and the locked clip."""
    found: Numbers = {}
    for name, entries in scripts_of_each(seconds).items():
        start = time.perf_counter()
        rollout = run(network, entries)
        numbers: Numbers = {"ms_per_frame": 1e3 * (time.perf_counter() - start) / len(rollout)}
        clip = clip_from_rollout(rollout, name)
        numbers |= measure(clip, rollout)
        numbers["locked"] = locked_numbers(rollout, clip, name if name in GAITS else None)
        found[name] = tidy(numbers)
    locked = [numbers["locked"] for numbers in found.values()]
    moving = [found[gait]["locked"] for gait in GAITS]
    found["all"] = tidy(
        {
            "finite": all(numbers["finite"] for numbers in locked),
            "longest_freeze_s": max(numbers["longest_freeze_s"] for numbers in found.values()),
            "skating_m_s": _mean(numbers["skating_m_s"] for numbers in locked),
            "skating_of_gaits_m_s": _mean(numbers["skating_m_s"] for numbers in moving),
            "skating_of_source_gaits_m_s": _mean(n["source_skating_m_s"] for n in moving),
            "skating_ratio_to_network": _mean(n["skating_ratio_to_network"] for n in moving),
            "stance_error_max": max(numbers["stance_error"] for numbers in moving),
            "penetration_max_m": max(numbers["penetration_max_m"] for numbers in locked),
            "largest_move_m": max(numbers["largest_move_m"] for numbers in locked),
        }
    )
    return found


def locked_numbers(rollout: Rollout, clip: Clip, gait: str | None) -> Numbers:
    """Return skating, stance, penetration and moves after the foot lock, against before it."""
    from motion.feet.lock import lock_feet

    start = time.perf_counter()
    locked = lock_feet(clip)
    spent = time.perf_counter() - start
    feet = feet_of(clip)
    before, after = world_pose(clip)[0], world_pose(locked.clip)[0]
    paws = list(feet.joints)
    own = foot_skating_m_s(rollout.positions_m[:, paws], feet.contact_height_m, clip.fps)
    skating = foot_skating_m_s(after[:, paws], feet.contact_height_m, clip.fps)
    sliding = horizontal_speed_m_s(after[:, paws], clip.fps)
    held = locked.contacts[1:] & locked.contacts[:-1]
    numbers: Numbers = {
        "finite": is_finite(rollout) and bool(np.isfinite(after).all()),
        "seconds": spent,
        "skating_m_s": float(skating.mean()),
        "skating_of_network_m_s": float(own.mean()),
        "skating_ratio_to_network": float(skating.mean() / own.mean()),
        "sliding_while_held_m_s": float(sliding[held].mean()) if held.any() else float("nan"),
        "stance_share": float(locked.contacts.mean()),
        "penetration_max_m": float(penetration_m(after[:, paws], feet.contact_height_m).max()),
        "largest_move_m": float(locked.largest_move_m),
        "move_p99_m": float(np.percentile(np.linalg.norm(after - before, axis=2).max(axis=1), 99)),
    }
    if gait is not None:
        numbers |= _against_gait(locked.contacts, rollout, gait)
    return numbers


def _against_gait(contacts: Any, rollout: Rollout, gait: str) -> Numbers:
    """Compare the stance share with the gait's duty factor, and give the source's own skating."""
    frames = slice(round(SETTLE_S * rollout.fps), None)
    wanted = float(duty_factor(GAIT_SPEEDS_M_S[gait]))
    share = float(contacts[frames].mean())
    return {
        "steady_stance_share": share,
        "duty_factor": wanted,
        "stance_error": abs(share / wanted - 1.0),
        "source_skating_m_s": source_measures(gait)["foot_skating_m_s"],
    }


def source_measures(gait: str, seconds: float = 10.0) -> dict[str, float]:
    """Return the measures of the procedural gait that the network was trained on."""
    from motion.gaits import make_gaits
    from motion.gaits.timeline import MOVE, Part

    made = make_gaits([Part(seconds, MOVE, GAIT_SPEEDS_M_S[gait])], seed=0)
    return clip_measures(made.clip)


def long_runs(network: Network, scripts: int, seconds: float) -> Numbers:
    """Run random scripts for long and say what went wrong, if anything."""
    runs = []
    for seed in range(scripts):
        rollout = run(network, random_script(seed, seconds))
        numbers = rollout_measures(rollout)
        runs.append(
            {"seed": seed, "seconds": len(rollout) / rollout.fps, "finite": is_finite(rollout)}
            | {key: numbers[key] for key in _LONG_KEYS}
        )
    return tidy(
        {
            "scripts": scripts,
            "seconds_each": seconds,
            "all_finite": all(numbers["finite"] for numbers in runs),
            "hips_outside_band_max": max(numbers["hips_outside_band"] for numbers in runs),
            "longest_freeze_s": max(numbers["longest_freeze_s"] for numbers in runs),
            "bone_length_error_max_m": max(numbers["bone_length_error_max_m"] for numbers in runs),
            "runs": runs,
        }
    )


_LONG_KEYS = (
    *("hips_outside_band", "hips_min_m", "hips_max_m", "longest_freeze_s"),
    *("speed_error_mean", "bone_length_error_mean_m", "bone_length_error_max_m"),
)


def perturbations(
    network: Network, seeds: int, deviations: float = 0.3, *, names: tuple[str, ...] = GAITS
) -> Numbers:
    """Start every gait from a disturbed pose; recovered is like the undisturbed run 5 s later."""
    found: Numbers = {}
    for gait in names:
        entries: Entries = [{gait: "8 s"}]
        calm = _tail(run(network, entries))
        shaken = [
            _tail(run(network, entries, seed=seed, perturbation=deviations))
            for seed in range(seeds)
        ]
        found[gait] = {
            "recovered": sum(_recovered(tail, calm) for tail in shaken) / seeds,
            "speed_m_s": [tail["speed"] for tail in shaken],
            "undisturbed_m_s": calm["speed"],
            "bone_length_error_m": [tail["bones"] for tail in shaken],
            "undisturbed_bone_length_error_m": calm["bones"],
        }
    found["recovered"] = min(numbers["recovered"] for numbers in found.values())
    return tidy({"deviations": deviations, "seeds": seeds} | found)


def _tail(rollout: Rollout, seconds: float = 3.0) -> dict[str, float]:
    """Return what the last seconds of a run were like."""
    count = round(seconds * rollout.fps)
    fields = ("ground", "positions_m", "axes", "experts", "trajectory", "styles", "wanted")
    cut = replace(rollout, **{name: getattr(rollout, name)[-count:] for name in fields})
    cut = replace(cut, sections=())
    numbers = rollout_measures(cut)
    way = horizontal_speed_m_s(cut.positions_m[:, 0], cut.fps)
    return {
        "finite": float(is_finite(rollout)),
        "speed": float(way.mean()),
        "bones": numbers["bone_length_error_mean_m"],
        "freeze": numbers["longest_freeze_s"],
        "hips": numbers["hips_outside_band"],
    }


def _recovered(tail: dict[str, float], calm: dict[str, float]) -> bool:
    return bool(
        tail["finite"]
        and tail["hips"] == 0.0
        and tail["freeze"] < 0.5
        and abs(tail["speed"] - calm["speed"]) < 0.1 * calm["speed"]
        and tail["bones"] < 2.0 * calm["bones"] + 1e-3
    )


def steady(network: Network, seconds: float, *, most: int | None = None) -> Numbers:
    """Compare commanded with reached speed, heading and turn rate once they have settled."""
    cases: Numbers = {}
    for name, entries in list(steady_cases(seconds).items())[:most]:
        state = steady_states(run(network, entries), settle_s=SETTLE_S)[-1]
        cases[name] = {
            "reached_m_s": state.reached_m_s,
            "speed_error": state.speed_error,
            "heading_error_deg": state.heading_error_deg,
            "turn_error_deg_s": state.turn_error_deg_s,
        }
    worst = {
        f"{key}_max": max((c[key] for c in cases.values() if math.isfinite(c[key])), default=None)
        for key in ("speed_error", "heading_error_deg", "turn_error_deg_s")
    }
    return tidy(worst | {"cases": cases})


def export(weights: Path | None, folder: Path, seconds: float) -> Numbers:
    """Time script to BVH, GLB and preview, loading of the network and all imports included."""
    start, cpu_start = time.perf_counter(), time.process_time()
    from assets3d.images.animation import write_webp
    from assets3d.images.picture import write_png
    from motion.feet.lock import lock_feet
    from motion.files.gltf import write_clip_glb
    from motion.looks.preview import animation, sheet

    marks = {"imports": time.perf_counter() - start}

    def mark(name: str) -> None:
        marks[name] = time.perf_counter() - start - sum(marks.values())

    network = load_network(weights)
    mark("network")
    part = f"{seconds / 3} s"
    rollout = run(network, [{"walk": part}, {"trot": part, "turn": "40 deg/s"}, {"sit": part}])
    mark("roll_out")
    locked = lock_feet(clip_from_rollout(rollout, "benchmark"))
    mark("foot_lock")
    write_bvh(folder / "benchmark.bvh", locked.clip)
    mark("bvh")
    write_clip_glb(folder / "benchmark.glb", locked.clip)
    mark("glb")
    # 15 pictures a second of 288 pixels, as the embedded profile has them.
    frames = animation(locked.clip, rollout, contacts=locked.contacts)
    write_webp(frames, folder / "benchmark.webp", fps=15.0)
    mark("animation")
    write_png(folder / "sheet.png", sheet(locked.clip, rollout, contacts=locked.contacts))
    mark("sheet")
    total, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    return tidy({"clip_s": seconds, "total_s": total, "cpu_s": cpu, "parts_s": marks})


def files(paths: list[Path]) -> Numbers:
    """Measure any BVH, in centimetres, as it is."""
    return {path.name: tidy(dict(clip_measures(read_bvh(path)))) for path in paths}


def load_network(weights: Path | None) -> Network:
    """Return the network of weights in any form, the embedded one by default."""
    from motion.network import Network
    from motion.weights import embedded_weights, expanded, read_weights

    # A small file of few experts still gives the eight that a roll-out has.
    return Network(embedded_weights() if weights is None else expanded(read_weights(weights)))


def run(network: Any, entries: Entries, *, seed: int = 0, perturbation: float = 0.0) -> Rollout:
    """Roll a script out with the default laws of control."""
    script = parse_script(entries)
    settings = ControlSettings()
    return roll_out(network, script, settings=settings, seed=seed, perturbation=perturbation)


def tidy(value: Any) -> Any:
    """Return numbers rounded to 6 digits, and None for those that are not one, as JSON wants."""
    if isinstance(value, dict):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    if isinstance(value, float | np.floating):
        number = float(value)
        return float(f"{number:.6g}") if math.isfinite(number) else None
    return value


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))
