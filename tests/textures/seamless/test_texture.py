"""The one door, with real pipelines of random weights: same seed same bytes, the rest stays."""

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.images.steering import Steering
from assets3d.images.text_to_image import load_pipeline
from assets3d.textures.seamless.repaint import Painter, in_cells
from assets3d.textures.seamless.settings import SeamlessSettings, geometry_of, workflow_exact
from assets3d.textures.seamless.source import centre_square
from assets3d.textures.seamless.texture import picture_prompt, seamless_texture
from tests.images import tiny_adapters
from tests.images.tiny_pipelines import tiny_pipeline
from tests.textures.seamless.stand_ins import cropped_picture

OPTIONS = {"seed": 3, "steps": 2, "guidance": 1.0, "size_px": 64}
MODES = ("roll", "canvas", "circular", "patch")


@pytest.fixture(scope="module")
def pipelines():
    return {kind: load_pipeline(tiny_pipeline(kind)) for kind in ("sd15", "sdxl", "sd3")}


@pytest.mark.parametrize("mode", MODES)
def test_words_become_a_tile_and_the_same_seed_the_same_bytes(pipelines, mode):
    settings = SeamlessSettings(mode)
    first, again = (
        seamless_texture(pipelines["sdxl"], "rock", settings=settings, **OPTIONS) for _ in range(2)
    )
    assert first.shape == (64, 64, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    other = seamless_texture(pipelines["sdxl"], "rock", settings=settings, **{**OPTIONS, "seed": 4})
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("kind", ["sd15", "sdxl", "sd3"])
@pytest.mark.parametrize("mode", ["roll", "canvas"])
def test_a_pictures_middle_stays_bit_by_bit(pipelines, kind, mode):
    picture = cropped_picture(128, 0, width_px=160)
    settings = SeamlessSettings(mode, flatten=False, canvas_px=96, half_width_px=8)
    options = {**OPTIONS, "size_px": 64}
    found = seamless_texture(pipelines[kind], "rock", settings=settings, picture=picture, **options)
    width = geometry_of(settings, 64).half_width_px
    inside = slice(width, 64 - width)
    tile = centre_square(picture, 64)
    assert np.array_equal(found[inside, inside], tile[inside, inside])
    assert (found[:width] != tile[:width]).mean() > 0.5


def test_the_graphs_own_procedure_passes_everything_through_the_model(pipelines):
    picture = cropped_picture(64, 0)
    settings = workflow_exact(64)
    found = seamless_texture(
        pipelines["sd15"], "rock", settings=settings, picture=picture, **OPTIONS
    )
    assert found.shape == (64, 64, 3)
    assert (found != centre_square(picture, 64)).mean() > 0.9


def test_the_picture_can_speak_through_an_adapter(pipelines, tmp_path):
    pipeline = pipelines["sd15"]
    picture = cropped_picture(64, 0)
    adapter = tiny_adapters.ip_adapter(tmp_path / "adapter.safetensors", "sd15")
    encoder = tiny_adapters.image_encoder(tmp_path / "encoder")
    prompt = picture_prompt(picture, adapter, encoder)
    assert prompt.weight == 0.8
    plain, steered = (
        seamless_texture(pipeline, "rock", picture=picture, steering=steering, **OPTIONS)
        for steering in (None, Steering(image_prompt=prompt))
    )
    assert not np.array_equal(plain, steered)
    again = seamless_texture(pipeline, "rock", picture=picture, **OPTIONS)
    assert np.array_equal(plain, again)


def test_repaints_can_be_drawn_smaller_than_the_picture(pipelines):
    picture = cropped_picture(128, 0)
    found = seamless_texture(
        pipelines["sd15"], "rock", picture=picture, settings=SeamlessSettings(flatten=False),
        **{**OPTIONS, "size_px": 128}, drawn_px=64,
    )  # fmt: skip
    assert np.array_equal(found[8:-8, 8:-8], picture[8:-8, 8:-8])


def test_soft_masks_reach_the_latents_as_they_are(pipelines):
    """Half a mask in the latents draws something between nothing and everything."""
    picture, whole = cropped_picture(64, 0), np.full((64, 64), 255, np.uint8)
    painter = Painter(pipelines["sd15"], "rock", seed=1, steps=3, guidance=1.0)
    all_new, half, kept = (
        painter(picture, mask, soft=True).astype(float)
        for mask in (whole, whole // 2, np.where(np.arange(64) < 8, 255, 0)[None].repeat(64, 0))
    )
    kept = kept[:, 32:]
    assert np.abs(half - all_new)[:, 32:].mean() > 0.5
    assert np.abs(half[:, 32:] - kept).mean() < np.abs(all_new[:, 32:] - kept).mean()


def test_cells_are_their_mean_or_all():
    mask = np.zeros((16, 16), np.uint8)
    mask[3, 12] = 64
    assert set(np.unique(in_cells(mask, soft=True))) == {0, 1}
    hard = in_cells(mask, soft=False)
    assert (hard[:8, 8:] == 255).all()
    assert hard.sum() == 255 * 64


@pytest.mark.parametrize(
    ("picture", "line"),
    [
        (np.zeros((63, 200, 3), np.uint8), "image: is 200x63 px, wanted at least 64 px"),
        (np.zeros((64, 257, 3), np.uint8), "image: is 257x64 px, wanted sides of at most 4 to 1"),
        (
            np.zeros((64, 64, 4), np.uint8),
            "image: 100 % of it is transparent, wanted an opaque",
        ),
    ],
)
@pytest.mark.parametrize("mode", ["roll", "patch"])
def test_pictures_that_cannot_tile_are_one_line(picture, line, mode):
    with pytest.raises(InputError, match=line):
        seamless_texture(None, "", picture=picture, settings=SeamlessSettings(mode), **OPTIONS)


def test_circular_takes_no_picture(pipelines):
    with pytest.raises(InputError, match="mode: circular draws from words"):
        seamless_texture(
            pipelines["sd15"], "rock", picture=cropped_picture(64, 0),
            settings=SeamlessSettings("circular"), **OPTIONS,
        )  # fmt: skip


def test_opaque_alpha_and_grey_are_no_obstacle():
    picture = cropped_picture(80, 0)
    grey = picture[..., 0]
    opaque = np.concatenate([picture, np.full((80, 80, 1), 255, np.uint8)], axis=2)
    settings = SeamlessSettings("patch")
    plain, same, other = (
        seamless_texture(None, "", picture=each, settings=settings, **OPTIONS)
        for each in (picture, opaque, grey)
    )
    assert np.array_equal(plain, same)
    assert other.shape == (64, 64, 3)
    assert np.ptp(other.astype(int), axis=2).max() <= 1
