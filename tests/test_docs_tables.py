"""The tables in docs/ say what the code says."""

import subprocess
import sys
from pathlib import Path

import pytest

from assets3d.images.families import FAMILIES
from assets3d.images.samplers import names
from tools.docs_tables import ROOT, TABLES, stale, with_tables

DOCS = ROOT / "docs"


def _check(folder: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tools.docs_tables", "--check", "--docs", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_pages_are_current():
    assert stale(DOCS) == {}, "run python -m tools.docs_tables --write"


def test_the_pages_name_every_sampler_and_family():
    samplers = (DOCS / "samplers.md").read_text(encoding="utf-8")
    assert [name for name in names() if f"| {name} |" not in samplers] == []
    families = (DOCS / "families.md").read_text(encoding="utf-8")
    assert all(families.count(f"| `{family.name}` |") == 2 for family in FAMILIES)


def test_a_change_in_a_table_is_found_and_put_right_and_the_rest_is_left(tmp_path):
    page = tmp_path / "page.md"
    text = (DOCS / "families.md").read_text(encoding="utf-8")
    page.write_text("Mine.\n" + text.replace("| 1024 px |", "| 1000 px |"), encoding="utf-8")
    answer = _check(tmp_path)
    assert answer.returncode == 1
    assert "not current: page.md" in answer.stderr
    assert stale(tmp_path) == {page: "Mine.\n" + text}


def test_every_table_is_made_the_same_again():
    for name in TABLES:
        once = with_tables(f"<!-- table: {name} -->\n<!-- end of table -->\n", "page.md")
        assert once.count("\n| --- |") == 1
        assert with_tables(once, "page.md") == once


def test_the_full_profiles_table_has_every_model_that_is_fetched(monkeypatch):
    from stages._harness import read_params
    from stages._models_verbs import named_models
    from stages._step import ITEM_STEPS

    monkeypatch.chdir(ROOT)
    profile, table = ROOT / "configs/profiles/full.yaml", TABLES["full-profile"]()
    for step in ITEM_STEPS:
        for name in named_models(step, read_params(profile, step)):
            assert f"| {step} | `{name}` |" in table


def test_a_table_that_does_not_exist():
    with pytest.raises(SystemExit, match=r"page\.md: no table 'smaplers', wanted one of samplers"):
        with_tables("<!-- table: smaplers -->\n<!-- end of table -->\n", "page.md")
