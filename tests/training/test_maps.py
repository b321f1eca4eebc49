import json

import numpy as np
import pytest
import torch

from assets3d.textures.fields import slopes_of_height
from assets3d.textures.maps.small_network import Maps, MapsNetwork
from training import maps, maps_data, maps_scenes
from training.maps_scenes import make_scene, whole_scene
from training.run import fresh

SIDE = 64
FAMILIES = ("bricks", "gravel")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tiles of two families in the format of training.maps_data."""
    folder = tmp_path_factory.mktemp("materials")
    for family in FAMILIES:
        for name, first in ((f"tiles{SIDE}_{family}_0000", 0), (f"validation_{family}", 990_000)):
            seeds = (first, first + 1)
            maps_data.render_shard(maps_data.Job(folder / f"{name}.npz", family, seeds, SIDE))
    return folder


@pytest.fixture(scope="module")
def tiles(folder):
    return maps_data.load_tiles(folder, "training")


@pytest.fixture(scope="module")
def exported(folder, tmp_path_factory):
    """A barely trained network, trained in two goes."""
    out = tmp_path_factory.mktemp("maps")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps, "PIECE_PX", 32)
        for steps in (1, 2):
            maps.main(
                [
                    *("--data", str(folder), "--out", str(out / "out"), "--steps", str(steps)),
                    *("--batch", "2", "--export", str(out / "weights")),
                ]
            )
    return out


def truth_of(scene):
    return maps.tensors([scene], "cpu")[1]


def test_held_out_families_and_benchmark_seeds_are_not_rendered(tmp_path):
    for family, seed in (("roof_tiles", 0), ("bricks", 1_000_000)):
        job = maps_data.Job(tmp_path / "x.npz", family, (seed,), SIDE)
        with pytest.raises(ValueError, match="kept for benchmarks"):
            maps_data.render_shard(job)
    assert not list(tmp_path.iterdir())


def test_a_whole_tile_keeps_the_slopes_of_its_height(tiles):
    scene = whole_scene(tiles[0], 1, 5)
    height = tiles[0].height[1].astype(np.float64)
    for axis, slopes in enumerate(slopes_of_height(height, 1.0 / SIDE)):
        error = np.abs(scene.slopes[..., axis] - slopes)
        assert np.median(error) < 0.02  # heights are stored in half precision
    assert scene.counts.all()


@pytest.mark.parametrize("seed", range(6))
def test_turned_and_mirrored_pieces_have_slopes_that_belong_to_a_height(tiles, seed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps_scenes, "TILE_SIDES_PX", (SIDE,))
        patch.setattr(maps_scenes, "TILE_SIDE_SHARES", (1.0,))
        scene = make_scene(np.random.default_rng(seed), tiles, SIDE)
    # No curl on the torus, and as steep as tiles are: a wrong sign would make it half of both.
    fourier = np.fft.fft2(scene.slopes, axes=(0, 1))
    waves = 2.0 * np.pi * np.fft.fftfreq(SIDE)
    across, down = np.sin(waves)[None, :], np.sin(waves)[:, None]
    curl = np.abs(down * fourier[..., 0] - across * fourier[..., 1]) ** 2
    divergence = np.abs(across * fourier[..., 0] + down * fourier[..., 1]) ** 2
    assert curl.sum() < 0.01 * divergence.sum()


def test_the_edge_of_a_window_does_not_count(tiles):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(maps_scenes, "TILE_SIDES_PX", (2 * SIDE,))
        patch.setattr(maps_scenes, "TILE_SIDE_SHARES", (1.0,))
        scene = make_scene(np.random.default_rng(0), tiles, SIDE)
    edge = maps_scenes.EDGE_PX
    assert scene.counts[edge:-edge, edge:-edge].all()
    assert scene.counts.sum() == (SIDE - 2 * edge) ** 2


def test_a_light_from_elsewhere_is_said_and_one_from_above_is_not(tiles):
    lights = np.array(
        [make_scene(np.random.default_rng(seed), tiles, 32).light for seed in range(40)]
    )
    np.testing.assert_allclose(np.linalg.norm(lights, axis=1), 1.0, rtol=1e-5)
    above = np.abs(lights - (0.0, 1.0)).max(1) < 1e-6
    assert 0.5 < above.mean() < 0.95
    assert (lights[~above, 0] < -0.2).any() and (lights[~above, 0] > 0.2).any()
    assert (lights[:, 1] > 0.2).all()


def test_the_truth_has_the_least_loss(tiles):
    truth = truth_of(whole_scene(tiles[0], 0, 3))
    counts = torch.ones(1, 1, SIDE, SIDE)
    sure = truth._replace(
        slopes=truth.slopes.clamp(-3, 3), metallic_logits=40.0 * (truth.metallic_logits - 0.5)
    )
    least = maps.maps_loss(sure, truth, counts)
    assert least < 0.02
    flat = sure._replace(slopes=torch.zeros_like(truth.slopes))
    mirrored = sure._replace(slopes=-sure.slopes)
    assert least < maps.maps_loss(flat, truth, counts) < maps.maps_loss(mirrored, truth, counts)


def test_a_light_that_is_told_is_used():
    network = fresh(MapsNetwork).eval()
    pictures = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        usual = network(pictures).slopes
        above = network(pictures, torch.tensor([[0.0, 1.0]])).slopes
        left = network(pictures, torch.tensor([[-1.0, 0.0]])).slopes
    assert torch.equal(usual, above)
    assert (left - usual).abs().max() > 1e-3


def test_training_goes_on_where_it_was_and_writes_weights_and_a_card(exported):
    from assets3d.textures.maps.small import load_small, predict

    log = [json.loads(line) for line in (exported / "out" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log if "share_of_flat" in line] == [1, 2]
    card = (exported / "weights" / "README.md").read_text()
    assert "training.maps" in card and "roof tiles" in card
    relief = predict(load_small(exported / "weights"), np.full((32, 32, 3), 90, np.uint8))
    assert relief.slope_x.shape == (32, 32) and relief.metric


def test_maps_of_batches_are_those_of_pictures():
    network = fresh(MapsNetwork).eval()
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        both, one = network(pictures), network(pictures[1:])
    for found, alone in zip(Maps(*both), Maps(*one), strict=True):
        torch.testing.assert_close(found[1:], alone, atol=1e-5, rtol=1e-4)
