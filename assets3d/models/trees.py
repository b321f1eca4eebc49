"""Model files by name in the folder that an artist's other tools share (`models_dir`).

Both layouts in use are known: ComfyUI's (`models/checkpoints`, `models/loras`, ...) and the WebUI's
(`models/Stable-diffusion`, `models/Lora`, `embeddings`, ...). The folder may be the tool's own root
or its `models` folder. Files are read in place, never copied.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from assets3d.errors import InputError
from assets3d.models.entry import Entry
from assets3d.weight_files import PICKLE_SUFFIXES, refuse_pickle

#: Kind of model -> the names of its folders, lower case, in ComfyUI and in the WebUI.
FOLDERS: dict[str, tuple[str, ...]] = {
    "checkpoint": ("checkpoints", "stable-diffusion"),
    "inpainting": ("checkpoints", "stable-diffusion"),
    "unet": ("unet", "diffusion_models", "checkpoints", "stable-diffusion"),
    "lora": ("loras", "lora", "lycoris"),
    "embedding": ("embeddings",),
    "ip_adapter": ("ipadapter", "ip-adapter", "ipadapter-flux", "controlnet"),
    "controlnet": ("controlnet",),
    "t2i_adapter": ("controlnet", "t2i_adapter"),
    "vae": ("vae",),
    "clip_vision": ("clip_vision",),
    "image_encoder": ("clip_vision",),
    "upscaler": ("upscale_models", "esrgan", "realesrgan"),
}
_SUFFIX = ".safetensors"


def find_in_trees(kind: str, name: str, trees: Sequence[Path], where: str) -> Path | None:
    """Find a model file by its name.

    Args:
        kind: what it is, a key of `FOLDERS`.
        name: the file's name, with or without `.safetensors`, after subfolders where there are any.
        trees: the folders to look in, the first that has it wins.
        where: field that messages begin with.

    Returns:
        The file, or None.

    Raises:
        InputError: only a pickle of that name is there, two files of that name in one tree, or
            `models_dir` is no folder.
    """
    wanted = name.removesuffix(_SUFFIX)
    pickled = None
    for tree in trees:
        named = [p for p in _files(tree, kind, where) if _is_named(p, wanted)]
        found = [p for p in named if p.suffix == _SUFFIX]
        if len(found) > 1:
            places = " and ".join(_shown(p, tree) for p in found)
            raise InputError(
                f"{where}: {name} is there twice, {places}, wanted the name with its subfolder"
            )
        if found:
            return found[0]
        pickled = pickled or next(iter(named), None)
    if pickled is not None:
        refuse_pickle(pickled, where)
    return None


def file_names(entry: Entry) -> tuple[str, ...]:
    """Return a registered model's file names in shared folders, its own one where that tells."""
    name = Path(entry.one_file or "").name
    telling = name.endswith(".safetensors") and not name.startswith(("pytorch_", "diffusion_"))
    own = (name,) if telling and entry.kind in FOLDERS else ()
    return (*entry.single_file, *own)


def nearest_names(kind: str, name: str, trees: Sequence[Path], where: str) -> list[str]:
    """Return the file names of a kind that look like `name`, the nearest first."""
    names = {p.stem for tree in trees for p in _files(tree, kind, where) if p.suffix == _SUFFIX}
    return difflib.get_close_matches(name.removesuffix(_SUFFIX), sorted(names), 3)


def _shown(path: Path, tree: Path) -> str:
    return path.relative_to(tree).as_posix() if path.is_relative_to(tree) else str(path)


def _is_named(path: Path, wanted: str) -> bool:
    without_suffix = path.with_suffix("").as_posix()
    if path.suffix in PICKLE_SUFFIXES and Path(wanted).suffix in PICKLE_SUFFIXES:
        without_suffix += path.suffix
    return without_suffix.endswith(f"/{wanted}")


def _files(tree: Path, kind: str, where: str) -> Iterable[Path]:
    if not tree.is_dir():
        raise InputError(f"{where}: models_dir {tree} is no folder, wanted one, or null")
    return _listing(tree, kind)


@functools.lru_cache(maxsize=256)
def _listing(tree: Path, kind: str) -> tuple[Path, ...]:
    """Return the weight files of a kind, sorted; remembered, a shared folder can be large."""
    return tuple(sorted(_walk(tree, kind)))


def _walk(tree: Path, kind: str) -> Iterator[Path]:
    wanted = FOLDERS[kind]
    roots = [tree, tree / "models"]
    if tree.name == "models" and kind == "embedding":
        roots.append(tree.parent)  # the WebUI keeps embeddings beside models
    for root in roots:
        if not root.is_dir():
            continue
        for folder in root.iterdir():
            if folder.is_dir() and folder.name.lower() in wanted:
                for path in _below(folder, set()):
                    if path.suffix == _SUFFIX or path.suffix in PICKLE_SUFFIXES:
                        yield path


def _below(folder: Path, seen: set[Path]) -> Iterator[Path]:
    """Yield every file below a folder, through links to other disks too, and each folder once."""
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from _below(path, seen)
        else:
            yield path
