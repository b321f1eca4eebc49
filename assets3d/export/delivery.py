"""Copies for people to work with: never over an artist's edit, each asset whole or not at all.

A pack's folder remembers in `.delivered.json` what was put there. A file that is no longer what was
delivered was edited: it stays, and what is new lies beside it as `<name>.new.<ext>`. A folder that
somebody else made is left alone. Files are real copies: writing to them changes nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assets3d.errors import InputError

STATE_FILE = ".delivered.json"
#: Grows when the meaning of `.delivered.json` changes.
_FORMAT = 1
#: The `status` of an entry whose asset was taken away because it must not be sold.
REFUSED = "refused"
_STAGED, _REPLACED = ".delivering-", ".replaced-"


@dataclass(frozen=True)
class Delivery:
    """One asset to deliver.

    Attributes:
        asset: its id, which is its folder in the pack.
        files: name in that folder -> the file to copy.
        entry: its part of the pack's manifest, without hashes.
    """

    asset: str
    files: Mapping[str, Path]
    entry: Mapping[str, Any]


@dataclass
class State:
    """What lies in a pack: asset -> file -> sha256 as delivered, and the assets' entries."""

    files: dict[str, dict[str, str]] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def written(self, pack: Path) -> None:
        """Write it into the pack's folder, whole or not at all."""
        content = {"format": _FORMAT, "files": self.files, "entries": self.entries}
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False)
        replace_file(pack / STATE_FILE, (text + "\n").encode())


@dataclass(frozen=True)
class Outcome:
    """What delivering one asset did.

    Attributes:
        changed: whether any file was written or removed.
        lines: what a person should know, one line each.
    """

    changed: bool
    lines: tuple[str, ...] = ()


def opened(pack: Path) -> State:
    """Return what was delivered into a pack's folder, making the folder where there is none.

    Raises:
        InputError: somebody else's folder, or no folder can be there.
    """
    if pack.exists() and not pack.is_dir():
        raise InputError(f"{pack} is a file, wanted a folder or nothing there")
    pack.mkdir(parents=True, exist_ok=True)
    path = pack / STATE_FILE
    if not path.is_file():
        if any(pack.iterdir()):
            raise InputError(
                f"{pack} holds files that were not delivered here, wanted an empty folder or none; "
                "move them away or give the assets another `pack`"
            )
        return State()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        state = State(dict(content["files"]), dict(content["entries"]))
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{path} cannot be read, so edited files cannot be told from others: "
            "wanted it as it was delivered, or the folder moved away"
        ) from None
    _recovered(pack)
    return state


def deliver(pack: Path, state: State, delivery: Delivery) -> Outcome:
    """Bring one asset's folder up to date; `state` is changed and written with it.

    Raises:
        OSError: no room, no permission; the asset is then as it was.
    """
    asset, old = delivery.asset, state.files.get(delivery.asset, {})
    folder = pack / asset
    fresh = {name: file_hash(path) for name, path in delivery.files.items()}
    there = _hashes(folder)
    plan, offered, lines = _planned(asset, fresh, there, old)
    changed = plan != {name: name for name in there}
    if changed:
        _composed(pack, delivery, plan, there)
    entry = {**delivery.entry, "sha256": {f"{asset}/{n}": fresh[n] for n in sorted(fresh)}}
    if changed or old != offered or state.entries.get(asset) != entry:
        state.files[asset], state.entries[asset] = offered, entry
        state.written(pack)
    return Outcome(changed, tuple(lines))


def withdraw(pack: Path, state: State, asset: str, why: str = "its asset is gone") -> Outcome:
    """Take away an asset that is wanted no more: all but the files that somebody edited or added.

    Args:
        pack: the pack's folder.
        state: is changed and written.
        asset: its id.
        why: said of each file that stays.

    Raises:
        OSError: no permission.
    """
    folder = pack / asset
    old, there = state.files.get(asset, {}), _hashes(folder)
    kept = [name for name, digest in there.items() if old.get(name) != digest]
    for name in there:
        if name not in kept:
            (folder / name).unlink()
    for path in sorted(folder.rglob("*"), reverse=True) if folder.is_dir() else ():
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    if folder.is_dir() and not kept:
        folder.rmdir()
    state.files.pop(asset, None)
    state.entries.pop(asset, None)
    state.written(pack)
    lines = [f"{asset}/{name} was edited or added by hand and stays; {why}" for name in kept]
    return Outcome(len(kept) < len(there), tuple(lines))


