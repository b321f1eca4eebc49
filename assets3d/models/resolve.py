"""Find a model's files: registered, named by path or file name, or a Hub repository.

A registered model is looked for in this order: a folder or file of the person's that stands for it,
the Hub's local cache, the shared `models_dir`, and the network where that is allowed. What is on
this machine costs no network call.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.models.entry import HUB_ID, Entry, read_entry
from assets3d.models.files import EMBEDDED_FOLDER, ModelFiles, data_files
from assets3d.models.rembg_files import rembg_file
from assets3d.models.snapshots import commit_of, hub_model, hub_parts, own_files
from assets3d.models.trees import FOLDERS, find_in_trees, nearest_names
from assets3d.weight_files import refuse_pickle

# The folder in assets3d/weights, where it is not the step's own name.
_EMBEDDED_NAMES = {"splats": "lgm"}

#: name -> entry, checked (`Entry`) or as the file has it; those are checked when they are needed.
Registry = Mapping[str, Entry | Mapping[str, Any]]


@dataclass(frozen=True)
class Places:
    """Where models may lie besides the Hub's cache.

    Attributes:
        embedded: the folder of the weights that ship with the package.
        trees: folders shared with ComfyUI or the WebUI.
        local: registered name -> the folder or file that stands for it.
        commits: repository that is named directly -> its pinned commit.
    """

    embedded: Path = EMBEDDED_FOLDER
    trees: tuple[Path, ...] = ()
    local: Mapping[str, Path] = field(default_factory=dict)
    commits: Mapping[str, str] = field(default_factory=dict)


def resolve(
    step: str,
    name: str,
    registry: Registry,
    *,
    download: bool = False,
    embedded_folder: Path | None = None,
    places: Places | None = None,
) -> ModelFiles:
    """Find the checkpoint `name` of a step.

    `name` is a name in the registry, a local folder or file, a file name in `models_dir`, or a Hub
    repository `owner/name`.

    Args:
        step: the pipeline step.
        name: which model.
        registry: name -> entry, see `entry`.
        download: fetch what is not on this machine; without it that is an InputError.
        embedded_folder: where embedded weights lie, if not where the package has them.
        places: further places.

    Raises:
        InputError: unknown name, or files that are not there.
        PassingError: the download failed.
    """
    places = places or Places()
    if embedded_folder is not None:
        places = replace(places, embedded=embedded_folder)
    where = f"{step}.model"
    entry = _entry(name, registry)
    if entry is None or entry.step not in (None, step):
        return _unregistered(where, step, "checkpoint", name, registry, download, places)
    if entry.kind not in ("checkpoint", "inpainting"):
        raise InputError(f"{where}: {name} is a {entry.kind}, wanted a checkpoint")
    return _registered(where, step, entry, download, places)


def resolve_file(
    kind: str,
    name: str,
    registry: Registry,
    *,
    where: str,
    download: bool = False,
    places: Places | None = None,
) -> ModelFiles:
    """Find what steers or completes a pipeline: a LoRA, an embedding, a ControlNet, ...

    Args:
        kind: one of `entry.KINDS`.
        name: a registered name of that kind, a path, a file name in `models_dir`, or `owner/name`.
        registry: see `resolve`.
        where: field that messages begin with.
        download: see `resolve`.
        places: see `resolve`.

    Raises:
        InputError: as for `resolve`; a pickle.
        PassingError: the download failed.
    """
    places = places or Places()
    entry = _entry(name, registry)
    if entry is None:
        return _unregistered(where, "image", kind, name, registry, download, places)
    if entry.kind != kind:
        raise InputError(f"{where}: {name} is a {entry.kind}, wanted a {kind}")
    return _registered(where, entry.step or "image", entry, download, places)


def _entry(name: str, registry: Registry) -> Entry | None:
    values = registry.get(name)
    return values if values is None or isinstance(values, Entry) else read_entry(name, values)


def _registered(where: str, step: str, entry: Entry, download: bool, places: Places) -> ModelFiles:
    source, revision = entry.source, entry.revision
    parts: dict[str, Path] = {}
    if entry.name in places.local:
        source, revision = "local", None
        path = _given(where, places.local[entry.name])
    elif source == "embedded":
        path = _embedded(where, places.embedded / _EMBEDDED_NAMES.get(step, step))
    elif source == "rembg":
        path = rembg_file(where, entry.name, download)
    else:
        found = _from_cache_or_trees(where, entry, places)
        if found is None and not download:
            raise InputError(
                f"{where}: {entry.name} ({source}) is not on this machine, wanted it fetched: "
                f"`assets3d models fetch {entry.name}` (or `download: true` in the profile)"
            )
        if found is None:
            found = (source, *hub_model(where, entry, download=True))
        source, path, parts = found
        revision = commit_of(path) or revision if source == entry.source else None
    return ModelFiles(
        step=step,
        name=entry.name,
        source=source,
        path=path,
        files=own_files(path, entry),
        parts=parts,
        licence=entry.licence,
        commercial=entry.commercial_word,
        revision=revision,
        memory="" if entry.gpu_gb is None else f"{entry.gpu_gb:g} GB",
        registered=True,
    )


def _from_cache_or_trees(
    where: str, entry: Entry, places: Places
) -> tuple[str, Path, dict[str, Path]] | None:
    """Return (source, path, parts) of what is on this machine; None when it is not whole."""
    try:
        return (entry.source, *hub_model(where, entry, download=False))
    except InputError:
        pass
    for name in (*entry.single_file, *_single_names(entry)):
        path = find_in_trees(entry.kind, name, places.trees, where)
        if path is not None:
            return "models_dir", path, _parts_for_shared(where, entry)
    return None


def _single_names(entry: Entry) -> tuple[str, ...]:
    """Return the entry's own file name where it is one file with a telling name."""
    name = Path(entry.one_file or "").name
    telling = name.endswith(".safetensors") and not name.startswith(("pytorch_", "diffusion_"))
    return (name,) if telling and entry.kind in FOLDERS else ()


