"""Files from the Hugging Face Hub: found in the local cache, fetched only where that is allowed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from assets3d.errors import InputError, PassingError

#: Files of a diffusers folder; single-file checkpoints at the top of a repository are left out.
DIFFUSERS_FILES = ("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors")


def hub_folder(
    where: str,
    repo: str,
    revision: str | None,
    patterns: Sequence[str],
    *,
    download: bool,
    force: bool = False,
) -> Path:
    """Return the local folder of a Hub repository's snapshot; what is whole here costs no network.

    Args:
        where: field that messages begin with.
        repo: `owner/name`.
        revision: a commit, None for the newest (of those in the cache, where there is one).
        patterns: of the files wanted.
        download: whether the network may be used; broken downloads are taken up where they stopped.
        force: fetch files again that are here.

    Raises:
        InputError: it is not on this machine and `download` is off, or no such repository.
        PassingError: the network failed.
    """
    from huggingface_hub import snapshot_download

    fetch = functools.partial(
        snapshot_download, repo, revision=revision, allow_patterns=list(patterns)
    )
    return _from_hub(where, repo, download, fetch, force)


def hub_file(
    where: str,
    repo: str,
    file: str,
    revision: str | None,
    *,
    download: bool,
    force: bool = False,
) -> Path:
    """Return the local path of one file of a Hub repository; as `hub_folder`."""
    from huggingface_hub import hf_hub_download

    fetch = functools.partial(hf_hub_download, repo, file, revision=revision)
    return _from_hub(where, f"{repo} {file}", download, fetch, force)


def _from_hub(
    where: str, what: str, download: bool, fetch: Callable[..., str], force: bool
) -> Path:
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        if not force:
            return Path(fetch(local_files_only=True))
    except LocalEntryNotFoundError:
        if not download:
            raise InputError(
                f"{where}: {what} is not on this machine, wanted it fetched: `assets3d models "
                f"fetch {what.partition(' ')[0]}` (or `download: true` in the profile)"
            ) from None
    return online(where, what, lambda: Path(fetch(force_download=force)))


def online(where: str, what: str, call: Callable[[], Path]) -> Path:
    """Run a call that uses the network; its many errors become one line.

    Raises:
        InputError: no such repository, revision or file, or a gated one.
        PassingError: the network failed, or the Hub did.
    """
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return call()
    except GatedRepoError:
        raise InputError(
            f"{where}: {what} is gated, wanted its licence accepted on the model's page and "
            "`hf auth login` on this machine"
        ) from None
    except OfflineModeIsEnabled:
        raise InputError(
            f"{where}: {what} is not on this machine and HF_HUB_OFFLINE is set, "
            "wanted it fetched while online"
        ) from None
    except LocalEntryNotFoundError as error:
        raise PassingError(f"{where}: {what} could not be fetched ({one_line(error)})") from None
    except (
        RepositoryNotFoundError,
        RevisionNotFoundError,
        EntryNotFoundError,
        HFValidationError,
    ) as error:
        raise InputError(
            f"{where}: {what} is not on the Hub, or closed to you ({one_line(error)}), wanted "
            "another `source`, or `hf auth login` on this machine"
        ) from None
    except Exception as error:
        if not (isinstance(error, OSError) or _is_network(error)):
            raise
        raise PassingError(f"{where}: {what} could not be fetched ({one_line(error)})") from None


def _is_network(error: Exception) -> bool:
    """Say whether an error is one of the HTTP client's own, which are no OSErrors."""
    return type(error).__module__.split(".")[0].startswith("httpx")


def one_line(error: Exception) -> str:
    """Return an error's text as one line of bounded length."""
    return " ".join(str(error).split())[:160]
