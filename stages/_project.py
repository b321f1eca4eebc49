"""Where things are in a project: its settings, manifest, profile, runs and store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from stages._harness import SETTINGS_FILE, STORE_FOLDER, read_params, read_settings
from stages._store import Store
from stages.manifest import Manifest, read_manifest


@dataclass(frozen=True)
class Project:
    """A project whose root is the current folder.

    Attributes:
        settings: configs/pipeline.yaml.
        runs: the folder of the steps' folders.
    """

    settings: Mapping[str, Any]
    runs: Path = Path("runs")

    @property
    def manifest_path(self) -> Path:
        """The manifest's file."""
        return Path(self.settings.get("manifest", "configs/assets.yaml"))

    @property
    def profile_path(self) -> Path:
        """The profile's file."""
        return Path("configs/profiles") / f"{self.settings.get('profile', 'embedded')}.yaml"

    @property
    def store(self) -> Store:
        """The content store."""
        return Store(self.runs / STORE_FOLDER)

    def manifest(self) -> Manifest:
        """Read the manifest."""
        return read_manifest(self.manifest_path)

    def params(self, step: str) -> dict[str, Any]:
        """Read a step's section of the profile."""
        return read_params(self.profile_path, step)


def find_project() -> Project:
    """Go to the project's root, from any folder inside it, and return the project.

    Raises:
        InputError: outside of a project.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).is_file():
            os.chdir(folder)  # paths of the manifest start at the root
            return Project(read_settings())
    raise InputError(f"found no {SETTINGS_FILE} here or above, wanted to be inside a project")
