import numpy as np
import pytest

from tests.training.conftest import write_split
from training.data import load_props, main


@pytest.mark.slow
def test_two_real_props(tmp_path, capsys):
    wanted = ["--count", "2", "--validation", "1", "--workers", "1", "--out", str(tmp_path)]
    main([*wanted, "--size", "32"])
    training, validation = load_props(tmp_path, "training"), load_props(tmp_path, "validation")
    assert (len(training), len(validation)) == (2, 1)
    assert training.rgba.shape == (2, 5, 32, 32, 4)
    share = (training.rgba[..., 3] > 127).mean((2, 3))
    assert ((share > 0.02) & (share < 0.9)).all()
    assert not set(training.seeds.tolist()) & set(validation.seeds.tolist())
    assert all(caption for caption in training.captions.ravel())
    written = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")}
    main([*wanted, "--size", "32"])
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.npz")} == written
    with pytest.raises(ValueError, match="wanted"):
        main([*wanted, "--size", "64"])


def test_a_prop_of_the_benchmarks_is_not_read(tmp_path):
    from assets3d.props import HELD_OUT_FAMILIES

    write_split(tmp_path, "shard_00000.npz", 2, 1_000_000)
    with pytest.raises(ValueError, match="benchmarks"):
        load_props(tmp_path, "training")
    write_split(tmp_path, "shard_00000.npz", 2, 0)
    with np.load(tmp_path / "shard_00000.npz") as file:
        arrays = dict(file)
    arrays["families"] = np.array([HELD_OUT_FAMILIES[0]] * 2)
    np.savez_compressed(tmp_path / "shard_00000.npz", **arrays)
    with pytest.raises(ValueError, match=HELD_OUT_FAMILIES[0]):
        load_props(tmp_path, "training")


def test_nothing_rendered_yet(tmp_path):
    with pytest.raises(FileNotFoundError, match="no validation"):
        load_props(tmp_path, "validation")
