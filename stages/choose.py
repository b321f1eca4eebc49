"""The choose stage: of a prop's candidates the one with the best scores, or the pinned one.

python -m stages.choose --manifest configs/assets.yaml --profile configs/profiles/embedded.yaml
    --in runs/image runs/cutout runs/views runs/splats --out runs/choose

It copies nothing: the steps that follow read the chosen candidate's items, see `_candidates`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from stages._harness import main
from stages._models import find_models
from stages._records import read_record
from stages._step import Item, Params, Step


def load(params: Params) -> Any:
    """Load the classifier that tells whether a picture shows what its words name, if any."""
    from assets3d.images.recognition import load_judge

    models = find_models(STEP.models, params)
    return load_judge(models["model"].path) if models else None


def build(judge: Any, item: Item) -> Mapping[str, Any]:
    """Write candidates.png: all of them with their scores, the one that is kept marked."""
    from assets3d.candidates import scores_of, strip
    from assets3d.images.following import JUDGES
    from assets3d.images.picture import write_png

    params, words = item.params, words_of(item.spec)
    threads = params["threads"]
    candidates = {number: _candidate(item, number) for number in numbers_in(item)}
    judges = JUDGES if judge is None else (*JUDGES, judge)
    scores = {
        n: scores_of(one, words, judges=judges, threads=threads) for n, one in candidates.items()
    }
    totals = {number: one.total for number, one in scores.items()}
    chosen = choice(totals, item.spec["pin"])
    picture = strip(candidates, totals, chosen, size_px=params["strip_px"], threads=threads)
    write_png(item.out / "candidates.png", picture)
    told = {
        name: [getattr(one, name) for one in scores.values()]
        for name in ("prompt", "front_iou", "consistency", "doubts")
    }
    told = {name: values for name, values in told.items() if values[0] is not None}
    return {"numbers": numbers_of(item, totals, chosen) | told}


def numbers_in(item: Item) -> list[int]:
    """Return the numbers of the candidates that were made."""
    return sorted({int(name.rpartition("/")[2]) for name in item.folders})


def words_of(spec: Mapping[str, Any]) -> str | None:
    """Return the words that the picture was drawn from; a photograph has none."""
    edit = spec["edit"]
    return spec["prompt"] if edit is None else edit["prompt"]


def choice(totals: Mapping[int, float], pin: int | None) -> int:
    """Return the candidate that is kept."""
    from assets3d.candidates import best

    return best(totals) if pin is None else pin


def numbers_of(item: Item, totals: Mapping[int, float], chosen: int) -> dict[str, Any]:
    """Return what the record says: which one of how many, whether pinned, everyone's score."""
    return {
        "chosen": chosen,
        "candidates": item.spec["candidates"],
        "pinned": item.spec["pin"] is not None,
        "tried": list(totals),
        "score": list(totals.values()),
    }


def _candidate(item: Item, number: int) -> Any:
    import numpy as np

    from assets3d.candidates import Candidate
    from assets3d.images.picture import read_picture
    from assets3d.splats.ply import read_ply
    from assets3d.views.posed import Views, read_cameras

    cameras, paths = read_cameras(item.folders[f"views/{number}"])
    rgba = np.stack([_rgba(read_picture(path)) for path in paths])
    cutout = item.folders[f"cutout/{number}"]
    return Candidate(
        _rgba(read_picture(cutout / "cutout.png")),
        Views(rgba, cameras),
        read_ply(item.folders[f"splats/{number}"] / "splats.ply"),
        len((read_record(cutout) or {"warnings": ()})["warnings"]),
    )


def _rgba(picture: Any) -> Any:
    import numpy as np

    if picture.shape[2] == 4:
        return picture
    return np.concatenate([picture, np.full_like(picture[..., :1], 255)], axis=2)


_READ = (
    *("cutout/cutout.png", "cutout/record.json"),
    *("views/view_*.png", "views/transforms.json"),
    "splats/splats.ply",
)

STEP = Step(
    name="choose",
    reads=dict.fromkeys(("prompt", "edit", "image"), _READ),
    fields=("prompt", "edit", "candidates", "pin"),
    modules=(
        "assets3d.candidates",
        "assets3d.images.recognition",
        "assets3d.images.picture",
        "assets3d.splats.ply",
        "assets3d.views.posed",
    ),
    models={"model": "choose"},
    load=load,
    build=build,
)

if __name__ == "__main__":
    sys.exit(main(STEP))
