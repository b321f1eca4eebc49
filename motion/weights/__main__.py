"""Write a network's weights in another form: `python -m motion.weights SOURCE TARGET`.

example: python -m motion.weights path/to/expert/folder wolf.safetensors
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from assets3d.errors import AssetError, InputError
from motion.weights import (
    EMBEDDED,
    GATING_341,
    GATING_441,
    Weights,
    onnx_gating,
    read_weights,
    trimmed,
    write_folder,
    write_onnx,
    write_safetensors,
)

_GATINGS = {"441": GATING_441, "341": GATING_341}


def main(arguments: Sequence[str] | None = None) -> int:
    """Read, write, say what was written; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m motion.weights",
        description="Write a network's weights in another form, the same numbers.",
        epilog="example: python -m motion.weights path/to/expert/folder wolf.safetensors",
    )
    parser.add_argument(
        "source", help="folder of 58 files, .safetensors or .onnx; `embedded` is the one that ships"
    )
    parser.add_argument(
        "target", type=Path, help="name.safetensors, name.onnx, or a folder for the 58 files"
    )
    parser.add_argument("--half", action="store_true", help="safetensors: experts in 16 bits")
    parser.add_argument(
        "--gating", choices=tuple(_GATINGS), help="ONNX: the list that becomes part of the graph"
    )
    options = parser.parse_args(arguments)
    try:
        source = EMBEDDED if options.source == "embedded" else Path(options.source)
        said = _write(options.target, read_weights(source), source, options)
    except (AssetError, OSError) as error:
        sys.stderr.write(f"motion.weights: {error}\n")
        return 1
    sys.stderr.write(f"motion.weights: {said}\n")
    return 0


def _write(target: Path, weights: Weights, source: Path, options: argparse.Namespace) -> str:
    """Write the form that the target's name asks for and return what it is."""
    form = target.suffix.lower()
    if options.half and form != ".safetensors":
        raise InputError(f"{target.name}: --half is for .safetensors")
    if options.gating and form != ".onnx":
        raise InputError(f"{target.name}: --gating is for .onnx, other forms do not say it")
    if form == ".safetensors":
        # What only pads a smaller network to the folder's sizes is left out: exact both ways.
        write_safetensors(target, trimmed(weights), half=options.half)
    elif form == ".onnx":
        known = onnx_gating(source) if source.suffix.lower() == ".onnx" else GATING_441
        write_onnx(target, weights, gating=_GATINGS.get(options.gating, known))
    elif target.is_file() or (form and not target.is_dir()):
        raise InputError(f"{target.name}: wanted .safetensors, .onnx or a folder's name")
    else:
        write_folder(target, weights)
        return f"{target.name}/: 58 files"
    return f"{target.name}: {target.stat().st_size / 2**20:.1f} MiB"


if __name__ == "__main__":
    sys.exit(main())
