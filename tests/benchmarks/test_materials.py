"""The seams of any files, what their names say they hold, and the sections of the benchmark."""

import json
from pathlib import Path

import numpy as np
import pytest

from assets3d.images.picture import write_png
from assets3d.textures.encoding import height_range, normal_codes
from assets3d.textures.map_files import png_bytes
from assets3d.textures.seams import SeamReport
from benchmarks.materials import calibration, large, truth
from benchmarks.materials.__main__ import SECTIONS, main
from benchmarks.materials.backend import predictor
from benchmarks.materials.files import kind_of_name, values_of_file
from benchmarks.materials.samples import Sample, samples
from benchmarks.materials.seams import agreement_of, joined, summary
from benchmarks.materials.tiles import MODES, NEEDS_NETWORK, tile_maker
from tests.textures.reliefs import noise_height
from training.seeds import FIRST_BENCHMARK_SEED

GRAVEL = Sample("gravel", FIRST_BENCHMARK_SEED)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Bricks101_1K-PNG_Color.png", "colour"),
        ("Bricks101_1K-PNG_NormalGL.png", "normal"),
        ("Bricks101_1K-PNG_AmbientOcclusion.jpg", "scalar"),
        ("Bricks101_1K-PNG_Displacement.png", "height"),
        ("rough_plaster_diff_4k.jpg", "colour"),
        ("rough_plaster_nor_dx_4k.png", "normal"),
        ("rough_plaster_arm_4k.png", "scalar"),
        ("T_OldBrick_N.png", "normal"),
        ("T_OldBrick_ORM.png", "scalar"),
        ("mossy_rock_basecolor.png", "colour"),
        ("mossy_rock_normal_gl.png", "normal"),
        ("mossy_rock_height.png", "height"),
        ("normal-map.png", "normal"),
        ("bump-map.png", "height"),
        ("color-map.png", "colour"),
        ("holiday.jpg", "colour"),
    ],
)
def test_names_say_what_a_file_holds(name, kind):
    assert kind_of_name(name) == kind


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write a perfect tile's maps, and the same cut."""
    folder = tmp_path_factory.mktemp("maps")
    material = GRAVEL.material(128)
    maps = {
        "color": GRAVEL.tile(128),
        "normal": normal_codes(material.normals, 16),
        "height": height_range(material.height_m).codes(material.height_m),
    }
    for name, codes in maps.items():
        (folder / f"whole_{name}.png").write_bytes(png_bytes(codes))
        (folder / f"cut_{name}.png").write_bytes(png_bytes(codes[:118, :120]))
    return folder


