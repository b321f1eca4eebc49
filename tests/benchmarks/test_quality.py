import json

import numpy as np
import pytest

from benchmarks.quality.__main__ import main, merge, summarise
from benchmarks.quality.photographs import CARRIED, SEEDS, photographs
from benchmarks.quality.scored import Scored
from benchmarks.quality.sections import SECTIONS, Section


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


def test_every_section_names_a_function_and_has_cases_and_a_digest():
    for section in SECTIONS.values():
        assert callable(section.score)
        found = section.cases(8)
        names = [case.name for case in found]
        assert names and len(set(names)) == len(names)
        assert len(section.code()) == 64


def test_held_out_families_are_scored_wherever_there_is_a_truth():
    groups = {name: {case.group for case in s.cases(8)} for name, s in SECTIONS.items()}
    assert groups.pop("image") == {"known"}
    assert groups.pop("photographs") == groups.pop("photograph_cutouts") == {"all"}
    assert all(found == {"known", "held_out"} for found in groups.values())


def test_every_listed_photograph_is_a_colour_picture_that_an_installed_package_carries():
    from assets3d.images.picture import read_picture

    found = photographs()
    assert len(found) == len(CARRIED) * len(SEEDS)
    for path in {photograph.path for photograph in found}:
        picture = read_picture(path)
        assert picture.shape[2] == 3
        assert np.ptp(picture.astype(int), axis=2).mean() > 5.0


def test_outlines_drawn_by_hand_lie_in_their_photographs():
    from assets3d.images.picture import read_picture
    from benchmarks.quality import cutouts

    outlines = json.loads(cutouts.OUTLINES.read_text())
    assert outlines.keys() == CARRIED.keys()
    for photograph in cutouts.photographs_once():
        height, width = read_picture(photograph.path).shape[:2]
        corners = np.array(outlines[photograph.title])
        assert (corners >= 0).all() and (corners <= (width, height)).all()


def test_rows_outlive_a_killed_run_of_the_same_code_only(tmp_path):
    path = tmp_path / "runs" / "fit.jsonl"
    scored = Scored(path, "one", resume=True)
    assert scored.find("mug/1") is None
    scored.add("mug/1", {"psnr_db": 30.0})
    scored.add("mug/2", {"psnr_db": 31.0})
    path.write_text(path.read_text()[:-5])  # killed in the middle of a line
    again = Scored(path, "one", resume=True)
    assert again.find("mug/1") == {"psnr_db": 30.0}
    assert again.find("mug/2") is None
    again.add("mug/2", {"psnr_db": 32.0})
    assert Scored(path, "one", resume=True).find("mug/2") == {"psnr_db": 32.0}
    assert Scored(path, "two", resume=True).find("mug/1") is None
    Scored(path, "two", resume=True).add("mug/1", {"psnr_db": 1.0})
    assert Scored(path, "two", resume=False).find("mug/1") is None


def test_a_section_runs_alone_resumes_and_keeps_the_others(tmp_path, monkeypatch, capsys):
    from benchmarks.quality.protocol import cases

    asked = []

    def score(case):
        asked.append(case.name)
        if len(asked) == 5:
            raise KeyboardInterrupt
        return {"value": float(len(case.name))}

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("benchmarks.quality.splats.fit_24_views", score)
    monkeypatch.setitem(SECTIONS, "fit", Section("benchmarks.quality.splats:fit_24_views", cases))
    merge(tmp_path / "quality.json", "mesh", {"known": {}})
    arguments = ["--only", "fit", "--count", "8", "--resume", "--out", "quality.json"]
    with pytest.raises(KeyboardInterrupt):
        main(arguments)
    main(arguments)
    content = json.loads((tmp_path / "quality.json").read_text())
    assert content["mesh"] == {"known": {}}
    assert content["fit"]["known"]["value"]["count"] == 8
    assert content["fit"]["held_out"]["value"]["count"] >= 2
    assert content["fit"]["machine"]["cores"] >= 1
    assert content["fit"]["kept_cases"] == 4
    # Four were kept; the fifth was asked for twice.
    assert len(asked) == len(content["fit"]["cases"]) + 1
    assert '"cases":' not in capsys.readouterr().out


def test_the_pipelines_own_settings_are_scored():
    from benchmarks.quality.protocol import embedded_profile
    from benchmarks.quality.splats import fit_settings

    section = embedded_profile("splats")
    found = fit_settings()
    assert (found["count"], found["steps"]) == (section["count"], section["steps"])


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
