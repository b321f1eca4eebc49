"""Contact sheets of every step, for `dvc plots`; a sheet whose pictures are the same is kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stages._kept import Kept
from stages._keys import code_hashes
from stages._report import AssetReport
from stages._store import Store, discard, link_file

KIND = "plots"
#: The picture of each step that goes into its contact sheets.
_PICTURES = {
    "image": "image.png",
    "cutout": "cutout.png",
    "views": "sheet.png",
    "splats": "spin.png",
    "choose": "candidates.png",
    "mesh": "preview.png",
    "texture": "tiled.png",
    "maps": "plane.png",
    "motion": "sheet.png",
    "export": "thumbnail.png",
}
_WIDE = ("views", "splats", "choose", "motion")
_PER_SHEET, _COLUMNS, _WIDE_COLUMNS, _CELL_PX = 48, 8, 2, 160


def write_sheets(reports: Sequence[AssetReport], out: Path, store: Store) -> None:
    """Rewrite the folder of contact sheets: <step>.png, or <step>_00.png ... for many assets."""
    discard(out)
    out.mkdir(parents=True)
    kept, code = Kept(store, KIND), code_hashes(["assets3d.images.sheet"])
    by_name = sorted(reports, key=lambda report: report.name)
    for step, picture in _PICTURES.items():
        shown = [r for r in by_name if picture in r.records.get(step, {}).get("files", {})]
        pages = [shown[i : i + _PER_SHEET] for i in range(0, len(shown), _PER_SHEET)]
        columns = _WIDE_COLUMNS if step in _WIDE else _COLUMNS
        for number, page in enumerate(pages):
            paths = {report.name: report.folders[step] / picture for report in page}
            hashes = {r.name: r.records[step]["files"][picture]["sha256"] for r in page}
            parts = {"pictures": hashes, "layout": [columns, _COLUMNS, _CELL_PX], "code": code}

            def write(path: Path, paths: dict[str, Path] = paths, columns: int = columns) -> None:
                _write_sheet(path, paths, columns)

            suffix = f"_{number:02d}" if len(pages) > 1 else ""
            sheet = kept.file(parts, "sheet.png", write)
            link_file(sheet, out / f"{step}{suffix}.png")
    kept.forget_others()


def _write_sheet(path: Path, pictures: dict[str, Path], columns: int) -> None:
    from assets3d.images.picture import write_png
    from assets3d.images.sheet import contact_sheet

    width_px = _CELL_PX * _COLUMNS // columns
    small = [_thumbnail(picture, width_px) for picture in pictures.values()]
    write_png(path, contact_sheet(small, columns, list(pictures)))


def _thumbnail(path: Path, width_px: int):
    """Read a picture no wider than `width_px`, as an array."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as picture:
        rgba = picture.convert("RGBA")
        rgba.thumbnail((width_px, width_px), Image.Resampling.BOX)
        return np.array(rgba)
