"""Files of the Hub brought onto this machine: chosen, downloaded, and every byte of them verified.

huggingface_hub draws the progress bars and takes broken downloads up where they stopped.
"""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assets3d.errors import InputError, PassingError
from assets3d.hub import hub_folder, online
from assets3d.models.entry import Entry, Part
from assets3d.models.files import read_sha256
from assets3d.weight_files import PICKLE_SUFFIXES

_SPARE_BYTES = 512 * 2**20


@dataclass(frozen=True)
class RemoteFile:
    """One file of a repository: its name, size, and sha256 where the Hub knows it (weights)."""

    name: str
    size_bytes: int
    sha256: str | None


def downloaded(
    where: str,
    entry: Entry,
    *,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Entry:
    """Download and verify a model and its parts; return the entry at the commits that came.

    Args:
        where: what messages begin with.
        entry: the model; without a revision the newest commit comes.
        force: fetch again what is here.
        say: told, line by line, what is going on.

    Raises:
        InputError: no such repository or file, or only pickles.
        PassingError: the network failed, no room, or a file arrived damaged.
    """
    main = Part(entry.source, folder=".", revision=entry.revision)
    commits: dict[str, str] = {}
    for role, part in {"": main, **entry.parts}.items():
        patterns = entry.files if role == "" else part.files
        commits[role] = _download_part(where, entry.name, part, patterns, force, say)
    parts = {role: replace(p, revision=commits[role]) for role, p in entry.parts.items()}
    return replace(entry, revision=commits[""], parts=parts)


def _download_part(
    where: str,
    name: str,
    part: Part,
    patterns: Sequence[str],
    force: bool,
    say: Callable[[str], None],
) -> str:
    """Download and verify the files of one repository; return their commit."""
    commit, remote = list_remote(where, part.source, part.revision)
    wanted = _wanted(where, part.source, patterns, remote)
    size = sum(file.size_bytes for file in wanted)
    _check_room(where, sum(f.size_bytes for f in wanted if force or not _is_here(part, commit, f)))
    say(f"{part.source} at {commit[:12]}: {len(wanted)} files, {size / 1e9:.3g} GB")
    names = [file.name for file in wanted]
    root = hub_folder(where, part.source, commit, names, download=True, force=force)
    _verify(where, name, root, wanted)
    return commit


def _is_here(part: Part, commit: str, file: RemoteFile) -> bool:
    from huggingface_hub import constants, try_to_load_from_cache

    cache = constants.HF_HUB_CACHE
    found = try_to_load_from_cache(part.source, file.name, cache_dir=cache, revision=commit)
    return isinstance(found, str)


def list_remote(where: str, repo: str, revision: str | None) -> tuple[str, list[RemoteFile]]:
    """Return the commit that a revision means and its files, as the Hub lists them."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    found: list[RemoteFile] = []
    commits: list[str] = []

    def ask() -> Path:
        api = HfApi()
        commit = revision or str(api.repo_info(repo).sha)
        for item in api.list_repo_tree(repo, recursive=True, revision=commit):
            if isinstance(item, RepoFile):
                sha256 = item.lfs.sha256 if item.lfs is not None else None
                found.append(RemoteFile(item.path, item.size, sha256))
        commits.append(commit)
        return Path()

    online(where, repo, ask)
    return commits[0], found


def _wanted(
    where: str, repo: str, patterns: Sequence[str], remote: Sequence[RemoteFile]
) -> list[RemoteFile]:
    """Choose the files; a name that matches nothing is an error, and so are weights as pickles."""
    names = [file.name for file in remote]
    folders_of_safetensors = {_folder(n) for n in names if n.endswith(".safetensors")}
    pickles = {_folder(n): n for n in names if Path(n).suffix in PICKLE_SUFFIXES}
    chosen: dict[str, RemoteFile] = {}
    for pattern in patterns:
        found = [file for file in remote if fnmatch.fnmatchcase(file.name, pattern)]
        for folder in {_folder(pattern), *(_folder(file.name) for file in found)}:
            if folder in pickles and folder not in folders_of_safetensors:
                raise InputError(_only_pickles(where, repo, pickles[folder]))
        if not found and "*" not in pattern:
            raise InputError(
                f"{where}: {repo} has no {pattern}, wanted `files` in configs/models.yaml "
                "to name what is there"
            )
        chosen |= {file.name: file for file in found}
    if not chosen:
        raise InputError(f"{where}: {repo} has none of {', '.join(patterns)}, wanted weights there")
    return list(chosen.values())


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _only_pickles(where: str, repo: str, pickle: str) -> str:
    return (
        f"{where}: {repo} has its weights only as a pickle ({pickle}), which can run code when it "
        "is read, wanted safetensors: convert it in a sandbox without network (torch.load with "
        "weights_only=True, then safetensors.torch.save_file) and name the result under "
        "local_models in configs/pipeline.yaml"
    )


def _check_room(where: str, size_bytes: int) -> None:
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE)
    while not folder.is_dir():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < size_bytes + _SPARE_BYTES:
        raise PassingError(
            f"{where}: {free / 1e9:.1f} GB are free in the Hub's cache, wanted "
            f"{(size_bytes + _SPARE_BYTES) / 1e9:.1f} GB (HF_HOME moves the cache)"
        )


def _verify(where: str, name: str, root: Path, files: Sequence[RemoteFile]) -> None:
    """Compare every file with what the Hub said about it, reading all of it."""
    from tqdm import tqdm

    way_out = f"wanted it fetched again: `assets3d models fetch {name} --force`"
    total = sum(file.size_bytes for file in files)
    with tqdm(total=total, unit="B", unit_scale=True, desc="verify", delay=2, disable=None) as bar:
        for file in files:
            path = root / file.name
            found = path.stat().st_size
            if found != file.size_bytes:
                raise PassingError(
                    f"{where}: {file.name} has {found} of {file.size_bytes} bytes, {way_out}"
                )
            if file.sha256 is not None and read_sha256(path) != file.sha256:
                raise PassingError(
                    f"{where}: {file.name} is damaged (its sha256 is another than the Hub's), "
                    f"{way_out}"
                )
            bar.update(found)