def refuse(pack: Path, state: State, asset: str, reason: str) -> Outcome:
    """Take away an asset that must not be sold; its entry stays and says so.

    Args:
        pack: the pack's folder.
        state: is changed and written.
        asset: its id; one that was never delivered is passed over.
        reason: which licence, in one line.

    Raises:
        OSError: no permission.
    """
    entry = state.entries.get(asset)
    if entry is None:
        return Outcome(False)
    outcome = withdraw(pack, state, asset, "its licence is refused")
    state.entries[asset] = _refused_entry(entry, pack, reason)
    state.written(pack)
    told = f"{asset} must not be sold and is taken away: {reason}"
    return Outcome(outcome.changed, (*((told,) if outcome.changed else ()), *outcome.lines))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file under another name first, then rename it; leave it where it is the same."""
    if path.is_file() and path.read_bytes() == content:
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def deliver_file(pack: Path, state: State, name: str, content: bytes) -> Outcome:
    """Write a file of the pack itself, beside an edited one as `<name>.new.<ext>`.

    Raises:
        OSError: no room, no permission.
    """
    own = state.files.setdefault("", {})
    path, digest = pack / name, hashlib.sha256(content).hexdigest()
    there = file_hash(path) if path.is_file() else None
    edited = there not in (None, digest, own.get(name))
    if edited and own.get(name) == digest:
        return Outcome(False)
    target = path.with_name(beside(path.name)) if edited else path
    changed = there != digest
    replace_file(target, content)
    own[name] = digest
    line = f"{name} was edited by hand and stays; the new one is {target.name}"
    return Outcome(changed, (line,) if edited else ())


def beside(name: str) -> str:
    """Return what the new version of an edited file is called: `a.glb` -> `a.new.glb`."""
    path = Path(name)
    return path.with_name(f"{path.stem}.new{path.suffix}").as_posix()


def file_hash(path: Path) -> str:
    """Return the sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _planned(
    asset: str, fresh: Mapping[str, str], there: Mapping[str, str], old: Mapping[str, str]
) -> tuple[dict[str, str | None], dict[str, str], list[str]]:
    """Decide what the folder shall hold.

    Args:
        asset: for the lines.
        fresh: what is delivered now, with hashes.
        there: what lies there now.
        old: what was delivered last.

    Returns:
        Name -> the name it has there now, or None for a copy of the new file (`a.new.glb` is a copy
        of `a.glb`); what counts as delivered from now on; lines.
    """
    plan: dict[str, str | None] = {}
    offered, lines = dict(fresh), []
    for name, digest in fresh.items():
        found = there.get(name)
        if found == digest:
            plan[name] = name
        elif found is None or found == old.get(name):
            plan[name] = None
        else:
            plan[name] = name
            spare = beside(name)
            if old.get(name) == digest:
                # Said and laid beside it before; whether that is still there is up to the person.
                if spare in there:
                    plan[spare] = spare
                    offered |= {spare: old[spare]} if spare in old else {}
            else:
                plan[spare], offered[spare] = None, digest
                if spare in there and there[spare] != old.get(spare):
                    plan[spare] = spare  # it was worked on as well
                lines.append(f"{asset}/{name} was edited by hand and stays; the new one is {spare}")
    for name, found in there.items():
        if name in plan or found == old.get(name):
            continue
        plan[name] = name
        if name in old:
            lines.append(f"{asset}/{name} was edited by hand and stays; it is made no more")
    return plan, offered, lines


def _composed(
    pack: Path, delivery: Delivery, plan: Mapping[str, str | None], there: Mapping[str, str]
) -> None:
    """Build the folder under another name and put it in the place of the old one."""
    folder = pack / delivery.asset
    staged, replaced = pack / f"{_STAGED}{delivery.asset}", pack / f"{_REPLACED}{delivery.asset}"
    sources = {**{beside(name): path for name, path in delivery.files.items()}, **delivery.files}
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir()
        for name, kept in plan.items():
            target = staged / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if kept is None:
                shutil.copyfile(sources[name], target)
            else:
                _linked(folder / kept, target)
        if folder.exists():
            folder.rename(replaced)
        staged.rename(folder)
    except OSError:
        shutil.rmtree(staged, ignore_errors=True)
        if replaced.exists() and not folder.exists():
            replaced.rename(folder)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _linked(source: Path, target: Path) -> None:
    """Give a file that stays its place in the new folder; its time stays too."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def _recovered(pack: Path) -> None:
    """Clear up what a run that was killed left."""
    for path in pack.glob(f"{_STAGED}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in pack.glob(f"{_REPLACED}*"):
        folder = pack / path.name.removeprefix(_REPLACED)
        if folder.exists():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.rename(folder)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}


def stale_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of an asset whose last export failed: its files are an earlier one's."""
    if entry["status"] == REFUSED:
        return dict(entry)  # it has no files, or only edited ones
    line = "the last export failed: these are the files of an earlier one"
    warnings: Sequence[str] = entry["warnings"]
    return {**entry, "status": "warned", "warnings": list(dict.fromkeys([*warnings, line]))}


def _refused_entry(entry: Mapping[str, Any], pack: Path, reason: str) -> dict[str, Any]:
    """Return the entry of an asset that must not be sold: of its files only what stayed."""
    files = {role: path for role, path in entry["files"].items() if (pack / path).is_file()}
    return {
        **entry,
        "status": REFUSED,
        "commercial": entry["commercial"] and False,  # null stays null: nobody checked
        "files": files,
        "bytes": sum((pack / path).stat().st_size for path in files.values()),
        "sha256": {},
        "warnings": [f"licence: taken away: {reason}"],
    }
