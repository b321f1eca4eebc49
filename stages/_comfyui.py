"""`python -m stages.texture import-comfyui`: a saved graph becomes an entry of the manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import AssetError
from stages._progress import say
from stages.manifest import check_entry

#: Sides of tiles are multiples of this, lengths on the canvas of `CELL_PX`.
_CELL_PX = 64


def import_graph(arguments: Sequence[str] | None = None) -> int:
    """Print the entry for a graph, or add it to a manifest; say what was left out."""
    parser = argparse.ArgumentParser(
        prog="python -m stages.texture import-comfyui",
        description="Turn one of the two published ComfyUI texture graphs into a manifest entry.",
        epilog="example: python -m stages.texture import-comfyui text_to_texture.json --name rock "
        "--add configs/assets.yaml",
    )
    parser.add_argument("graph", type=Path, help="the saved graph (JSON)")
    parser.add_argument("--name", default="imported", help="id of the entry")
    parser.add_argument("--image", default=None, help="where the graph's picture lies here")
    parser.add_argument("--add", type=Path, default=None, metavar="MANIFEST", help="append to it")
    options = parser.parse_args(arguments)
    try:
        fields, left_out = entry_of(options.graph, options.image)
        check_entry(options.name, fields)
        if options.add is None:
            text = yaml.safe_dump(
                {options.name: fields}, sort_keys=False, default_flow_style=None, width=100
            )
            sys.stdout.write(text)
        else:
            from stages._verbs import add_asset

            sys.stdout.write(add_asset(options.add, options.name, fields) + "\n")
    except (AssetError, OSError) as error:
        say(f"import-comfyui: {error}")
        return 1
    for line in left_out:
        say(f"left out: {line}")
    return 0


def entry_of(path: Path, image: str | None = None) -> tuple[dict[str, Any], list[str]]:
    """Return the manifest fields of a graph, and a line for each thing that they do not say.

    Args:
        path: the saved graph.
        image: where the picture of a picture graph lies; by default the graph's own file name
            in inputs/.

    Raises:
        InputError: it is another graph.
    """
    from assets3d.textures.workflows import read_workflow

    found = read_workflow(path)
    left_out = list(found.left_out)
    size_px = round(found.size_px / _CELL_PX) * _CELL_PX
    if size_px != found.size_px:
        left_out.append(f"size {found.size_px}: tiles are multiples of {_CELL_PX}, took {size_px}")
    fields: dict[str, Any] = {"kind": "material"}
    if found.kind == "picture":
        fields["image"] = image or f"inputs/{found.picture}"
        if found.prompt:
            fields["shows"] = found.prompt
        if found.image_prompt_weight is not None:
            fields["ip_adapter_weight"] = found.image_prompt_weight
    else:
        fields["prompt"] = found.prompt
    fields |= {"style": found.style, "negative_prompt": found.negative_prompt}
    if (found.period_px, found.canvas_px) == (size_px - 4, size_px - 4 + size_px // 4):
        fields["mode"] = "workflow-exact"
    else:
        fields |= {"mode": "canvas", **_whole_cells(found, left_out)}
    fields |= {"size_px": size_px, "denoise": found.denoise, "seed": found.seed}
    fields["sampling"] = {
        "steps": found.steps,
        "guidance": found.guidance,
        "sampler": found.sampler,
    }
    left_out.append(f"checkpoint {found.checkpoint}: the profile names the model")
    return fields, left_out


def _whole_cells(found: Any, left_out: list[str]) -> dict[str, int]:
    """Return period and canvas as multiples of a latent's cell; say what became of odd ones."""
    from assets3d.textures.seamless.settings import CELL_PX

    lengths = {}
    for name in ("period_px", "canvas_px"):
        asked = getattr(found, name)
        lengths[name] = round(asked / CELL_PX) * CELL_PX
        if lengths[name] != asked:
            left_out.append(
                f"{name} {asked}: wanted a multiple of {CELL_PX} here, took {lengths[name]}"
            )
    return lengths
