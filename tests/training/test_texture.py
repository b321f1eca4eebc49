"""The text-to-texture trainings at tiny sizes: what they read, how they resume, that tiles tile."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from tests.training.conftest import options

SIZE_PX = 32


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Two tiles for each split of each family."""
    from training.texture_data import main

    folder = tmp_path_factory.mktemp("tiles")
    more = ["--size-px", str(SIZE_PX), "--tiles", "2", "--validation-tiles", "2"]
    main(["--out", str(folder), *more])
    return folder


@pytest.fixture(scope="module")
def vae(tiles, tmp_path_factory):
    """A barely trained autoencoder, trained in two goes."""
    from training.texture_autoencoder import main

    folder = tmp_path_factory.mktemp("texture")
    for steps in (1, 2):
        main([*options(tiles, folder / "out", steps), "--export", str(folder / "vae")])
    return folder / "vae"


def test_pictures_and_captions_belong_together_and_splits_share_no_seed(tiles):
    from assets3d.textures.world.captions import plain_caption
    from training.texture_data import CAPTIONS, load_textures, plan

    training, validation = (load_textures(tiles, split) for split in ("training", "validation"))
    assert training.pictures.shape == (38, SIZE_PX, SIZE_PX, 3)
    assert training.captions.shape == (38, CAPTIONS)
    assert training.captions[5, 0] == plain_caption(training.families[5], int(training.seeds[5]))
    assert not set(training.seeds) & set(validation.seeds)
    assert plan(tiles, SIZE_PX, 2, 2) == []  # nothing is rendered twice
    few = load_textures(tiles, "training", limit=19)
    assert len(set(few.families)) > 15


@pytest.mark.parametrize(("family", "seed"), [("leather", 1), ("bricks", 1_000_000)])
def test_kept_materials_are_refused(tiles, tmp_path, family, seed):
    from training.maps_data import Job
    from training.texture_data import load_textures, render_shard

    with pytest.raises(ValueError, match="benchmarks"):
        render_shard(Job(tmp_path / "shard.npz", family, (seed,), SIZE_PX))
    assert not list(tmp_path.iterdir())
    with np.load(next(tiles.glob("training_sand_*.npz"))) as file:
        arrays = dict(file)
    arrays["families"][:], arrays["seeds"][:] = family, seed
    np.savez(tmp_path / "training_x_0000.npz", **arrays)
    with pytest.raises(ValueError, match="benchmarks"):
        load_textures(tmp_path, "training")


def test_the_autoencoder_keeps_colours_before_any_training():
    from training.texture_autoencoder import LATENT_CHANNELS, new_autoencoder

    autoencoder = new_autoencoder("cpu", SIZE_PX).eval()
    picture = torch.tensor([0.8, -0.6, 0.1]).view(1, 3, 1, 1).expand(1, 3, SIZE_PX, SIZE_PX)
    with torch.inference_mode():
        latent = autoencoder.encode(picture).latent_dist.mode()
        found = autoencoder.decode(latent).sample[..., 8:-8, 8:-8]
    assert latent.shape == (1, LATENT_CHANNELS, SIZE_PX // 4, SIZE_PX // 4)
    assert (found - picture[..., 8:-8, 8:-8]).abs().mean() < 0.25


def test_the_autoencoder_resumes_and_rolls_with_its_latents(tiles, vae):
    from training.latents import load_autoencoder
    from training.texture_autoencoder import LATENT_STD, decode_tiles, encode_tiles
    from training.texture_data import load_textures

    assert json.loads((vae.parent / "out/progress.json").read_text())["step"] == 2
    assert "procedural material world" in (vae / "README.md").read_text()
    autoencoder = load_autoencoder(vae, "cpu")
    pictures = load_textures(tiles, "training").pictures
    latents = encode_tiles(autoencoder, pictures, "cpu").float()
    assert latents.mean((0, 2, 3)).abs().max() < 0.05
    assert (latents.std((0, 2, 3)) - torch.tensor(LATENT_STD)).abs().max() < 0.05
    rolled = encode_tiles(autoencoder, np.roll(pictures, (4, 12), (1, 2)), "cpu").float()
    assert torch.allclose(rolled, latents.roll((1, 3), (2, 3)), atol=1e-2)
    found = decode_tiles(autoencoder, latents.roll((3, 2), (2, 3))).astype(int)
    wanted = np.roll(decode_tiles(autoencoder, latents), (12, 8), (1, 2))
    assert np.abs(found - wanted).max() <= 1


def test_captions_come_in_the_words_of_the_stage_too():
    from assets3d.textures.seamless.settings import STYLE
    from training.text_to_texture import with_styles

    found = with_styles(np.array([["old rock", "rock"]]))
    assert found.shape == (1, 6)
    assert found[0, 0] == "old rock"
    assert found[0, 3] == STYLE.replace("{prompt}", "rock")
    assert found[0, 4] == STYLE.replace("{prompt}", "a old rock")


@pytest.mark.slow
def test_text_to_texture_resumes_and_draws_a_tile(tiles, vae, tmp_path):
    from assets3d.images.text_to_image import load_pipeline
    from assets3d.textures.seamless.settings import SeamlessSettings
    from assets3d.textures.seamless.texture import seamless_texture
    from training.text_to_texture import main

    more = ["--autoencoder", str(vae), "--export", str(tmp_path / "texture")]
    for steps in (1, 2):
        main([*options(tiles, tmp_path / "out", steps), *more])
    assert json.loads((tmp_path / "out/progress.json").read_text())["step"] == 2
    words = json.loads((tmp_path / "texture/words.json").read_text())["words"]
    assert {"bricks", "mossy", "texture", "blurry"} <= set(words)
    pipeline = load_pipeline(tmp_path / "texture")
    drawn = seamless_texture(
        pipeline,
        "old bricks",
        seed=0,
        steps=2,
        guidance=2.0,
        size_px=64,
        settings=SeamlessSettings(mode="circular"),
    )
    assert drawn.shape == (64, 64, 3)


def test_latents_are_read_again_only_where_they_are_the_same_pictures(tiles, vae, tmp_path):
    from training.text_to_texture import tile_latents
    from training.texture_data import load_textures

    kept = tmp_path / "latents.safetensors"
    few = load_textures(tiles, "training", limit=3)
    first = tile_latents(few, vae, "cpu", kept)
    written = kept.stat().st_mtime_ns
    assert torch.equal(tile_latents(few, vae, "cpu", kept), first)
    assert kept.stat().st_mtime_ns == written
    others = tile_latents(load_textures(tiles, "training", limit=4), vae, "cpu", kept)
    assert len(others) == 4
