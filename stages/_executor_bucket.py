"""A bucket between machines that share no folder: what items read and what they become.

Files lie under the sha256 of their bytes, so nothing is sent twice; `<step>/<key>.json` lists the
files of a finished item and is written last, so an item that is listed is whole. fsspec speaks to
the bucket: `s3://` and the like need its driver (s3fs, gcsfs, ...), and credentials are the
driver's own affair, never part of a setting here.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from assets3d.errors import AssetError, InputError, PassingError
from stages._executor import Work
from stages._keys import file_hash
from stages._store import ITEM_FILE, Store, discard, files_in

_FILES = "files"
_PROBES = "probes"
#: Here an object appears whole or not at all, and there are no folders to make.
_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "memory"}


@dataclass(frozen=True)
class Parcel:
    """Work whose files lie in a bucket.

    Attributes:
        work: as it was planned, on the machine that planned it.
        trees: (field of `Work`, name in there) -> file in that tree -> sha256; a person's single
            file is a tree of one file whose path is `.`.
    """

    work: Work
    trees: Mapping[tuple[str, str], Mapping[str, str]]


@dataclass(frozen=True)
class Bucket:
    """A place that all machines reach.

    Attributes:
        url: where, as fsspec names it: s3://bucket/folder.
        options: what fsspec's driver is told besides, such as an endpoint.
    """

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> str:
        """Write a probe, read it, and leave it for the workers to find; return its name.

        Raises:
            InputError: the bucket refuses, or nothing here speaks its language.
        """
        name, content = f"{_PROBES}/{uuid.uuid4().hex}", uuid.uuid4().bytes
        try:
            with self._speaking("write a probe") as (system, root):
                _write(system, f"{root}/{name}", content)
                if system.cat_file(f"{root}/{name}") != content:
                    raise OSError("it gives back other bytes than it was given")
        except AssetError as error:
            raise InputError(str(error)) from None
        return name

    def sees(self, probe: str) -> bool:
        """Tell whether a probe that another machine left can be read from here."""
        with self._speaking("read a probe") as (system, root):
            try:
                system.cat_file(f"{root}/{probe}")
            except FileNotFoundError:
                return False
            return True

    def forget(self, probe: str) -> None:
        """Take a probe away."""
        with self._speaking("remove a probe") as (system, root):
            system.rm_file(f"{root}/{probe}")

    def pack(self, work: Work) -> Parcel:
        """Bring everything that an item reads into the bucket.

        Raises:
            PassingError: the bucket refuses.
        """
        trees: dict[tuple[str, str], dict[str, str]] = {}
        for group, places in (("sources", work.sources), ("folders", work.folders)):
            for name, place in places.items():
                files = [place] if place.is_file() else files_in(place)
                trees[group, name] = {
                    path.relative_to(place).as_posix(): self.put_file(path) for path in files
                }
        return Parcel(work, trees)

    def unpack(self, parcel: Parcel, folder: Path) -> Work:
        """Fetch everything that an item reads into a folder; return the work with those places.

        Raises:
            PassingError: the bucket refuses, or a file is damaged.
        """
        places: dict[str, dict[str, Path]] = {"sources": {}, "folders": {}}
        for (group, name), files in parcel.trees.items():
            given: Path = getattr(parcel.work, group)[name]
            place = folder / group / name / given.name
            for file, digest in files.items():
                # Only names that stay below the folder.
                if ".." in PurePosixPath(file).parts or PurePosixPath(file).is_absolute():
                    raise InputError(f"{name}: found a file {file!r}, wanted one inside the folder")
                self.get_file(digest, place / file)
            places[group][name] = place
        return replace(parcel.work, sources=places["sources"], folders=places["folders"])

    def put_item(self, step: str, key: str, store: Store) -> None:
        """Bring a finished item into the bucket.

        Raises:
            PassingError: the bucket refuses.
        """
        item = store.read(step, key)
        assert item is not None, f"{step}: {key} is not in the store"
        for name in item.files:
            self.put_file(item.folder / name)
        text = (item.folder / ITEM_FILE).read_bytes()
        with self._speaking(f"take {step}/{key[:12]}") as (system, root):
            _write(system, f"{root}/{step}/{key}.json", text)

    def get_item(self, step: str, key: str, store: Store) -> bool:
        """Fetch a finished item into a store; return whether the bucket has it.

        Raises:
            PassingError: the bucket refuses, or what it has is damaged.
        """
        with self._speaking(f"give {step}/{key[:12]}") as (system, root):
            try:
                content = json.loads(system.cat_file(f"{root}/{step}/{key}.json"))
            except FileNotFoundError:
                return False
        folder = store.temporary()
        try:
            for name, (_, digest) in content["files"].items():
                self.get_file(digest, folder / name)
            store.put(step, key, content["parts"], folder, content["seconds"])
        finally:
            discard(folder)
        return True

    def put_file(self, path: Path) -> str:
        """Bring a file into the bucket, if it is not there; return the sha256 of its bytes."""
        digest = file_hash(path)
        with self._speaking(f"take {path.name}") as (system, root):
            target = _place(root, digest)
            if not system.exists(target):
                _write(system, target, path.read_bytes())
        return digest

    def get_file(self, digest: str, target: Path) -> None:
        """Fetch the file with this sha256.

        Raises:
            PassingError: the bucket refuses, or has other bytes under that name.
        """
        with self._speaking(f"give {target.name}") as (system, root):
            content = system.cat_file(_place(root, digest))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        if file_hash(target) != digest:
            raise PassingError(f"ray.store: {self} has damaged bytes of {target.name}")

    def __str__(self) -> str:
        return re.sub(r"//[^/@]*@", "//", self.url)  # a name and password stay out of messages

    @contextmanager
    def _speaking(self, what: str) -> Iterator[tuple[Any, str]]:
        """Give the file system and the folder in it; every error becomes one line."""
        try:
            from fsspec.core import url_to_fs

            system, root = url_to_fs(self.url, **self.options)
            yield system, root.rstrip("/")
        except AssetError:
            raise
        except ImportError as error:
            raise InputError(f"ray.store: {self} needs a package: {error}") from None
        except Exception as error:
            # Each driver has errors of its own, that share no base class.
            words = " ".join(str(error).split()) or "no reason given"
            name = type(error).__name__
            raise PassingError(
                f"ray.store: {self} refuses to {what} ({name}: {words}), wanted to read and write"
            ) from error


def _place(root: str, digest: str) -> str:
    # In folders: some drivers list the whole folder to find one file.
    return f"{root}/{_FILES}/{digest[:2]}/{digest}"


def _write(system: Any, path: str, content: bytes) -> None:
    protocols = {system.protocol} if isinstance(system.protocol, str) else set(system.protocol)
    if protocols & _OBJECT_STORES:
        system.pipe_file(path, content)
        return
    # In a folder a reader could meet half a file.
    system.makedirs(path.rpartition("/")[0], exist_ok=True)
    partial = f"{path}.{uuid.uuid4().hex}"
    system.pipe_file(partial, content)
    system.mv(partial, path)
