"""Models that are named directly: by a path, by a file name in `models_dir`, by a repository."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.models.entry import HUB_ID, Entry
from assets3d.models.files import ModelFiles, data_files
from assets3d.models.places import Places, Registry, entry_of
from assets3d.models.snapshots import commit_of, hub_model
from assets3d.models.trees import FOLDERS, file_names, find_in_trees, nearest_names
from assets3d.weight_files import refuse_pickle


def unregistered(
    where: str,
    step: str,
    kind: str,
    name: str,
    registry: Registry,
    download: bool,
    places: Places,
) -> ModelFiles:
    """Find a model that is not in the registry; see `resolve.resolve`.

    Args:
        where: field that messages begin with.
        step: the pipeline step.
        kind: one of `entry.KINDS`.
        name: a path, a file name in `models_dir`, or `owner/name`.
        registry: for the licence of a model that is named by its file or repository.
        download: fetch what is not on this machine.
        places: where to look.

    Raises:
        InputError: found nowhere, or a pickle.
        PassingError: the download failed.
    """
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
        entry = entry_of(name, registry)
        assert entry is not None
        names = file_names(entry)
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
