"""Find a model's files: registered, named by path or file name, or a Hub repository.

A registered model is looked for in this order: a folder or file of the person's that stands for it,
the Hub's local cache, the shared `models_dir`, and the network where that is allowed. What is on
this machine costs no network call.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from assets3d.errors import InputError
from assets3d.models.entry import Entry
from assets3d.models.files import ModelFiles, data_files
from assets3d.models.places import Places, Registry, entry_of
from assets3d.models.rembg_files import rembg_file
from assets3d.models.snapshots import commit_of, hub_model, hub_parts, own_files
from assets3d.models.trees import file_names, find_in_trees
from assets3d.models.unregistered import unregistered
from assets3d.weight_files import refuse_pickle

# The folder in assets3d/weights, where it is not the step's own name.
_EMBEDDED_NAMES = {"splats": "lgm", "texture": "image"}


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
    entry = entry_of(name, registry)
    if entry is None or entry.step not in (None, step):
        return unregistered(where, step, "checkpoint", name, registry, download, places)
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
    entry = entry_of(name, registry)
    if entry is None:
        return unregistered(where, "image", kind, name, registry, download, places)
    if entry.kind != kind:
        raise InputError(f"{where}: {name} is a {entry.kind}, wanted a {kind}")
    return _registered(where, entry.step or "image", entry, download, places)


def _registered(where: str, step: str, entry: Entry, download: bool, places: Places) -> ModelFiles:
    source, revision = entry.source, entry.revision
    parts: dict[str, Path] = {}
    if entry.name in places.local and source == "rembg":
        raise InputError(
            f"{where}: local_models names {entry.name}, which rembg finds by rules of its own, "
            f"wanted your file at models/{entry.name}/{entry.name}.onnx below REMBG_HOME"
        )
    if entry.name in places.local:
        source, revision = "local", None
        path = _given(where, places.local[entry.name])
    elif source == "embedded":
        folder = _EMBEDDED_NAMES.get(step, step)
        path = _embedded(where, places.embedded / folder)
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
    for name in file_names(entry):
        path = find_in_trees(entry.kind, name, places.trees, where)
        if path is not None:
            return "models_dir", path, _parts_for_shared(where, entry)
    return None


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
