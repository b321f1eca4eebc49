"""Names that would meet are one line, with both of them, before anything is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assets3d.errors import InputError
from assets3d.export.engines import ENGINES
from stages import preflight
from stages._names import check_names, other_engines, pack_folder, shared_folders, shared_names
from stages.manifest import check_entry

PROFILES = Path(__file__).parents[2] / "configs/profiles"


def specs(**packs: str) -> dict[str, Any]:
    names = {name.replace("__", "-"): pack for name, pack in packs.items()}
    return {name: check_entry(name, {"prompt": "x", "pack": pack}) for name, pack in names.items()}


def test_a_pack_called_as_another_engines_copy():
    assets = specs(mug="assets", pan="assets-unreal", pot="kitchen")
    (line,) = shared_folders(assets, "generic")
    assert line.startswith("pack: found assets-unreal beside assets, wanted another name")
    assert "assets3d export --engine unreal" in line
    # The profile's own packs have no ending.
    assert not list(shared_folders(assets, "unreal"))
    assert pack_folder("assets", "unreal", "generic") == "assets-unreal"
    assert pack_folder("assets", "unreal", "unreal") == "assets"


def test_ids_that_one_engine_writes_alike():
    assets = specs(red__mug="a", red_mug="a", redmug="a")
    (line,) = shared_names(assets, ENGINES["unreal"])
    assert line == (
        "id: found red-mug and red_mug in pack a, wanted other ids or packs: "
        "for unreal both become M_RedMug"
    )
    assert not list(shared_names(assets, ENGINES["generic"]))
    assert not list(shared_names(specs(red__mug="a", red_mug="b"), ENGINES["unreal"]))
    assert other_engines(assets, "generic") == [line]
    assert other_engines(assets, "unreal") == []


@pytest.mark.parametrize("engine", ENGINES)
def test_an_id_that_is_the_level_or_hull_of_another(engine):
    files = {ENGINES[engine].lod_name("mug", 2), ENGINES[engine].hull_file_name("mug")}
    assert files <= ENGINES[engine].names("mug")
    clash = list(shared_names(specs(mug="a", mug_lod2="a"), ENGINES[engine]))
    assert bool(clash) == (engine in ("generic", "blender", "godot"))


def test_one_line_for_many():
    assets = specs(red__mug="a", red_mug="a", pan="a-godot")
    with pytest.raises(InputError, match=r"a-godot beside a, .*\(and 1 more\)$"):
        check_names(assets, ENGINES["unreal"], "generic")
    check_names(specs(mug="a"), ENGINES["unreal"], "generic")
    # Only what is delivered counts, and any pack that lies where it goes.
    mug = {"red_mug": assets["red_mug"]}
    with pytest.raises(InputError, match=r"a-godot beside a, .*export/a-godot$"):
        check_names(assets, ENGINES["unreal"], "generic", mug)


def test_preflight_stops_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    manifest = tmp_path / "assets.yaml"
    manifest.write_text("red-mug: {prompt: x}\nred_mug: {prompt: x}\n")
    preflight.check(manifest, "embedded", PROFILES)
    assert "red-mug and red_mug in pack assets" in capsys.readouterr().err
    manifest.write_text("mug: {prompt: x}\nmug_lod1: {prompt: x}\n")
    with pytest.raises(InputError, match="id: found mug and mug_lod1 in pack assets"):
        preflight.check(manifest, "embedded", PROFILES)
