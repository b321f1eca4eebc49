"""Memory switches: read from the profile, and the same picture whatever is offloaded."""

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.images.image_prompts import ImagePrompt
from assets3d.images.memory import Memory, gather, place, read_memory
from assets3d.images.steering import Control, Lora, Steering, generate_steered
from assets3d.images.text_to_image import generate, load_pipeline
from tests.images import tiny_adapters
from tests.images.tiny_pipelines import tiny_lora, tiny_pipeline

OPTIONS = {"seed": 3, "steps": 2, "guidance": 3.0, "size_px": 64}


def test_switches_are_read_and_checked():
    assert read_memory({"device": "cpu", "steps": 4}) == Memory()
    gpu = {"device": "cuda", "offload": "model", "vae_tiling": True}
    assert read_memory(gpu) == Memory(offload="model", vae_tiling=True)
    for params, message in (
        ({"offload": "some", "device": "cuda"}, "image.offload: found 'some', wanted one of none"),
        ({"offload": "model"}, "image.offload: found model on the CPU, wanted none"),
        ({"vae_tiling": "yes"}, "image.vae_tiling: found 'yes', wanted true or false"),
    ):
        with pytest.raises(InputError, match=message):
            read_memory(params)


@pytest.fixture(scope="module")
def steering(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory")
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return Steering(
        loras=(Lora(tiny_lora(folder / "lora.safetensors")),),
        image_prompt=ImagePrompt(
            picture,
            tiny_adapters.ip_adapter(folder / "plus.safetensors", "sd15"),
            tiny_adapters.image_encoder(folder / "encoder"),
        ),
        controls=(Control("depth", picture, tiny_adapters.controlnet(folder / "control", "sd15")),),
    )


def test_offloaded_pictures_are_the_same_and_steering_leaves_nothing(steering):
    # From the CPU to the CPU goes through all the same hooks. (Not so with offload: sequential,
    # whose hooks want two devices; its half that matters to us is tested below.)
    plain = load_pipeline(tiny_pipeline("sd15"))
    wanted = generate(plain, "a crate", **OPTIONS)
    wanted_steered = generate_steered(plain, "a crate", steering, **OPTIONS)
    memory = Memory(offload="model")
    pipeline = load_pipeline(tiny_pipeline("sd15"), memory=memory)
    for _ in range(2):
        assert np.array_equal(generate(pipeline, "a crate", **OPTIONS), wanted)
        found = generate_steered(pipeline, "a crate", steering, memory=memory, **OPTIONS)
        assert np.array_equal(found, wanted_steered)


def test_slices_draw_the_same_picture(steering):
    plain = load_pipeline(tiny_pipeline("sd15"))
    memory = Memory(vae_slicing=True, attention_slicing=True)
    saving = load_pipeline(tiny_pipeline("sd15"), memory=memory)
    assert saving.vae.use_slicing
    for one in (Steering(), steering):
        kinds = {type(p).__name__ for p in saving.unet.attn_processors.values()}
        assert kinds == {"SlicedAttnProcessor"}
        wanted = generate_steered(plain, "a crate", one, **OPTIONS).astype(int)
        found = generate_steered(saving, "a crate", one, memory=memory, **OPTIONS)
        assert np.abs(found - wanted).max() <= 2


def test_tiles_cover_the_picture():
    # These tiles are 32 px wide, too small to look like the whole; real ones are 512 or 1024 px.
    pipeline = load_pipeline(tiny_pipeline("sd15"), memory=Memory(vae_tiling=True))
    assert pipeline.vae.use_tiling
    found = generate(pipeline, "a crate", **{**OPTIONS, "size_px": (96, 64)})
    assert found.shape == (64, 96, 3)


def test_gathered_weights_are_real_ones():
    memory = Memory(offload="sequential")
    pipeline = place(load_pipeline(tiny_pipeline("sd15")), memory, "cpu")
    assert {p.device.type for p in pipeline.unet.parameters()} == {"meta"}
    gather(pipeline, memory)
    assert {p.device.type for p in pipeline.unet.parameters()} == {"cpu"}
