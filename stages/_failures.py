"""What went wrong, in one line per asset, and how DVC is told to try passing failures again."""

from __future__ import annotations

import errno
import json
import re
import traceback
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from assets3d.errors import InputError, PassingError

FAILURES_FILE = "failures.json"
#: `input`: the person can mend it. `passing`: it may work next time. `bug`: the program is wrong.
Cause = Literal["input", "passing", "bug"]

_PASSING_ERRNO = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.ENOMEM,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.EAGAIN,
    errno.ECONNREFUSED,
    errno.ECONNRESET,
    errno.ECONNABORTED,
    errno.ENETUNREACH,
    errno.EHOSTUNREACH,
    errno.ETIMEDOUT,
    errno.ESTALE,
}
_NETWORK_PACKAGES = ("requests", "urllib3", "httpx", "httpcore", "huggingface_hub")
#: They raise errors of their own for want of memory, which share no base class.
_OWN_ERRORS = ("cv2", "onnxruntime")
_MEMORY_WORDS = (
    "out of memory",
    "bad allocation",
    "bad_alloc",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate",
    "insufficient memory",
)
#: numpy's words for a full disk, in an OSError without a number.
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")


@dataclass(frozen=True)
class Failure:
    """One asset that one step could not build.

    Attributes:
        asset: its id.
        step: the step, or `manifest`.
        cause: who can do something about it.
        message: one line: field, what was found, what was wanted.
    """

    asset: str
    step: str
    cause: Cause
    message: str

    def __str__(self) -> str:
        return f"{self.asset}: {self.step}: {self.message}"


@dataclass(frozen=True)
class Failures:
    """What a step could not do: its own failures, and the assets that an earlier step lost."""

    failed: tuple[Failure, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def passing(self) -> bool:
        """Whether trying again can help."""
        return any(f.cause == "passing" for f in self.failed)


def from_exception(asset: str, step: str, error: BaseException) -> Failure:
    """Sort an exception and make it one line."""
    cause = cause_of(error)
    message = " ".join(str(error).split())
    if cause == "bug":
        frames = traceback.extract_tb(error.__traceback__)
        place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
        message = f"{type(error).__name__}: {message}{place}"
    elif not isinstance(error, InputError | PassingError):
        message = f"{message or type(error).__name__}, will be tried again by the next dvc repro"
    return Failure(asset, step, cause, message)


def cause_of(error: BaseException) -> Cause:
    """Say whether only the person, only time or only a programmer can help.

    The exceptions that caused this one are asked too: libraries wrap a full disk in their own.
    """
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    if isinstance(error, InputError):
        return "input"
    return "passing" if any(_passes(e) for e in chain) else "bug"


def _passes(error: BaseException) -> bool:
    if isinstance(error, PassingError | MemoryError | ConnectionError | TimeoutError):
        return True
    if isinstance(error, OSError) and error.errno in _PASSING_ERRNO:
        return True
    if type(error).__name__ in {"OutOfMemoryError", "BrokenProcessPool"}:
        return True
    package = type(error).__module__.partition(".")[0]
    if isinstance(error, OSError) and package in _NETWORK_PACKAGES:
        return True
    if isinstance(error, OSError) and error.errno is None and _CUT_SHORT.search(str(error)):
        return True
    text = str(error).lower()
    speaks = isinstance(error, RuntimeError) or package in _OWN_ERRORS
    return speaks and any(words in text for words in _MEMORY_WORDS)


def write_failures(failures: Failures, folder: Path) -> None:
    """Write failures.json into a step's folder."""
    content = {"failed": [asdict(f) for f in failures.failed], "skipped": list(failures.skipped)}
    (folder / FAILURES_FILE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_failures(folder: Path) -> Failures:
    """Read a step's failures.json; a folder without one has no failures."""
    try:
        content = json.loads((folder / FAILURES_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Failures()
    failed = tuple(Failure(**entry) for entry in content["failed"])
    return Failures(failed, tuple(content["skipped"]))


def lost_items(folders: Iterable[Path]) -> dict[str, Failure | None]:
    """Return every item that steps lost, by their folders, and why where one of them says."""
    found = [read_failures(folder) for folder in folders]
    lost: dict[str, Failure | None] = {name: None for one in found for name in one.skipped}
    return lost | {failure.asset: failure for one in found for failure in one.failed}


# DVC runs a stage again only when one of its dependencies changed. Each step therefore depends on
# the folder configs/retry/<step>/, which holds nothing but a placeholder: a later stage that sees
# passing failures there puts an empty file `pending` into it, and the step takes it out again when
# it is done. dvc.lock records dependencies after a run, so it only knows the folder without the
# file: nothing of this machine gets into Git, and DVC's run cache cannot answer with the failure.
# The folder is outside runs/ because a dependency must exist even after `rm -r runs`.
RETRY_ROOT = Path("configs/retry")


def ask_again(step_folders: list[Path], retry_root: Path = RETRY_ROOT) -> None:
    """Mark every step whose last run had passing failures, so that the next `dvc repro` runs it."""
    for folder in step_folders:
        marker = retry_root / folder.name / "pending"
        if marker.parent.is_dir() and read_failures(folder).passing:
            marker.touch()


def answered(step: str, retry_root: Path = RETRY_ROOT) -> None:
    """Take a step's mark away: it has tried."""
    (retry_root / step / "pending").unlink(missing_ok=True)
