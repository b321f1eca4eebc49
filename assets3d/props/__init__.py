"""The procedural prop world: game props as signed-distance programs with captions and materials.

One definition gives a caption, a picture from any camera (colour, alpha, depth, normal) and a
ground-truth mesh. Names are loaded on first use, so that importing this package imports no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "FAMILIES": "catalogue",
    "HELD_OUT_FAMILIES": "catalogue",
    "TRAINING_FAMILIES": "catalogue",
    "BENCHMARK_SEED_START": "catalogue",
    "sample_prop": "catalogue",
    "sample_caption": "captions",
    "Prop": "prop",
    "PropRender": "render",
    "render_prop": "render",
    "Light": "shading",
    "prop_mesh": "meshing",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
