"""The pictures that the gallery's pages show, linked into its own folder.

So the folder can be copied or packed without the steps' folders beside it. Pictures of steps are
hard links, which cost no room; of a person's own photographs there are small copies, because a
link would make the photograph itself read-only.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from assets3d.errors import AssetError
from stages._kept import Kept
from stages._keys import code_hashes, file_hash
from stages._report import AssetReport
from stages._store import Store, link_file

#: The folder in the gallery: a folder per item, in it `<step>_<file>`.
PICTURES_FOLDER = "pictures"
KIND = "given"
_GIVEN_FILE, _GIVEN_PX = "given.webp", 512


def shown(path: Path, gallery: Path) -> str:
    """Link a picture of a step into the gallery and return its address from there.

    Args:
        path: `<step>/<item>/<file>`; one that is not there is passed over.
        gallery: the gallery's folder.
    """
    item, step = path.parent, path.parent.parent
    place = gallery / PICTURES_FOLDER / item.name / f"{step.name}_{path.name}"
    if not place.exists() and path.is_file():
        place.parent.mkdir(parents=True, exist_ok=True)
        link_file(path, place)
    return _address(place, gallery)


def given_picture(report: AssetReport, gallery: Path) -> str:
    """Return the address of the small copy of an asset's own photograph, or "" without one."""
    place = gallery / PICTURES_FOLDER / report.name / _GIVEN_FILE
    there = report.spec is not None and place.is_file()  # an id that was refused may hold "../"
    return _address(place, gallery) if there else ""


def write_given(reports: Sequence[AssetReport], gallery: Path, store: Store) -> None:
    """Put a small copy of every photograph that an asset began with into the gallery."""
    kept = Kept(store, KIND)
    code = code_hashes(["assets3d.images.picture"])
    for report in reports:
        picture = None if report.spec is None else report.spec.sources.get("image")
        if picture is None or not picture.is_file():
            continue

        def write(path: Path, picture: Path = picture) -> None:
            _write_small(picture, path)

        try:
            parts = {"picture": file_hash(picture), "px": _GIVEN_PX, "code": code}
            small = kept.file(parts, _GIVEN_FILE, write)
            place = gallery / PICTURES_FOLDER / report.name / _GIVEN_FILE
            place.parent.mkdir(parents=True, exist_ok=True)
            link_file(small, place)
        except AssetError:
            continue  # a picture that cannot be read fails the asset's first step, and is said
    kept.forget_others()


def _write_small(picture: Path, path: Path) -> None:
    from PIL import Image

    from assets3d.images.picture import read_picture

    small = Image.fromarray(read_picture(picture))
    small.thumbnail((_GIVEN_PX, _GIVEN_PX))
    small.save(path, "WEBP", quality=85)


def _address(place: Path, gallery: Path) -> str:
    return escape(quote(place.relative_to(gallery).as_posix()))
