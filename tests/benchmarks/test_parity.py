"""The parity command: passes on the golden numbers, fails when one is missed."""

import functools
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import parity

PARITY = Path(__file__).parents[3] / "shared" / "parity"


def test_an_empty_folder_fails(tmp_path, capsys):
    assert parity.main([str(tmp_path)]) == 1
    assert "MISSED" in capsys.readouterr().out


def test_a_missed_tolerance_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parity, "CHECKS", (parity.check_cameras,))
    vectors = parity.frame_vectors()
    np.savez(tmp_path / "mvdream_cameras.npz", e0=vectors)
    assert parity.main([str(tmp_path)]) == 0
    np.savez(tmp_path / "mvdream_cameras.npz", e0=vectors + 2e-6)
    assert parity.main([str(tmp_path)]) == 1
    np.savez(tmp_path / "mvdream_cameras.npz", e0=np.full_like(vectors, np.nan))
    assert parity.main([str(tmp_path)]) == 1
    np.savez(tmp_path / "mvdream_cameras.npz", e0=vectors[:3])
    assert parity.main([str(tmp_path)]) == 1
    assert capsys.readouterr().out.count("MISSED") == 3


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_file_is_a_missed_row_not_a_crash(damage, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(parity, "CHECKS", (parity.check_cameras, parity.check_ply))
    path = tmp_path / "mvdream_cameras.npz"
    np.savez(path, e0=parity.frame_vectors())
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        np.savez(path, front=parity.frame_vectors())
    assert parity.main([str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert out.count("MISSED") == 2
    assert "0 of 2 within tolerance" in out


def test_a_name_that_differs_is_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "_variants", lambda: ("tiny",))
    monkeypatch.setattr(parity, "_IP_TOKENS", {})
    shapes = parity.shapes_of(lambda: parity.LGM(parity.lgm_config("tiny")))
    path = tmp_path / "lgm_tiny_keys.json"
    path.write_text(json.dumps(shapes))
    assert [row.error for row in parity.check_names(tmp_path, "")] == [0]
    shapes["conv.weight"], shapes["extra"] = [1, 2, 3], [1]
    path.write_text(json.dumps(shapes))
    assert [row.error for row in parity.check_names(tmp_path, "")] == [2]


@pytest.mark.parametrize("drawn_with", ["pepper", ""])
def test_a_salted_folder_passes_with_its_salt_only(drawn_with, tmp_path, monkeypatch):
    """The weights are salted; the inputs may be, or not."""
    monkeypatch.setattr(parity, "_IP_TOKENS", {"mvdream": 0})
    small = functools.partial(parity.MultiViewUNetConfig, channel_mult=(1, 1), num_res_blocks=1)
    monkeypatch.setattr(parity, "MultiViewUNetConfig", small)
    generator = np.random.default_rng(0)
    golden = {
        "x": generator.standard_normal((8, 4, 8, 8), dtype=np.float32),
        "timestep": np.array(500),
        "camera": parity.frame_vectors().astype(np.float32)[:4],
    }
    config = parity.MultiViewUNetConfig(model_channels=64, context_dim=128, ip_dim=0)
    network = parity.golden_network(lambda: parity.MultiViewUNet(config), "pepper")
    name = "mvdream_unet_c64"
    out = parity._views_output(network, golden, name, 0, drawn_with)
    np.savez(tmp_path / f"{name}.npz", **golden, out=out)
    assert [row.passed for row in parity.check_views(tmp_path, "pepper")] == [True]
    assert [row.passed for row in parity.check_views(tmp_path, "")] == [False]


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
@pytest.mark.parametrize("check", [parity.check_cameras, parity.check_ply])
def test_golden_numbers(check):
    assert [row for row in check(PARITY, "") if not row.passed] == []


@pytest.mark.slow
@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
def test_everything():
    assert [row for row in parity.run(PARITY) if not row.passed] == []
