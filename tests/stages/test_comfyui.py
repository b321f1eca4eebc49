"""A saved ComfyUI graph becomes an entry that the manifest takes; what is lost is said."""

from __future__ import annotations

import json

import pytest
import yaml

from stages._comfyui import import_graph
from stages.manifest import check_entry, read_manifest
from tests.textures.graphs import texture_graph


@pytest.fixture
def graph(tmp_path):
    def write(**options):
        path = tmp_path / "graph.json"
        path.write_text(json.dumps(texture_graph(**options)))
        return str(path)

    return write


def test_words_become_an_entry(graph, capsys):
    assert import_graph([graph(), "--name", "moss"]) == 0
    printed = capsys.readouterr()
    entry = yaml.safe_load(printed.out)["moss"]
    check_entry("moss", entry)
    assert (entry["prompt"], entry["seed"], entry["size_px"]) == ("moss", 77, 512)
    assert (entry["mode"], entry["period_px"], entry["canvas_px"]) == ("canvas", 512, 640)
    assert entry["sampling"]["steps"] == 6
    assert "left out: checkpoint model.safetensors" in printed.err


def test_the_published_numbers_are_the_exact_mode(graph, capsys):
    assert import_graph([graph(size=1024, period=1020, canvas=1276)]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["imported"]["mode"] == "workflow-exact"


def test_odd_lengths_become_what_can_be_built_and_are_said(graph, capsys):
    assert import_graph([graph(size=1024, period=1018, canvas=1274)]) == 0
    printed = capsys.readouterr()
    entry = yaml.safe_load(printed.out)["imported"]
    check_entry("moss", entry)
    assert (entry["mode"], entry["period_px"], entry["canvas_px"]) == ("canvas", 1016, 1272)
    assert "left out: period_px 1018" in printed.err and "canvas_px 1274" in printed.err


def test_an_entry_is_added_to_a_manifest(graph, tmp_path):
    manifest = tmp_path / "assets.yaml"
    manifest.write_text("# mine\n")
    assert import_graph([graph(), "--name", "moss", "--add", str(manifest)]) == 0
    assert manifest.read_text().startswith("# mine\n")
    assert read_manifest(manifest).assets["moss"].words == "prompt: moss"


def test_another_file_is_one_line(tmp_path, capsys):
    (tmp_path / "other.json").write_text("{}")
    assert import_graph([str(tmp_path / "other.json")]) == 1
    assert capsys.readouterr().err.count("\n") == 1