def test_files_that_tile_pass_and_cut_ones_are_flagged(files, capsys, tmp_path):
    paths = sorted(map(str, files.iterdir()))
    assert main([*paths, "--out", str(tmp_path / "new" / "seams.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:4] == ["file", "kind", "px", "seam_nb"]
    verdicts = {Path(line.split()[0]).name: line for line in lines[1:]}
    assert len(verdicts) == 6
    for name, line in verdicts.items():
        assert line.endswith("tiles") == name.startswith("whole"), line
    assert "120x118" in verdicts["cut_height.png"]
    rows = json.loads((tmp_path / "new" / "seams.json").read_text())
    kinds = [row["kind"] for row in rows]
    assert kinds == ["colour", "height", "normal"] * 2
    assert rows[0]["exceeded"] and not rows[-1]["exceeded"]
    assert rows[0]["limits"] == {"seam_nb": 2.4, "seam_local": 4.1}


def test_a_kind_that_is_given_beats_the_name(files, capsys):
    assert main([str(files / "cut_normal.png"), "--kind", "colour"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[1] == "colour"


def test_maps_keep_their_depth_and_normals_become_unit_vectors(files, tmp_path):
    heights = values_of_file(files / "whole_height.png", "height")
    assert len(np.unique(heights)) > 256
    normals = values_of_file(files / "whole_normal.png", "normal")
    np.testing.assert_allclose(np.linalg.norm(normals, axis=2), 1.0, atol=1e-5)
    write_png(tmp_path / "grey.png", np.full((8, 8, 3), 51, np.uint8))
    assert values_of_file(tmp_path / "grey.png", "height").shape == (8, 8)


def test_a_file_that_is_not_there_is_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "no.png")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_samples_are_of_every_family_and_no_training_has_seen_them():
    found = samples(50)
    assert len({sample.family for sample in found}) == 21
    assert len({sample.name for sample in found}) == 50
    assert min(sample.seed for sample in found) == FIRST_BENCHMARK_SEED
    cropped = GRAVEL.cropped(96)
    assert cropped.shape[1] == 96 and cropped.shape[0] not in (96, round(96 / 0.83))


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode not in NEEDS_NETWORK])
def test_each_mode_but_circular_makes_a_tile_without_a_network(mode):
    make, said = tile_maker("stand-in")
    tile = make(mode, GRAVEL, 128)
    assert tile.shape == (128, 128, 3) and tile.dtype == np.uint8
    assert said["painter"] == "stand-in"


def test_maps_agree_at_16_bits_and_disagreement_is_seen():
    material = GRAVEL.material(64)
    found = agreement_of(material)
    assert found["agreement_deg"] < 0.01 and found["tilt"] < 1e-4 and found["curl_share"] < 1e-6
    turned = agreement_of(type(material)(**{**vars(material), "normals": material.normals[::-1]}))
    assert turned["agreement_deg"] > 1.0


def _row(seam_nb, rolled=1.0):
    row = {}
    for kind in ("colour", "normal", "height"):
        row[kind] = vars(SeamReport(seam_nb, 1.0, 1.0, 0.5, 1.0, 1.0))
        row[f"{kind} rolled"] = vars(SeamReport(rolled, 1.0, 1.0, 0.5, 1.0, 1.0))
    return row


def test_a_mode_holds_by_share_by_its_worst_and_against_its_rolls():
    assert summary([_row(1.0)] * 50)["holds"]
    assert summary([_row(1.0)] * 47 + [_row(2.5)] * 3)["height"]["seam_nb"]["holds"]
    few = summary([_row(1.0)] * 45 + [_row(2.5)] * 5)
    assert few["colour"]["seam_nb"]["held_share"] == 0.9 and not few["holds"]
    assert not summary([_row(1.0)] * 49 + [_row(4.5)])["height"]["seam_nb"]["holds"]
    assert not summary([_row(1.0, rolled=0.85)] * 50)["holds"]


def test_maps_are_scored_beside_both_baselines():
    rows = [truth.score(predictor("luminance"), s, 64)[0] for s in samples(7)]
    found = truth.compared(rows)
    assert set(found["sets"]) >= {"held_out", "known"}
    assert set(found["families"]) == {sample.family for sample in samples(7)}
    for numbers in found["families"].values():
        # A gain of 0 is the flat surface, so the best gain is never worse.
        assert numbers["luminance_deg"] <= numbers["flat_deg"] + 1e-4
        assert numbers["normals_deg"] >= numbers["luminance_deg"] - 1.0
    held_out = found["sets"]["held_out"]
    better = min(held_out["flat_deg"], held_out["luminance_deg"])
    assert held_out["holds"] == (held_out["normals_deg"] <= 0.9 * better)
    assert found["sets"]["known"]["materials"] == 5


def test_calibration_tells_perfect_tiles_from_cut_ones():
    reports = calibration.reports_of(noise_height(128, 0), "height", 0)
    found = calibration.shares("height", {state: [report] for state, report in reports.items()})
    assert found["perfect_pass"] == {"seam_nb": 1.0, "seam_local": 1.0}
    assert found["cropped_detected"]["either"] == 1.0
    assert reports["partial"].seam_local > 1.5 * reports["perfect"].seam_local


def test_a_large_tile_reports_its_memory(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["large", "--size-px", "128", "--back-end", "luminance"])
    large.main()
    found = json.loads(capsys.readouterr().out)
    assert found["size_px"] == 128
    assert 0.0 < found["peak_gb"]["picture"] <= found["peak_gb"]["maps"]


def test_sections_are_merged_and_say_where_they_are_from(tmp_path, monkeypatch, capsys):
    out = tmp_path / "materials.json"
    monkeypatch.setitem(SECTIONS, "speed", lambda given: {"patch": {"seconds": given.repeats}})
    monkeypatch.setitem(SECTIONS, "memory", lambda given: {"peak_gb": 1.0})
    main(["--only", "memory", "--out", str(out)])
    main(["--only", "speed", "--repeats", "2", "--out", str(out)])
    content = json.loads(out.read_text())
    assert set(content) == {"memory", "speed"}
    assert content["speed"]["patch"] == {"seconds": 2}
    measured = content["memory"]["measured"]
    assert {"processor", "cores", "commit", "date", "numpy", "torch"} <= set(measured)


def test_modes_measured_in_the_same_way_are_kept():
    row = {"tilt": {"worst": 2e-7, "limit": 1e-4, "holds": True}}
    worse = {"tilt": {"worst": 5e-7, "limit": 1e-4, "holds": True}}
    earlier = {"materials": 50, "modes": {"roll": 1, "patch": 2}, "agreement": worse}
    found = {"materials": 50, "modes": {"patch": 3}, "agreement": row}
    assert joined(earlier, found)["modes"] == {"roll": 1, "patch": 3}
    assert joined(earlier, found)["agreement"] == worse
    assert joined({**earlier, "materials": 4}, found) == found
    assert joined({}, found) == found
