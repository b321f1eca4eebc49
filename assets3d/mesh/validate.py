"""Check a GLB with the Khronos validator, when node and its package are there."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from assets3d.errors import InputError, PassingError

_ROOT = Path(__file__).resolve().parents[2]
SCRIPT = _ROOT / "tools" / "validate_glb.cjs"
PACKAGE = _ROOT / "node_modules" / "gltf-validator"


@dataclass(frozen=True)
class Verdict:
    """What the validator found: counts, and one line per message."""

    errors: int
    warnings: int
    messages: tuple[str, ...]


def missing() -> str:
    """Return what keeps the validator from running here, or "" when it can."""
    if shutil.which("node") is None:
        return "node is not installed"
    if not PACKAGE.is_dir():
        return "the npm package gltf-validator is not installed (npm ci in the project's root)"
    return ""


def validate_glb(path: Path, time_limit_s: float = 60.0) -> Verdict:
    """Run the validator on one file.

    Raises:
        PassingError: when it cannot run here; see `missing`.
        InputError: when it could not read the file at all.
    """
    if reason := missing():
        raise PassingError(f"glb: {reason}")
    done = subprocess.run(
        ["node", str(SCRIPT), str(path)], capture_output=True, text=True, timeout=time_limit_s
    )
    if done.returncode not in (0, 1):
        raise InputError(f"glb: the validator failed on {path.name}: {done.stderr.strip()[:200]}")
    report = json.loads(done.stdout)
    lines = tuple(f"{m['code']} {m.get('pointer', '')}: {m['message']}" for m in report["messages"])
    return Verdict(report["errors"], report["warnings"], lines)
