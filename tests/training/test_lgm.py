import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from assets3d.cameras import four_views, orbit_cameras
from assets3d.views.posed import Views
from tests.training.conftest import SIZE, options
from training.data import load_props


def test_a_step_resumes_and_the_export_reconstructs(data, tmp_path, monkeypatch):
    from assets3d.splats.lgm_inference import load_lgm, reconstruct
    from training import lgm

    monkeypatch.setattr(lgm, "VALIDATION_PROPS", 1)
    for steps in (1, 2):
        lgm.main([*options(data, tmp_path / "out", steps), "--export", str(tmp_path / "lgm")])
    assert json.loads((tmp_path / "out" / "progress.json").read_text())["step"] == 2
    model = load_lgm(tmp_path / "lgm", "embedded")
    assert model.config.size_px == SIZE
    views = Views(load_props(data, "validation").rgba[0, :4], four_views(SIZE))
    assert len(reconstruct(model, views)) > 0
    assert "psnr_db_unseen" in (tmp_path / "lgm" / "README.md").read_text()


def test_spoiling_leaves_the_front_in_place_and_white_white():
    from training.lgm import on_white, spoil

    rgba = torch.zeros(4, 4, 16, 16)
    rgba[:, 3, 5:11, 5:11] = 1.0
    for seed in range(6):
        found = spoil(rgba, torch.Generator().manual_seed(seed))
        assert found.shape == (4, 3, 16, 16)
        assert (found[:, :, :2] - 1.0).abs().max() < 0.25  # noise only
        error = (found - on_white(rgba)).abs().mean((1, 2, 3))
        assert error[0] < 0.2


def test_a_mirrored_prop_is_seen_by_mirrored_cameras():
    """The unseen view's camera must mirror with its picture: a splat lands where it should."""
    from assets3d.splats.lgm_config import lgm_config
    from training.data import PropPictures
    from training.lgm import LGMTask, draw

    values = torch.zeros(1, 14)
    values[0] = torch.tensor([0.2, 0.1, 0.3, 0.95, 0.05, 0.05, 0.05, 1, 0, 0, 0, 0, 0, 0.0])
    orbit = np.array([[50.0, 20.0]])
    cameras = [four_views(32)[v] for v in range(4)] + [orbit_cameras([50.0], [20.0], 32)]
    alpha = np.stack([draw(values, camera).alpha.numpy() for camera in cameras])
    rgba = np.zeros((1, 5, 32, 32, 4), np.uint8)
    rgba[0, ..., 3] = np.round(255 * alpha)
    names = np.array(["disc"])
    props = PropPictures(rgba, names, np.array([0]), names[:, None], orbit)
    config = replace(lgm_config("embedded"), size_px=32)
    task = LGMTask(props, props, config, batch=1, device="cpu")
    mirrored = values * torch.tensor([-1.0] + [1.0] * 13)
    pictures = task._pictures(props, 0, 1)
    for camera, picture in zip(task._cameras(props, 0, 1), pictures, strict=True):
        assert (draw(mirrored, camera).alpha - picture[3]).abs().max() < 0.02


@pytest.mark.parametrize("precision", ["auto", "float32", "bf16"])
def test_half_precision_is_for_gpus_unless_asked_for(tmp_path, precision):
    from training.loop import autocast
    from training.task import Settings

    with autocast(Settings(tmp_path, precision=precision)):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)
