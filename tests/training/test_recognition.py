"""The recogniser's training: it learns, it spoils pictures in bounds, the judge loads it."""

from __future__ import annotations

import numpy as np
import torch

from assets3d.images.recognition import load_judge
from training.recognition import main, varied


def write_pictures(folder):
    """Red discs and blue bars, in the format of training.pictures."""
    rows, columns = np.mgrid[:32, :32] - 15.5
    shapes = {"disc": rows**2 + columns**2 < 100, "bar": abs(columns) < 3}
    for split, count, first in (("training", 8, 0), ("validation", 4, 990_000)):
        rgba = np.zeros((2 * count, 32, 32, 4), np.uint8)
        rgba[:count, shapes["disc"]] = (200, 30, 30, 255)
        rgba[count:, shapes["bar"]] = (30, 30, 200, 255)
        names = np.repeat(["disc", "bar"], count)
        captions = np.repeat(names[:, None], 9, 1)
        seeds = np.arange(first, first + 2 * count)
        np.savez(
            folder / f"{split}_props.npz", rgba=rgba, families=names, captions=captions, seeds=seeds
        )


def test_it_learns_and_the_judge_reads_what_it_wrote(tmp_path):
    write_pictures(tmp_path)
    weights = tmp_path / "choose"
    options = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--batch", "8"]
    main([*options, "--steps", "30", "--warm-up", "5", "--export", str(weights)])
    judge = load_judge(weights)
    disc = np.load(tmp_path / "validation_props.npz")["rgba"][0]
    assert judge(disc, "a disc") > 0.8 > 0.3 > judge(disc, "a bar")
    assert "2 families" in (weights / "README.md").read_text()


def test_spoilt_pictures_stay_pictures_and_their_ground_white():
    seen = torch.ones(16, 4, 64, 64)
    seen[:, 3] = -1.0
    seen[:, :, 24:40, 24:40] = torch.tensor([0.5, -0.5, -0.5, 1.0])[:, None, None]
    found = varied(seen, torch.Generator().manual_seed(0))
    assert found.shape == seen.shape
    torch.testing.assert_close(found[:, :, 0, 0], seen[:, :, 0, 0])
    assert (found[:, 3].abs() <= 1.0).all()
    assert not torch.equal(found[0], found[1])
    again = varied(seen, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, again, rtol=0, atol=0)
