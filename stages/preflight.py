"""The preflight stage: what would stop every asset stops here, in one line, before anything else.

DVC removes a stage's outputs before it runs the stage, so a slip of the pen in the manifest must
not get as far as the first of them. All others depend on the file that this one writes.

python -m stages.preflight --manifest configs/assets.yaml --profile-name embedded
    --out runs/preflight.json
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assets3d.errors import AssetError, InputError
from assets3d.export.engines import engine_named
from stages._adopt import adopt
from stages._executor import make_executor
from stages._harness import STORE_FOLDER, read_params, read_settings
from stages._machine import read_torch_build
from stages._models import NO_MODEL, find_models
from stages._names import check_names, other_engines
from stages._progress import say
from stages._step import ITEM_STEPS, Step, find_step
from stages._store import Store
from stages.export import settings_of
from stages.manifest import Manifest, read_manifest

PROFILES = Path("configs/profiles")
#: Parameters of a step that name a model for some of its assets only -> the step it is for.
_OWN_ROLES = {
    "splats": {"lgm": "splats"},
    "texture": {"model": "image", "lora": "image"},
    "maps": {"network": "maps"},
}
_GO_BACK = "write `profile: embedded` in configs/pipeline.yaml to go back"


def check(manifest_path: Path, profile: str, profiles: Path = PROFILES) -> Manifest:
    """Read everything that all assets share.

    Args:
        manifest_path: the wanted assets.
        profile: the name of the profile.
        profiles: the folder of the profiles.

    Raises:
        InputError: the manifest or the profile cannot be read; the profile needs a CUDA card that
            is not there, or models that are not there and cannot be fetched; it names an engine,
            a budget or a variant that does not exist; names that would meet, see `_names`.
    """
    manifest = read_manifest(manifest_path)
    make_executor(read_settings())
    path = profiles / f"{profile}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in profiles.glob("*.yaml")))
        raise InputError(f"profile: found {profile!r}, wanted one of {known}")
    params = {step: read_params(path, step) for step in ITEM_STEPS}
    needed = [find_step(name) for name in ITEM_STEPS]
    specs = manifest.assets.values()
    needed = [step for step in needed if any(step.takes(spec) for spec in specs)]
    _check_card(profile, needed, params)
    _check_models(profile, needed, params)
    if params["export"].get("model") != "standin":
        settings_of(params["export"], {})
        engine = engine_named(params["export"]["engine"])
        check_names(manifest.assets, engine, engine.name)
        for line in other_engines(manifest.assets, engine.name):
            say(f"preflight: {line}")  # until somebody exports for that engine
    return manifest


def _check_card(profile: str, needed: Sequence[Step], params: Mapping[str, Any]) -> None:
    wanting = [s.name for s in needed if str(params[s.name].get("device", "")).startswith("cuda")]
    lack = why_no_cuda() if wanting else None
    if lack is not None:
        raise InputError(
            f"profile {profile}: {lack} for {', '.join(wanting)} (device: cuda); {_GO_BACK}"
        )


def why_no_cuda() -> str | None:
    """Say what keeps torch from a CUDA card, or None where nothing does."""
    torch = torch_version_file()
    if re.search(r"^hip\b[^=]*=\s*'", torch, re.MULTILINE):
        return None  # AMD's build calls its cards cuda as well
    if cuda_cards() == 0:
        return "found no CUDA card, wanted one"
    if read_torch_build(torch) == "CPU":
        return "found a CUDA card, but torch built for the CPU, wanted the CUDA build"
    return None


def torch_version_file() -> str:
    """Return torch's version.py: it says what torch was built for, without importing it."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return ""
    return (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")


def cuda_cards() -> int:
    """Count the CUDA cards that the driver shows, without importing torch."""
    import ctypes

    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _check_models(profile: str, needed: Sequence[Step], params: Mapping[str, Any]) -> None:
    missing = list(_missing_models(needed, params))
    for line in missing:
        say(f"preflight: {line}")
    if missing and not network_is_there():
        raise InputError(
            f"profile {profile}: found no network to fetch {len(missing)} models, wanted it or the "
            f"models in place (`.venv/bin/assets3d models list`); {_GO_BACK}"
        )


def _missing_models(needed: Sequence[Step], params: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line per model that is not on this machine and that the profile lets be fetched."""
    for step in needed:
        section = params[step.name]
        if not section.get("download", False):
            continue
        roles = {**step.models, **_OWN_ROLES.get(step.name, {})}
        for role in roles:
            word = section.get(role)
            if word is None or word in (*NO_MODEL, "embedded"):
                continue
            try:
                find_models({role: roles[role]}, {**section, "download": False})
            except AssetError:
                yield f"{step.name}: {word} is not on this machine, it is fetched when needed"


def network_is_there(host: str = "huggingface.co", timeout_s: float = 3.0) -> bool:
    """Say whether the Hub can be reached; a proxy is taken on trust."""
    import os
    import socket

    if os.environ.get("HF_HUB_OFFLINE", "0") not in ("", "0"):
        return False
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HF_ENDPOINT")):
        return True
    try:
        socket.create_connection((host, 443), timeout_s).close()
    except OSError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage as a command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.preflight",
        description="Stop in one line what would stop every asset, before anything is built.",
        epilog="example: .venv/bin/python -m stages.preflight --manifest configs/assets.yaml "
        "--profile-name embedded --out runs/preflight.json",
    )
    parser.add_argument("--manifest", type=Path, required=True, help="the assets wanted")
    parser.add_argument("--profile-name", required=True, help="such as embedded or full")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    options = parser.parse_args(arguments)
    try:
        manifest = check(options.manifest, options.profile_name)
        runs = options.out.parent
        for step, count in adopt(runs, Store(runs / STORE_FOLDER)).items():
            say(f"preflight: the store has {count} items of {step} now, from {runs / step}")
        content = {"assets": list(manifest.assets), "problems": manifest.problems}
        options.out.parent.mkdir(exist_ok=True)
        options.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    except (AssetError, OSError) as error:
        say(f"preflight: {error}")
        say("preflight: nothing was built; what earlier runs made is where it was")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
