"""Files from the Hugging Face Hub: found in the local cache, fetched only where that is allowed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from assets3d.errors import InputError, PassingError

#: Files of a diffusers folder; single-file checkpoints at the top of a repository are left out.
DIFFUSERS_FILES = ("model_index.json", "*/*.json", "*/*.txt", "*/*.model", "*/*.safetensors")


def hub_folder(
    where: str, repo: str, revision: str | None, patterns: Sequence[str], *, download: bool
) -> Path:
    """Return the local folder of a Hub repository's snapshot.

    Raises:
        InputError: it is not on this machine and `download` is off, or no such repository.
        PassingError: the network failed.
    """
    from huggingface_hub import snapshot_download

    fetch = functools.partial(
        snapshot_download,
        repo,
        revision=revision,
        allow_patterns=list(patterns),
        local_files_only=not download,
    )
    return _from_hub(where, repo, download, fetch)


def hub_file(where: str, repo: str, file: str, revision: str | None, *, download: bool) -> Path:
    """Return the local path of one file of a Hub repository; errors as for `hub_folder`."""
    from huggingface_hub import hf_hub_download

    fetch = functools.partial(
        hf_hub_download, repo, file, revision=revision, local_files_only=not download
    )
    return _from_hub(where, f"{repo} {file}", download, fetch)


def _from_hub(where: str, what: str, download: bool, fetch: Callable[[], str]) -> Path:
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        return Path(fetch())
    except LocalEntryNotFoundError as error:
        if download:
            raise PassingError(
                f"{where}: {what} could not be fetched ({one_line(error)})"
            ) from None
        raise InputError(
            f"{where}: {what} is not on this machine, wanted it fetched: `hf download {what}` "
            "(or `download: true` in the profile)"
        ) from None
    except (
        RepositoryNotFoundError,
        RevisionNotFoundError,
        EntryNotFoundError,
        HFValidationError,
    ) as error:
        raise InputError(f"{where}: {what} is not on the Hub ({one_line(error)})") from None
    except OSError as error:
        raise PassingError(f"{where}: {what} could not be fetched ({one_line(error)})") from None


def one_line(error: Exception) -> str:
    """Return an error's text as one line of bounded length."""
    return " ".join(str(error).split())[:160]
