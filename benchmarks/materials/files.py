"""The seam of any picture file: what map it is by its name, its values, its numbers as a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from assets3d.images.picture import read_picture
from assets3d.textures.encoding import normals_of_codes
from assets3d.textures.map_files import read_map, values_of
from assets3d.textures.seams import THRESHOLDS, Kind, SeamReport, exceeded, seam_report

KINDS: tuple[Kind, ...] = get_args(Kind)

#: The words by which libraries of materials name their maps (ambientCG, Poly Haven, Blender's Node
#: Wrangler, AssetFetch, Material Maker, Unreal's style guides, the users' ComfyUI workflows).
_WORDS: dict[Kind, str] = {
    "colour": "color colour col basecolor basecolour base albedo diffuse diff basemap",
    "normal": "normal normals nor nrm nrml norm normalgl normaldx normalmap",
    "height": "height heightmap heightfield displacement displace disp dsp depth bump bmp",
    "scalar": "roughness rough rgh gloss glossy glossiness smoothness metallic metalness metal mtl"
    " ao ambient occlusion orm arm maskmap mask specular opacity alpha",
}
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# Alone at the end of a name, as Unreal's users write them.
_LETTERS: dict[str, Kind] = {
    "d": "colour", "bc": "colour", "n": "normal", "h": "height", "r": "scalar", "m": "scalar",
}  # fmt: skip
# What is no lossless picture of whole numbers is read as 8-bit colours.
_STORED_AS_IS = (".png", ".tif", ".tiff")
_COLUMNS = ("file", "kind", "px", "seam_nb", "seam_local", "rank", "kink", "low step", "verdict")


def kind_of_name(name: str) -> Kind:
    """Guess what map a file holds from its name: the last word that names one; else a colour."""
    stem = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", Path(name).stem)
    words = [word.lower() for word in re.split(r"[^A-Za-z]+", stem) if word]
    if words and words[-1] in _LETTERS:
        return _LETTERS[words[-1]]
    found = [_KIND_OF[word] for word in words if word in _KIND_OF]
    return found[-1] if found else "colour"


def values_of_file(path: Path, kind: Kind) -> NDArray[Any]:
    """Read a file's values as `seam_report` wants them.

    Normals of either convention become unit vectors: angles between neighbours do not depend on
    the sign of green. Heights and scalars of one channel keep their 16 bits or floats.

    Raises:
        InputError: no such file, or no picture.
        PassingError: the disk failed.
    """
    if kind == "colour" or path.suffix.lower() not in _STORED_AS_IS:
        stored: NDArray[Any] = read_picture(path)[..., :3]
    else:
        stored = read_map(path)
        if stored.ndim == 3:
            stored = stored[..., :3]
        elif kind == "normal":
            stored = np.repeat(stored[..., None], 3, axis=2)
    if kind == "normal":
        whole = stored if stored.dtype != np.float32 else np.rint(stored * 65535).astype(np.uint16)
        return normals_of_codes(whole)
    if kind == "height" and stored.ndim == 3:
        stored = stored.mean(axis=2)
    return values_of(stored) if stored.dtype in (np.uint8, np.uint16) else stored


def measured(path: Path, kind: Kind | None = None) -> dict[str, Any]:
    """Return the seam numbers of one file, their limits, and which of them are exceeded."""
    kind = kind or kind_of_name(path.name)
    values = values_of_file(path, kind)
    report = seam_report(values, kind)
    return {
        "file": str(path),
        "kind": kind,
        "width_px": values.shape[1],
        "height_px": values.shape[0],
        **numbers_of(report),
        "limits": asdict(THRESHOLDS[kind]),
        "exceeded": exceeded(report, kind),
    }


def numbers_of(report: SeamReport) -> dict[str, float]:
    """Return the numbers of a report as a JSON file holds them."""
    return {name: round(value, 4) for name, value in asdict(report).items()}


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows of `measured` as lines of aligned columns, limits behind their numbers."""
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    gated = [f"{row[name]:.2f} / {limit:g}" for name, limit in row["limits"].items()]
    others = [f"{row[name]:.2f}" for name in ("rank", "kink", "low_frequency_step")]
    size = f"{row['width_px']}x{row['height_px']}"
    verdict = f"seam: {', '.join(row['exceeded'])}" if row["exceeded"] else "tiles"
    return (row["file"], row["kind"], size, *gated, *others, verdict)
