"""Drawing on a torus is exact: whatever is rolled goes in rolled and comes out rolled."""

import numpy as np
import pytest
import torch

from assets3d.errors import InputError
from assets3d.images.text_to_image import generate, load_pipeline
from assets3d.textures.seamless.beginning import begun_in_calm
from assets3d.textures.seamless.circular import (
    circular_padding,
    wrapping_multiple_px,
)
from assets3d.textures.seamless.settings import SeamlessSettings
from assets3d.textures.seamless.texture import seamless_texture
from tests.images.tiny_pipelines import tiny_pipeline

SIZE_PX = 64


@pytest.fixture(scope="module")
def pipelines():
    return {kind: load_pipeline(tiny_pipeline(kind)) for kind in ("sd15", "sdxl", "sd3")}


def _noise():
    return torch.randn(1, 4, SIZE_PX // 8, SIZE_PX // 8, generator=torch.Generator().manual_seed(0))


def _drawn(pipeline, latents):
    """Return the picture as floats: rounding to bytes would hide or make differences."""
    output = pipeline(
        prompt="a red rock",
        num_inference_steps=3,
        guidance_scale=3.0,
        latents=latents,
        width=SIZE_PX,
        height=SIZE_PX,
        output_type="np",
    )
    return output.images[0]


@pytest.mark.parametrize("kind", ["sd15", "sdxl"])
@pytest.mark.parametrize(("axes", "rows", "columns"), [("both", 2, 4), ("x", 0, 2), ("y", 6, 0)])
def test_rolled_noise_gives_the_rolled_picture(pipelines, kind, axes, rows, columns):
    pipeline, noise = pipelines[kind], _noise()
    with circular_padding(pipeline, axes):
        straight = _drawn(pipeline, noise)
        rolled = _drawn(pipeline, noise.roll((rows, columns), (2, 3)))
    wanted = np.roll(straight, (8 * rows, 8 * columns), axis=(0, 1))
    assert straight.std() > 1e-3
    assert np.abs(rolled - wanted).max() < 1e-4


def test_without_it_rolled_noise_gives_another_picture(pipelines):
    pipeline, noise = pipelines["sd15"], _noise()
    straight, rolled = _drawn(pipeline, noise), _drawn(pipeline, noise.roll((2, 4), (2, 3)))
    assert np.abs(rolled - np.roll(straight, (16, 32), axis=(0, 1))).max() > 1e-2


def test_one_axis_leaves_the_other_as_it_was(pipelines):
    pipeline, noise = pipelines["sd15"], _noise()
    with circular_padding(pipeline, "x"):
        straight, rolled = _drawn(pipeline, noise), _drawn(pipeline, noise.roll(2, 2))
    assert np.abs(rolled - np.roll(straight, 16, axis=0)).max() > 1e-2


def test_the_encoder_wraps_too(pipelines):
    """Its halving layers pad one side only, outside of their convolutions."""
    vae = pipelines["sd15"].vae
    picture = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    with circular_padding(pipelines["sd15"]), torch.no_grad():
        straight = vae.encode(picture).latent_dist.mean
        rolled = vae.encode(picture.roll((16, 40), (2, 3))).latent_dist.mean
    assert (rolled - straight.roll((2, 5), (2, 3))).abs().max() < 1e-4


def test_afterwards_everything_is_as_before(pipelines):
    pipeline = pipelines["sdxl"]
    before = _drawn(pipeline, _noise())
    pipeline.vae.enable_tiling()
    try:
        with pytest.raises(RuntimeError, match="on purpose"), circular_padding(pipeline):
            assert not pipeline.vae.use_tiling
            raise RuntimeError("on purpose")
        assert pipeline.vae.use_tiling
    finally:
        pipeline.vae.disable_tiling()
    assert not any("_conv_forward" in part.__dict__ for part in pipeline.unet.modules())
    assert np.array_equal(_drawn(pipeline, _noise()), before)


def test_transformers_are_refused(pipelines):
    line = "mode: found circular with StableDiffusion3Pipeline, whose transformer"
    with pytest.raises(InputError, match=line), circular_padding(pipelines["sd3"]):
        pass


def test_sizes_that_strides_would_cut_are_refused(pipelines):
    assert wrapping_multiple_px(pipelines["sd15"]) == 16
    with pytest.raises(InputError, match="size_px: found 72 in mode circular, wanted a multiple"):
        seamless_texture(
            pipelines["sd15"], "rock", seed=0, steps=1, guidance=1.0, size_px=72,
            settings=SeamlessSettings("circular"),
        )  # fmt: skip


def test_generate_draws_the_same_in_it(pipelines):
    options = {"seed": 5, "steps": 2, "guidance": 1.0, "size_px": SIZE_PX}
    found = seamless_texture(
        pipelines["sd15"], "rock", settings=SeamlessSettings("circular"), **options
    )
    with circular_padding(pipelines["sd15"]):
        prompt = "texture rock top down close-up"
        drawn = generate(pipelines["sd15"], prompt, **options)
    assert np.array_equal(found, begun_in_calm(drawn))
