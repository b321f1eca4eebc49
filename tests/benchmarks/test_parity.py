"""The parity command: passes on the golden numbers, fails when one is missed."""

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


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
@pytest.mark.parametrize("check", [parity.check_cameras, parity.check_ply])
def test_golden_numbers(check):
    assert [row for row in check(PARITY, "") if not row.passed] == []


@pytest.mark.slow
@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
def test_everything():
    assert [row for row in parity.run(PARITY) if not row.passed] == []
