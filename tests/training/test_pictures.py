"""What the image model learns from: which pictures, in which words, and in which latents."""

from __future__ import annotations

import numpy as np
import pytest
import torch

SIZE_PX = 32


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Four props and one tile of each family, rendered by the command."""
    from training.pictures import main

    folder = tmp_path_factory.mktemp("pictures")
    main(["--props", "4", "--tiles", "1", "--validation", "3", "1", "--size", str(SIZE_PX),
          "--workers", "1", "--out", str(folder)])  # fmt: skip
    return folder


def test_pictures_and_captions_belong_together_and_splits_share_no_seed(pictures):
    from assets3d.props import sample_prop
    from assets3d.textures.world.captions import plain_caption
    from training.pictures import CAPTIONS, load_pictures, plan

    training, validation = (load_pictures(pictures, split) for split in ("training", "validation"))
    assert training.rgba.shape == (4 + 19, SIZE_PX, SIZE_PX, 4)
    assert training.captions.shape == (4 + 19, CAPTIONS)
    assert training.is_tile.tolist() == [False] * 4 + [True] * 19
    prop = sample_prop(training.families[1], int(training.seeds[1]))
    assert training.captions[1, 0] == prop.caption
    family, seed = training.families[7], int(training.seeds[7])
    assert training.captions[7, 0] == plain_caption(family, seed)
    assert (training.rgba[4:, ..., 3] == 255).all()
    assert 0 < (training.rgba[:4, ..., 3] > 0).mean() < 0.8
    assert not set(training.seeds) & set(validation.seeds)
    assert plan(pictures, 4, 1, (3, 1), SIZE_PX, "cpu") == []  # nothing is rendered twice
    few = load_pictures(pictures, "training", limit=2)
    assert few.is_tile.tolist() == [False, False, True, True]


def test_tiles_are_worded_as_the_stage_words_them(pictures):
    from assets3d.textures.seamless.settings import STYLE
    from training.pictures import load_pictures

    training = load_pictures(pictures, "training")
    for captions in training.captions[training.is_tile]:
        assert captions[3] == STYLE.replace("{prompt}", captions[0])
        assert captions[6] == STYLE.replace("{prompt}", f"a {captions[0]}")


@pytest.mark.parametrize(
    ("family", "seed", "is_tile"),
    [("leather", 1, True), ("bricks", 1_000_000, True), ("pumpkin", 1, False)],
)
def test_what_is_kept_for_benchmarks_is_refused(pictures, tmp_path, family, seed, is_tile):
    from training.pictures import Job, load_pictures, render_shard

    with pytest.raises(ValueError, match="benchmarks"):
        render_shard(Job(tmp_path / "x.npz", ((family, seed),), is_tile, SIZE_PX, "cpu"))
    assert not list(tmp_path.iterdir())
    for kind in ("props", "tiles"):
        path = next(pictures.glob(f"training_{kind}*.npz"))
        with np.load(path) as file:
            arrays = dict(file)
        if is_tile == (kind == "tiles"):
            arrays["families"] = np.array([family] * len(arrays["seeds"]))
            arrays["seeds"][:] = seed
        np.savez(tmp_path / path.name, **arrays)
    with pytest.raises(ValueError, match="benchmarks"):
        load_pictures(tmp_path, "training")


def test_half_the_size_keeps_colours_up_to_the_edge():
    from training.autoencoder import halved

    rgba = torch.zeros(1, 4, 4, 4, dtype=torch.uint8)
    rgba[:, :, :3] = torch.tensor([200, 100, 50, 255], dtype=torch.uint8)
    small = halved(rgba)
    assert small.shape == (1, 2, 2, 4)
    assert small[0, 0, 0].tolist() == [200, 100, 50, 255]
    assert small[0, 0, 1].tolist() == [200, 100, 50, 128]


def test_latents_of_tiles_are_periodic(pictures, picture_vae, tmp_path):
    from training.latents import decode, encode, load_autoencoder
    from training.picture_latents import load_picture_latents, main, on_torus
    from training.pictures import load_pictures

    main(["--data", str(pictures), "--autoencoder", str(picture_vae), "--out", str(tmp_path)])
    found = load_picture_latents(tmp_path, "validation", picture_vae)
    assert found.latents.shape == (3 + 19, 2, 4, SIZE_PX // 8, SIZE_PX // 8)
    # The batch of 16 that begins with a prop is encoded as props are; the last ones are tiles.
    tile = torch.from_numpy(load_pictures(pictures, "validation").rgba[-1:, ..., :3])
    autoencoder = load_autoencoder(picture_vae, "cpu")
    planes = tile.permute(0, 3, 1, 2) / 127.5 - 1.0
    with on_torus(vae=autoencoder):
        rolled = encode(autoencoder, planes.roll((8, 16), (2, 3)), "cpu")
        there = decode(autoencoder, found.latents[-1:, 0].roll((1, 2), (2, 3))).astype(int)
        here = np.roll(decode(autoencoder, found.latents[-1:, 0]), (8, 16), (1, 2))
    assert torch.allclose(rolled, found.latents[-1:, 0].float().roll((1, 2), (2, 3)), atol=2e-2)
    assert np.abs(there - here).max() <= 1


def test_mirrored_pictures_are_encoded_unless_told_otherwise(pictures, picture_vae, tmp_path):
    from training.picture_latents import load_picture_latents, main

    given = ["--data", str(pictures), "--autoencoder", str(picture_vae), "--out", str(tmp_path)]
    both, one = (
        load_picture_latents(tmp_path, "validation", picture_vae).latents
        for more in ([], ["--no-mirrored"])
        if main([*given, *more]) is None
    )
    assert both.shape[1] == 2 and one.shape[1] == 1
    assert torch.equal(both[:, :1], one)


def test_latents_of_another_autoencoder_are_refused(pictures, picture_vae, tmp_path):
    from training.picture_latents import load_picture_latents, main

    folder = tmp_path / "latents"
    main(["--data", str(pictures), "--autoencoder", str(picture_vae), "--out", str(folder)])
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="another autoencoder"):
        load_picture_latents(folder, "training", tmp_path)


@pytest.fixture(scope="module")
def picture_vae(pictures, tmp_path_factory):
    """A barely trained autoencoder, trained in two goes, the second time from its own export."""
    from tests.training.conftest import options
    from training.autoencoder import main

    folder = tmp_path_factory.mktemp("vae")
    main([*options(pictures, folder / "out", 1), "--export", str(folder / "first")])
    more = ["--start", str(folder / "first"), "--export", str(folder / "vae")]
    main([*options(pictures, folder / "again", 1), *more])
    return folder / "vae"


@pytest.mark.slow
def test_text_to_image_draws_props_and_tiles(pictures, picture_vae, tmp_path):
    import json

    from assets3d.images.text_to_image import load_pipeline
    from assets3d.textures.seamless.settings import SeamlessSettings
    from assets3d.textures.seamless.texture import seamless_texture
    from tests.training.conftest import options
    from training.picture_latents import main as encode_all
    from training.text_to_image import main

    latents = tmp_path / "latents"
    more = ["--autoencoder", str(picture_vae)]
    encode_all(["--data", str(pictures), *more, "--out", str(latents)])
    more += ["--latents", str(latents)]
    for steps in (6, 12):
        main([*options(pictures, tmp_path / "out", steps), *more, "--export", str(tmp_path / "i")])
    progress = json.loads((tmp_path / "out/progress.json").read_text())
    assert progress["step"] == 12
    assert np.isfinite(progress["scores"]["tiles_validation_loss"])
    words = json.loads((tmp_path / "i/words.json").read_text())["words"]
    assert {"texture", "blurry"} <= set(words)
    for mode in ("circular", "roll"):
        drawn = seamless_texture(
            load_pipeline(tmp_path / "i"), "old bricks", seed=0, steps=2, guidance=2.0, size_px=64,
            settings=SeamlessSettings(mode=mode),
        )  # fmt: skip
        assert drawn.shape == (64, 64, 3)
