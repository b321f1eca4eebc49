"""Names that engines look for, and budgets."""

from __future__ import annotations

import pytest

from assets3d.errors import InputError
from assets3d.export.budgets import BUDGETS, budget_named, checked, warnings
from assets3d.export.engines import ENGINES, engine_named


def test_names():
    unreal, godot, generic = (ENGINES[name] for name in ("unreal", "godot", "generic"))
    assert unreal.model_name("red_mushroom") == "SM_RedMushroom"
    assert unreal.lod_name("red_mushroom", 1) == "SM_RedMushroom_LOD1"
    assert unreal.hull_name("red_mushroom", 0) == "UCX_SM_RedMushroom_00"
    assert unreal.clip_name("wolf", "walk", loops=True) == "AS_Wolf_walk"
    assert godot.hull_name("red_mushroom", 3) == "red_mushroom_03-convcolonly"
    assert godot.clip_name("wolf", "walk", loops=True) == "walk-loop"
    assert godot.clip_name("wolf", "sit", loops=False) == "sit"
    assert generic.model_name("red_mushroom") == "red_mushroom"
    assert generic.material_name("red-brick") == "red-brick"


def test_only_unreal_wants_green_down():
    assert {n for n, engine in ENGINES.items() if engine.normal_green == "down"} == {"unreal"}


@pytest.mark.parametrize("engine", ENGINES.values(), ids=lambda engine: engine.name)
def test_no_two_files_of_an_asset_share_a_name(engine):
    names = [engine.model_name("a"), *(engine.lod_name("a", n) for n in (1, 2))]
    names.append(engine.hull_file_name("a"))
    assert len(set(names)) == len(names)
    if engine.name == "unreal":  # it puts model, material and pictures of a file into one folder
        names += [engine.material_name("a"), engine.image_name("a")]
        assert len(set(names)) == len(names)
    hulls = {engine.hull_name("a", number) for number in range(6)}
    assert len(hulls) == 6


def test_unknown_names_are_one_line():
    with pytest.raises(InputError, match="engine: found 'unrael', wanted one of generic, blender"):
        engine_named("unrael")
    with pytest.raises(InputError, match="budget: found 'tiny', wanted one of mobile"):
        budget_named("tiny")


def test_budgets_grow_and_say_what_is_over():
    costs = {"triangles": 6000, "texture_px": 1024, "file_bytes": 1}
    bars = checked(costs, BUDGETS["mobile"])
    assert [bar.over for bar in bars] == [True, False, False]
    expected = ["budget mobile: triangles is 6000, wanted at most 5000"]
    assert warnings(bars, BUDGETS["mobile"]) == expected
    assert not warnings(checked(costs, BUDGETS["desktop"]), BUDGETS["desktop"])
