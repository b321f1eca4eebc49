"""Edits under a mask: the rest of the picture stays bit by bit, whatever its size."""

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.images.inpaint import edit_picture, laid_over, surroundings
from assets3d.images.steering import Lora, Steering
from assets3d.images.text_to_image import load_pipeline
from tests.images import tiny_adapters
from tests.images.tiny_pipelines import tiny_lora, tiny_pipeline

OPTIONS = {"seed": 3, "steps": 2, "guidance": 3.0, "size_px": 64}


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """An ordinary model, and SDXL inpainting: nine channels go into its U-Net."""
    folder = tmp_path_factory.mktemp("inpainting")
    tiny_adapters.inpainting_pipeline(folder / "sdxl")
    models = {"sd15": tiny_pipeline("sd15"), "sdxl-inpainting": folder / "sdxl"}
    return {name: load_pipeline(path) for name, path in models.items()}


def _case(width=90, height=50, channels=3):
    picture = np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)
    mask = np.zeros((height, width), np.uint8)
    mask[10:20, 30:45] = 255
    mask[20, 30:45] = 100
    return picture, mask


@pytest.mark.parametrize("kind", ["sd15", "sdxl-inpainting"])
@pytest.mark.parametrize("channels", [3, 4])
def test_unmasked_pixels_are_the_same_bytes(pipelines, kind, channels):
    picture, mask = _case(channels=channels)
    found = edit_picture(pipelines[kind], picture, mask, "a red crate", **OPTIONS)
    assert found.shape == picture.shape
    assert np.array_equal(found[mask == 0], picture[mask == 0])
    assert (found[mask == 255][..., :3] != picture[mask == 255][..., :3]).mean() > 0.9
    if channels == 4:
        assert (found[mask == 255][..., 3] == 255).all()
    again = edit_picture(pipelines[kind], picture, mask, "a red crate", **OPTIONS)
    assert np.array_equal(found, again)


def test_loras_act_on_edits_too(pipelines, tmp_path):
    picture, mask = _case()
    lora = Lora(tiny_lora(tmp_path / "style.safetensors"))
    plain = edit_picture(pipelines["sd15"], picture, mask, "a crate", **OPTIONS)
    steered = edit_picture(
        pipelines["sd15"], picture, mask, "a crate", steering=Steering(loras=(lora,)), **OPTIONS
    )
    assert not np.array_equal(plain, steered)
    again = edit_picture(pipelines["sd15"], picture, mask, "a crate", **OPTIONS)
    assert np.array_equal(again, plain)


def test_the_model_sees_the_mask_and_its_surroundings():
    mask = np.zeros((100, 200), np.uint8)
    mask[40:50, 100:120] = 1
    assert surroundings(mask) == (slice(25, 65), slice(90, 130))
    mask[:] = 255
    assert surroundings(mask) == (slice(0, 100), slice(0, 200))
    mask[:] = 0
    mask[0, 0] = 255
    rows, columns = surroundings(mask)
    assert mask[rows, columns].any()


def test_soft_masks_mix_and_hidden_colours_stay():
    below = np.zeros((1, 3, 4), np.uint8)
    below[0, 0] = (9, 9, 9, 0)
    below[0, 1] = below[0, 2] = (0, 0, 0, 255)
    above = np.full((1, 3, 3), 200, np.uint8)
    found = laid_over(below, above, np.array([[0, 51, 255]], np.uint8))
    assert found[0].tolist() == [[9, 9, 9, 0], [40, 40, 40, 255], [200, 200, 200, 255]]


def test_wrong_masks_are_named(pipelines):
    picture, mask = _case()
    with pytest.raises(InputError, match=r"edit\.mask: is 50x90 px, wanted the picture's 90x50"):
        edit_picture(pipelines["sd15"], picture, mask.T, "a crate", **OPTIONS)
    with pytest.raises(InputError, match=r"edit\.mask: is black all over"):
        edit_picture(pipelines["sd15"], picture, 0 * mask, "a crate", **OPTIONS)
