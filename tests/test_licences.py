"""No licence that forbids selling a game, and GPL only where the user named it."""

from __future__ import annotations

from email.message import Message
from pathlib import Path

from tools.licences import NAMED_EXCEPTIONS, default_install, licence_of, refused, tools_install

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "licences.md"


class Stated:
    """A distribution that states one licence."""

    version = "1"

    def __init__(self, name: str, licence: str) -> None:
        self.metadata = Message()
        self.metadata["Name"] = name
        if licence:
            self.metadata["License-Expression"] = licence


def test_the_default_install_has_only_what_may_be_there():
    dists = default_install()
    assert {"torch", "dvc", "plyfile", "rembg"} <= set(dists)
    assert refused(dists) == []


def test_a_gpl_a_non_commercial_and_an_unstated_licence_are_found():
    bad = {"a": "GPL-3.0-only", "b": "AGPL-3.0", "c": "CC-BY-NC-4.0", "d": ""}
    assert len(refused({name: Stated(name, licence) for name, licence in bad.items()})) == 4
    assert refused({"e": Stated("e", "LGPL-2.1-or-later"), "f": Stated("f", "MIT")}) == []


def test_the_table_names_everything_that_is_installed():
    named = {line.split("|")[1].strip() for line in TABLE.read_text().splitlines() if "|" in line}
    wanted = {*default_install(), *tools_install()}
    # A CUDA build of torch brings packages that the small build has not.
    missing = {name for name in wanted - named if not name.startswith(("cuda-", "nvidia-"))}
    assert missing - {"triton"} == set(), "run `make licences`"


def test_every_exception_is_installed_and_needed():
    dists = default_install()
    for name in NAMED_EXCEPTIONS:
        assert "GPL" in licence_of(dists[name]) or "General Public" in licence_of(dists[name])


def test_plyfile_is_imported_in_one_module_only():
    importing = [
        path.relative_to(ROOT).as_posix()
        for folder in (
            *("assets3d", "motion", "stages", "training"),
            *("benchmarks", "tests", "tools"),
        )
        for path in (ROOT / folder).rglob("*.py")
        if any(
            line.strip().startswith(("import plyfile", "from plyfile"))
            for line in path.read_text().splitlines()
        )
    ]
    assert set(importing) <= {"assets3d/splats/ply.py"}