def _parts_for_shared(where: str, entry: Entry) -> dict[str, Path]:
    """Return the parts for a file in a shared folder, where they are in the Hub's cache.

    A whole checkpoint needs none; who uses an adapter may know another place for its encoder.
    """
    if entry.kind == "checkpoint":
        return {}
    try:
        return hub_parts(where, entry)
    except InputError:
        return {}


def _given(where: str, path: Path) -> Path:
    refuse_pickle(path, where)
    if not path.exists():
        raise InputError(f"{where}: nothing at {path}, wanted what local_models names there")
    return path


def _embedded(where: str, path: Path) -> Path:
    if not path.is_dir() or not data_files(path):
        raise InputError(
            f"{where}: no embedded weights in assets3d/weights/{path.name}/, "
            "wanted a whole checkout, or a training run"
        )
    return path


def _unregistered(
    where: str,
    step: str,
    kind: str,
    name: str,
    registry: Registry,
    download: bool,
    places: Places,
) -> ModelFiles:
    path = Path(name).expanduser()
    if path.exists():
        refuse_pickle(path, where)
        return _known(ModelFiles(step, name, "local", path, data_files(path)), registry)
    shareable = step == "image" and kind in FOLDERS
    shared = find_in_trees(kind, name, places.trees, where) if shareable else None
    if shared is not None:
        return _known(ModelFiles(step, name, "models_dir", shared, (shared,)), registry)
    refuse_pickle(path, where)
    known = sorted(key for key, values in registry.items() if _is_for(values, step, kind))
    near = difflib.get_close_matches(name, known, 1)
    if HUB_ID.fullmatch(name) and not near:
        direct = Entry(name, name, revision=places.commits.get(name))
        path, _ = hub_model(where, direct, download=download)
        found = ModelFiles(step, name, "hub", path, data_files(path), revision=commit_of(path))
        return _known(found, registry)
    if shareable:
        near += nearest_names(kind, name, places.trees, where)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise InputError(
        f"{where}: found {name!r}{hint}, wanted one of {', '.join(known) or 'none'}, "
        "a local folder or file, a file name in models_dir, or a Hub repository owner/name"
    )


def _is_for(values: Entry | Mapping[str, Any], step: str, kind: str) -> bool:
    """Say whether an entry is for a step and of a kind, without checking the rest of it."""
    fields = vars(values) if isinstance(values, Entry) else values
    return fields.get("step") in (None, step) and fields.get("kind", "checkpoint") == kind


def _known(model: ModelFiles, registry: Registry) -> ModelFiles:
    """Give a model that was not named by its registered name the licence that it has there."""
    for name in registry:
        entry = _entry(name, registry)
        assert entry is not None
        names = (*entry.single_file, *_single_names(entry))
        if model.source == "hub":
            same = entry.source == model.name
        else:
            same = model.path.name in names
        if same:
            return replace(
                model,
                licence=entry.licence,
                commercial=entry.commercial_word,
                registered=True,
            )
    return model
