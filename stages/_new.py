"""`assets3d new`: words, a file or a folder of pictures become entries of the manifest."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from assets3d.errors import AssetError, InputError
from stages.specs import KINDS

#: Where a person's files lie: DVC watches these folders.
_INPUTS = (Path("inputs"), Path("runs/inputs"))
_PICTURES = frozenset(
    ".png .jpg .jpeg .webp .gif .bmp .tif .tiff .avif .jp2 .tga .ppm .qoi .psd .dds".split()
)
#: What a single file other than a picture starts, by how its name ends.
_FILES: dict[str, dict[str, str | None]] = {
    ".ply": {"splats": None},
    ".bvh": {"kind": "motion", "bvh": None},
    ".npy": {"kind": "motion", "joints": None},
}
#: Words that make a surface of what is asked for in words.
_SURFACE_WORDS = frozenset({"material", "texture", "seamless", "tileable"})
_ARTICLES = ("a", "an", "the")
_LONGEST_ID = 40
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


@dataclass
class Wanted:
    """What is to be added.

    Attributes:
        entries: id -> fields.
        notes: a line for each thing that a person should know.
        refused: a line for each picture that cannot be one.
    """

    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def wanted_entries(
    what: str | None,
    fields: Mapping[str, Any],
    *,
    here: Path,
    taken: Mapping[str, Any],
    name: str | None = None,
) -> Wanted:
    """Say which entries a person means.

    Args:
        what: an id where the fields say what it starts from; else words, a file or a folder.
        fields: manifest fields that were given.
        here: the folder that a path starts at.
        taken: id -> picture, or None, of the entries that are there.
        name: the id, if not the one made from the words or the file's name.

    Raises:
        InputError: what was said means nothing.
    """
    starts = [start for kind in KINDS.values() for start in kind.STARTS if start in fields]
    if starts:
        given = {**_kind_of(fields, starts[0]), **fields}
        words = str(fields[starts[0]])
        return Wanted({name or what or free_id(Path(words).stem, taken): given})
    if what is None or not what.strip():
        raise InputError("found nothing to make, wanted words, a picture, a folder or --prompt")
    place = here / Path(what).expanduser()
    if place.is_dir() and (place / "transforms.json").is_file():
        entry = {"views": _brought_in(place), **fields}
        return Wanted({name or free_id(place.resolve().name, taken): entry})
    if place.is_dir():
        if name is not None:
            raise InputError(f"--id: found {name}, wanted none: each picture of {what} has its own")
        return _from_folder(place, fields, taken)
    if place.is_file():
        return Wanted({name or free_id(place.stem, taken): {**_from_file(place, fields), **fields}})
    if "/" in what or Path(what).suffix.lower() in {*_PICTURES, *_FILES}:
        raise InputError(f"found nothing at {what}, wanted words, a picture or a folder")
    return Wanted({name or free_id(what, taken): _from_words(what, fields)})


def free_id(words: str, taken: Collection[str]) -> str:
    """Make an id from words: their letters and digits, numbered where it is taken."""
    plain = unicodedata.normalize("NFKD", words.replace("'", "").replace("\u2019", ""))
    parts = re.findall(r"[a-z0-9]+", plain.encode("ascii", "ignore").decode().lower())
    while len(parts) > 1 and (parts[0] in _ARTICLES or len("_".join(parts)) > _LONGEST_ID):
        parts = parts[1:] if parts[0] in _ARTICLES else parts[:-1]
    base = "_".join(parts)[:_LONGEST_ID]
    if not base[:1].isalpha():
        base = f"asset_{base}".rstrip("_")
    number, found = 1, base
    while found in taken:
        number += 1
        found = f"{base}_{number}"
    return found


def read_script(text: str) -> list[dict[str, Any]]:
    """Read a script: YAML, or commands with commas between: `walk 3 s, trot 4 s turn 40 deg/s`.

    Raises:
        InputError: it is neither.
    """
    if text.lstrip().startswith("["):
        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise InputError(f"script: {' '.join(str(error).split())}") from None
    return [dict(_command(part.split(), part.strip())) for part in text.split(",")]


def read_fields(texts: list[str]) -> dict[str, Any]:
    """Read `field=value` texts, the value in YAML.

    Raises:
        InputError: one has no `=`, or is no YAML.
    """
    fields = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not mark or not name:
            raise InputError(f"--set: found {text!r}, wanted FIELD=VALUE")
        try:
            fields[name] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"--set {name}: {' '.join(str(error).split())}") from None
    return fields


def _kind_of(fields: Mapping[str, Any], start: str) -> dict[str, str]:
    """Return the kind that a start belongs to, where only one has it and none was given."""
    kinds = [kind for kind, spec in KINDS.items() if start in spec.STARTS]
    return (
        {"kind": kinds[0]} if "kind" not in fields and kinds != ["prop"] and len(kinds) == 1 else {}
    )


def _from_words(words: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    kind = fields.get("kind")
    if kind is None and _SURFACE_WORDS & set(re.findall(r"[a-z]+", words.lower())):
        kind = "material"
    if kind == "motion":
        return {"kind": kind, "script": read_script(words), **fields}
    return {**({"kind": kind} if kind else {}), "prompt": words, **fields}


def _from_file(path: Path, fields: Mapping[str, Any]) -> dict[str, Any]:
    suffix = path.suffix.lower()
    if suffix in _PICTURES:
        kind = {"kind": fields["kind"]} if "kind" in fields else {}
        return {**kind, "image": _brought_in(path)}
    if suffix not in _FILES:
        wanted = ", ".join(["a picture", *_FILES])
        raise InputError(f"found {path.name}, wanted {wanted} or a folder")
    return {name: value or _brought_in(path) for name, value in _FILES[suffix].items()}


def _from_folder(folder: Path, fields: Mapping[str, Any], taken: Mapping[str, Any]) -> Wanted:
    """Return an entry per picture of a folder, and say which look alike."""
    from assets3d.images.likeness import ALIKE_BITS, bits_apart, fingerprint
    from assets3d.images.picture import read_picture

    pictures = sorted(_pictures_in(folder))
    if not pictures:
        raise InputError(f"found no picture in {folder.name}, wanted one, such as a PNG or JPEG")
    wanted = Wanted()
    there = {picture: name for name, picture in taken.items() if picture is not None}
    seen: list[tuple[str, Path, int]] = []
    for path in pictures:
        try:
            bits = fingerprint(read_picture(path))
        except AssetError as error:
            wanted.refused.append(str(error))
            continue
        image = _brought_in(path, folder)
        name = there.get(image) or free_id(path.stem, {*taken, *wanted.entries})
        if image in there:
            wanted.notes.append(f"{name}: {image} is there already")
        else:
            wanted.entries[name] = {"image": image, **fields}
        apart, twin, its = min(
            ((bits_apart(bits, other), other_name, its) for other_name, its, other in seen),
            default=(64, "", path),
        )
        if apart <= ALIKE_BITS:
            wanted.notes.append(
                f"{name}: {path.name} looks like {its.name} ({twin}; {apart} of 63 bits differ), "
                "delete one of the lines if it is one object"
            )
        seen.append((name, path, bits))
    return wanted


def _pictures_in(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix.lower() in _PICTURES and path.is_file() and not path.name.startswith("."):
            yield path


def _brought_in(place: Path, folder: Path | None = None) -> str:
    """Return where a file or folder lies in the project; from elsewhere it is copied into inputs/.

    Args:
        place: the file or folder.
        folder: the folder of pictures that it belongs to; the copies keep that folder's name.
    """
    root, place = Path.cwd(), place.resolve()
    for inputs in _INPUTS:
        if place.is_relative_to((root / inputs).resolve()):
            return (inputs / place.relative_to((root / inputs).resolve())).as_posix()
    target = _INPUTS[0] / (folder.resolve().name if folder else "") / place.name
    if place.is_dir():
        if target.exists():
            raise InputError(f"found {target} there already, wanted to copy {place.name} to it")
        shutil.copytree(place, target)
        return target.as_posix()
    number = 1
    while target.exists() and target.read_bytes() != place.read_bytes():
        number += 1
        target = target.with_name(f"{place.stem}_{number}{place.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place, target)
    return target.as_posix()


def _command(words: list[str], text: str) -> Iterator[tuple[str, Any]]:
    """Yield name and value, a number with or without a unit, of one command in words."""
    if len(words) == 1:
        raise InputError(f"script: found {text!r}, wanted a command and how long, such as walk 3 s")
    while words:
        name, *words = words
        if not words or not _NUMBER.fullmatch(words[0]):
            raise InputError(f"script: found {text!r}, wanted such as walk 3 s, trot 4 s, jump 1")
        number, *words = words
        value = float(number) if "." in number else int(number)
        # A word before a number is the next name; any other is the unit.
        if words and not (len(words) > 1 and _NUMBER.fullmatch(words[1])):
            unit, *words = words
            yield name, f"{number} {unit}"
        else:
            yield name, value
