"""LGM's input, its traps, and its checkpoints."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from assets3d.cameras import Cameras, four_views, orbit_cameras
from assets3d.errors import InputError
from assets3d.splats import lgm_inference
from assets3d.splats.lgm import LGM
from assets3d.splats.lgm_config import LGMConfig
from assets3d.splats.lgm_inference import (
    canonical_cameras,
    lgm_rays,
    load_lgm,
    network_input,
    reconstruct,
)
from assets3d.views.posed import Views
from benchmarks.golden import golden_network, golden_noise, golden_weight, shapes_of

PARITY = Path(__file__).parents[3] / "shared" / "parity"
TINY = LGMConfig((32, 64), (False, True), (64, 32), (True, False), size_px=16, heads=4)


@pytest.fixture(scope="module")
def network():
    return golden_network(lambda: LGM(TINY))


def _views(cameras, seed=0):
    generator = np.random.default_rng(seed)
    size = cameras.width_px
    rgba = generator.integers(0, 256, (len(cameras), size, size, 4)).astype(np.uint8)
    return Views(rgba, cameras)


@pytest.mark.parametrize(
    ("view", "row", "column", "direction", "moment"),
    [
        (0, 0, 0, (-0.382628, 0.382628, -0.840947), (-0.573942, -0.573942, 0.0)),
        (0, 128, 128, (0.001784, -0.001784, -0.999997), (0.002676, 0.002676, 0.0)),
        (1, 0, 0, (-0.840947, 0.382628, 0.382628), (0.0, -0.573942, 0.573942)),
        (2, 0, 0, (0.382628, 0.382628, 0.840947), (0.573942, -0.573942, 0.0)),
        (3, 0, 0, (0.840947, 0.382628, -0.382628), (0.0, -0.573942, -0.573942)),
    ],
)
def test_published_rays(view, row, column, direction, moment):
    rays = lgm_rays(four_views(256))[view, :, row, column]
    assert rays[:3] == pytest.approx(moment, abs=1e-6)
    assert rays[3:] == pytest.approx(direction, abs=1e-6)


@pytest.mark.skipif(not PARITY.exists(), reason="golden numbers are not here")
def test_their_positive_elevation_is_below():
    golden = np.load(PARITY / "lgm_rays_elevation20.npz")["rays"]
    azimuths = [0.0, 90.0, 180.0, 270.0]
    found = lgm_rays(orbit_cameras(azimuths, -20.0, 128))[..., ::8, ::8]
    assert found == pytest.approx(golden, abs=1e-6)
    assert np.abs(lgm_rays(orbit_cameras(azimuths, 20.0, 128))[..., ::8, ::8] - golden).max() > 0.1


def test_input_is_normalised_on_white():
    cameras = four_views(16)
    rgba = np.zeros((4, 16, 16, 4), np.uint8)
    rgba[0, 4, 5] = (255, 0, 0, 255)
    pictures = network_input(Views(rgba, cameras), 16)[0].numpy()
    assert pictures.shape == (4, 9, 16, 16)
    white = (1.0 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225])
    black = -np.array([0.485, 0.456, 0.406]) / np.array([0.229, 0.224, 0.225])
    assert pictures[1, :3, 9, 9] == pytest.approx(white, abs=1e-5)
    assert pictures[0, :3, 4, 5] == pytest.approx([white[0], black[1], black[2]], abs=1e-5)
    assert pictures[:, 3:] == pytest.approx(lgm_rays(cameras))


def test_four_views_are_canonical_already():
    cameras = four_views(16)
    moved, rotation, scale = canonical_cameras(cameras)
    assert moved.world_from_camera == pytest.approx(cameras.world_from_camera, abs=1e-12)
    assert rotation == pytest.approx(np.eye(3), abs=1e-12) and scale == pytest.approx(1.0)


def test_view_0_becomes_the_identity():
    tilted = orbit_cameras([30.0, 120.0, 210.0, 300.0], 25.0, 16, radius=3.0)
    moved, rotation, scale = canonical_cameras(tilted)
    wanted = np.eye(4)
    wanted[2, 3] = 1.5
    assert moved.world_from_camera[0] == pytest.approx(wanted, abs=1e-12)
    assert scale == pytest.approx(2.0)
    back = scale * moved.positions @ rotation.T
    assert back == pytest.approx(tilted.positions, abs=1e-12)


def test_turning_the_world_turns_the_splats(network):
    """The same pictures from turned, farther cameras give the same object, turned and larger."""
    straight = four_views(16)
    turn = orbit_cameras(50.0, 35.0, 16).world_from_camera[0, :3, :3]
    poses = straight.world_from_camera.copy()
    poses[:, :3, :3], poses[:, :3, 3] = turn @ poses[:, :3, :3], 2.0 * poses[:, :3, 3] @ turn.T
    turned = Cameras(poses, straight.intrinsics_px, 16, 16)
    first = reconstruct(network, _views(straight))
    other = reconstruct(network, _views(turned))
    assert other.position == pytest.approx(2.0 * first.position @ turn.T, abs=1e-4)
    assert other.scale == pytest.approx(2.0 * first.scale, rel=1e-3)
    matrices = [_axes(g.rotation) for g in (first, other)]
    assert matrices[1] == pytest.approx(turn @ matrices[0], abs=1e-4)
    assert other.rgb == pytest.approx(first.rgb, abs=1e-4)


def _axes(quaternions):
    from scipy.spatial.transform import Rotation

    return Rotation.from_quat(quaternions, scalar_first=True).as_matrix()


def test_faint_splats_are_dropped(network, monkeypatch):
    everything = reconstruct(network, _views(four_views(16)))
    middle = float(np.median(everything.opacity))
    monkeypatch.setattr(lgm_inference, "MIN_OPACITY", middle)
    kept = reconstruct(network, _views(four_views(16)))
    assert kept.opacity.min() >= middle
    assert len(kept) == (everything.opacity >= middle).sum()


def test_wrong_views_are_input_errors(network):
    with pytest.raises(InputError, match="3 views"):
        reconstruct(network, _views(orbit_cameras([0, 90, 180], 0.0, 16)))
    wide = orbit_cameras([0, 90, 180, 270], 0.0, 16, fov_y_deg=70.0)
    with pytest.raises(InputError, match=r"70\.0 degrees"):
        reconstruct(network, _views(wide))


@pytest.fixture
def folder(tmp_path):
    shapes = shapes_of(lambda: LGM(TINY))
    weights = {k: torch.from_numpy(golden_weight(k, s)).half() for k, s in shapes.items()}
    save_file(weights, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(TINY.to_json()))
    return tmp_path


def test_embedded_folder_loads(folder):
    model = load_lgm(folder, "embedded")
    assert model.config == TINY
    assert not any(p.requires_grad for p in model.parameters())
    assert len(reconstruct(model, _views(four_views(16)))) > 0


def test_a_lone_fixed_checkpoint_loads_and_the_old_one_is_refused(folder):
    fixed = (folder / "model.safetensors").rename(folder / "model_fp16_fixrot.safetensors")
    assert load_lgm(fixed, "embedded").config == TINY
    fixed.rename(folder / "model_fp16.safetensors")
    with pytest.raises(InputError, match="rotations normalised along the wrong axis"):
        load_lgm(folder, "embedded")
    with pytest.raises(InputError, match="rotations normalised"):
        load_lgm(folder / "model_fp16.safetensors", "embedded")


def test_the_fixed_checkpoint_wins_over_the_old_one(folder):
    (folder / "model_fp16.safetensors").write_bytes(b"never read")
    assert load_lgm(folder, "embedded").config == TINY


def test_another_variants_weights_are_named(folder):
    with pytest.raises(InputError, match=r"lgm tiny.*unet\."):
        load_lgm(folder, "tiny")


def test_missing_files_and_pickles_are_input_errors(tmp_path):
    with pytest.raises(InputError, match="fixrot"):
        load_lgm(tmp_path, "big")
    (tmp_path / "model.pt").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match="pickle"):
        load_lgm(tmp_path, "big")


def test_noise_formula_is_the_published_one():
    assert golden_noise("a", (3,)) == pytest.approx(golden_noise("", (3,), salt="a"))
    assert golden_noise("a", (3,), "x") != pytest.approx(golden_noise("a", (3,)))
