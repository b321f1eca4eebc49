"""Go part of the way from one exported cutout network to one that was trained on from it.

    python -m training.cutout_blend --first assets3d/weights/cutout --second training/out/new \
        --share 0.3 --export assets3d/weights/cutout

What a network learns from new kinds of scenes costs it some of what it knew. Weights in between
keep nearly all of both (Wortsman et al. 2022), where the second began as the first.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from training.card import write_card
from training.checkpoint import Progress
from training.cutout import CutoutTask
from training.cutout_network import CutoutNetwork
from training.data import load_props

_FILE = "cutout.onnx"


def blend(first: Path, second: Path, share: float, path: Path) -> None:
    """Write an ONNX file whose weights lie `share` of the way from one file's to another's.

    Raises:
        ValueError: the files are not of the same network, or the share is not within 0..1.
    """
    import onnx
    from onnx import numpy_helper

    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share: found {share}, wanted 0 to 1")
    model = onnx.load(str(second))
    before = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(first)).graph.initializer}
    for tensor in model.graph.initializer:
        new, old = numpy_helper.to_array(tensor), before.get(tensor.name)
        if old is None or old.shape != new.shape:
            raise ValueError(f"{first}: {tensor.name} is not as in {second}, wanted one network")
        if new.dtype.kind == "f":
            mixed = (1.0 - share) * old.astype(np.float64) + share * new.astype(np.float64)
            tensor.CopyFrom(numpy_helper.from_array(mixed.astype(new.dtype), tensor.name))
    onnx.save(model, str(path))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("training/out/props128"))
    parser.add_argument("--limit", type=int, default=1500, help="use no more props than this")
    parser.add_argument("--first", type=Path, required=True, help="an exported network")
    parser.add_argument("--second", type=Path, required=True, help="one trained on from it")
    parser.add_argument("--share", type=float, default=0.3, help="of the second one")
    parser.add_argument("--export", type=Path, required=True, help="folder for weights and card")
    options = parser.parse_args(arguments)
    records = [
        json.loads((folder / "training.json").read_text())
        for folder in (options.first, options.second)
    ]
    options.export.mkdir(parents=True, exist_ok=True)
    path = options.export / _FILE
    blend(options.first / _FILE, options.second / _FILE, options.share, path)
    splits = [load_props(options.data, name, options.limit) for name in ("training", "validation")]
    # A task that starts from the blended file scores it on the scenes of every training.
    (options.export / "training.json").write_text(json.dumps(records[1]))
    task = CutoutTask(*splits, batch=16, device="cpu", start=options.export)
    assert isinstance(task.networks, CutoutNetwork)
    with torch.no_grad():
        scores = {name: round(value, 5) for name, value in task.validate(task.networks).items()}
    share = f"{100 * options.share:.0f} %"
    write_card(
        options.export,
        records[1]["title"],
        what=task.what(),
        data=task.data(),
        note=f"{share} of the way from weights of {records[0]['steps']} steps to what "
        f"{records[1]['steps']} more steps ({records[1]['samples']} samples, "
        f"{records[1]['minutes']:.0f} minutes on a CPU, 1 thread) made of them",
        progress=Progress(
            records[1]["steps"], records[1]["samples"], 60 * records[1]["minutes"], scores
        ),
        limits=task.limits,
        command="python -m training.cutout --start ..., then python -m training.cutout_blend",
    )
    print(f"{path}: {share} of {options.second}, {scores}")


if __name__ == "__main__":
    main()
