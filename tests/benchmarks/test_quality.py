import json

import numpy as np
import pytest

from benchmarks.quality.__main__ import SECTIONS, merge, summarise


def test_sections_are_merged_and_others_kept(tmp_path):
    path = tmp_path / "results" / "quality.json"
    merge(path, "mesh", {"known": {"f": 1}})
    merge(path, "fit", {"known": {"psnr_db": 2}})
    merge(path, "mesh", {"known": {"f": 3}})
    content = json.loads(path.read_text())
    assert content == {"fit": {"known": {"psnr_db": 2}}, "mesh": {"known": {"f": 3}}}
    assert [p.name for p in path.parent.iterdir()] == ["quality.json"]


def test_measures_are_summarised_by_name():
    rows = [{"a": float(i), "b": 1.0} for i in range(11)]
    assert summarise(rows)["a"] == {"mean": 5.0, "p10": 1.0, "count": 11}
    assert summarise([]) == {}


def test_every_section_names_a_module_and_a_function():
    assert all(place.count(":") == 1 for place in SECTIONS.values())


def test_cases_cover_all_families_with_benchmark_seeds_only():
    pytest.importorskip("assets3d.props.catalogue")
    from assets3d.props import FAMILIES, HELD_OUT_FAMILIES
    from benchmarks.quality.protocol import FIRST_SEED, cases

    found = cases(64)
    assert {case.family for case in found} == set(FAMILIES)
    assert all(case.seed >= FIRST_SEED for case in found)
    assert all(case.held_out == (case.family in HELD_OUT_FAMILIES) for case in found)
    assert sum(not case.held_out for case in found) == 64


def test_scoring_cameras_cover_each_elevation_from_four_sides_and_are_unseen():
    from benchmarks.quality.protocol import fit_cameras, unseen_cameras

    positions = unseen_cameras(64).positions
    assert len(np.unique(positions.round(6), axis=0)) == 16
    heights, counts = np.unique(positions[:, 1].round(6), return_counts=True)
    assert len(heights) == 4 and (counts == 4).all()
    gaps = np.linalg.norm(positions[:, None] - fit_cameras(64).positions, axis=-1)
    assert gaps.min() > 0.1
