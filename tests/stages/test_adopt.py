"""What `dvc pull` brought is taken into the store; what is not as its record says is not."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from stages import _keys
from stages._adopt import adopt
from stages._progress import time_left
from stages._store import Store
from tests.stages.conftest import STEPS

ASSETS = {"crate": {"prompt": "a crate", "seed": 1}, "axe": {"prompt": "an axe", "seed": 2}}


@pytest.fixture
def pulled(project, monkeypatch):
    """Return a project with the steps' folders, without a store and the state of any run."""
    project.write_manifest(ASSETS)
    project.stages()
    for name in (".store", ".state"):
        shutil.rmtree(project.root / "runs" / name)
    monkeypatch.chdir(project.root)
    monkeypatch.setattr(_keys, "CODE_ROOT", project.root)
    return project


def take(project) -> dict[str, int]:
    runs = project.root / "runs"
    return adopt(runs, Store(runs / ".store"))


def test_everything_pulled_is_reused(pulled):
    before = pulled.files("mesh")
    assert take(pulled) == dict.fromkeys(STEPS, 2)
    assert take(pulled) == {}
    pulled.write_manifest({**ASSETS, "axe": {"prompt": "an axe", "seed": 3}})
    last = pulled.stages()
    assert all(re.search(r"built 1, reused 1, failed 0", line) for line in last.values())
    assert pulled.files("mesh").keys() == before.keys()
    assert take(pulled) == {}  # nothing is younger than the last run


def test_what_is_not_as_its_record_says_is_left(pulled):
    runs = pulled.root / "runs"
    damaged = runs / "image/axe/image.png"
    damaged.unlink()  # not through the link
    damaged.write_bytes(b"nonsense")
    (runs / "cutout/axe/more.txt").write_text("not listed")
    record = json.loads((runs / "views/axe/record.json").read_text())
    (runs / "views/axe/record.json").unlink()
    (runs / "views/axe/record.json").write_text(json.dumps({**record, "seed": 9, "spec": {}}))
    (runs / "splats/axe/record.json").unlink()
    assert take(pulled) == {step: 2 if step == "mesh" else 1 for step in STEPS}


def test_other_code_has_other_keys(pulled):
    code = pulled.root / "stages/mesh.py"
    code.write_text(code.read_text() + "# changed\n")
    assert take(pulled) == {step: 2 for step in STEPS if step != "mesh"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (42.4, "42 s"), (89, "89 s"), (95, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_time_left_is_as_fine_as_it_is_known(seconds, words):
    assert time_left(seconds) == words
