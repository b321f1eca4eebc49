"""Tiny random checkpoints in the official layout: Marigold's three pipelines, Depth Anything, DPT.

`tiny(kind)` returns a folder that callers must not change; same kind, same bytes.
"""

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path

import torch

from tests.images.tiny import tiny_tokenizer
from tests.images.tiny_pipelines import autoencoder, clip_text, unet

KINDS = ("normals", "depth", "appearance", "depth-anything", "dpt", "swin2sr")
_IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
_HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}


@functools.cache
def tiny(kind):
    """Return the folder of a random checkpoint."""
    folder = Path(tempfile.mkdtemp(prefix=f"tiny-{kind}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    state = torch.random.get_rng_state()
    torch.random.manual_seed(0)
    _BUILDERS[kind](folder)
    torch.random.set_rng_state(state)
    return folder


def copy_of(kind, folder):
    """Copy the checkpoint to `folder`, where a test may change it; return it."""
    shutil.copytree(tiny(kind), folder)
    return folder


def _marigold(name, folder):
    import diffusers

    options = {"default_denoising_steps": 1, "default_processing_resolution": 64}
    targets = {"normals": 1, "depth": 1, "appearance": 2}[name]
    if name == "normals":
        options |= {"prediction_type": "normals"}
    elif name == "depth":
        options |= {"prediction_type": "depth"}
    else:
        options |= {
            "prediction_type": "intrinsics",
            "target_properties": {
                "target_names": ["albedo", "material"],
                "albedo": {"prediction_space": "srgb"},
                "material": {
                    "prediction_space": "stack",
                    "sub_target_names": ["roughness", "metallicity", None],
                },
            },
        }
    kind = {
        "normals": "MarigoldNormalsPipeline",
        "depth": "MarigoldDepthPipeline",
        "appearance": "MarigoldIntrinsicsPipeline",
    }[name]
    pipeline = getattr(diffusers, kind)(
        vae=autoencoder(),
        text_encoder=clip_text(1024),
        tokenizer=tiny_tokenizer(),
        unet=unet(1024, in_channels=4 * (1 + targets), out_channels=4 * targets),
        scheduler=diffusers.DDIMScheduler(
            beta_schedule="scaled_linear",
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            clip_sample=False,
        ),
        **options,
    )
    pipeline.save_pretrained(folder)


def _depth_anything(folder):
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config

    stages = ["stage1", "stage2", "stage3", "stage4"]
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        patch_size=14,
        image_size=56,
        out_features=stages,
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 4, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
        patch_size=14,
    )
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    _write_processor(folder, size={"height": 56, "width": 56}, ensure_multiple_of=14, **_IMAGENET)


def _dpt(folder):
    from transformers import DPTConfig, DPTForDepthEstimation

    config = DPTConfig(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=64,
        patch_size=16,
        backbone_out_indices=[0, 1, 2, 3],
        neck_hidden_sizes=[4, 4, 8, 8],
        fusion_hidden_size=8,
        is_hybrid=False,
    )
    DPTForDepthEstimation(config).save_pretrained(folder)
    # The old form of the size, as it lies at the Hub.
    _write_processor(folder, size=64, **_HALF)


def _write_processor(folder, **values):
    """Write preprocessor_config.json as the official repositories have it."""
    usual = {
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_processor_type": "DPTImageProcessor",
        "keep_aspect_ratio": True,
        "resample": 3,
        "rescale_factor": 1 / 255,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps({**usual, **values}))


def _swin2sr(folder):
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

    config = Swin2SRConfig(
        image_size=16,
        embed_dim=8,
        depths=[2],
        num_heads=[2],
        window_size=8,
        upscale=2,
        upsampler="pixelshuffle",
    )
    Swin2SRForImageSuperResolution(config).save_pretrained(folder)


_BUILDERS = {
    "normals": functools.partial(_marigold, "normals"),
    "depth": functools.partial(_marigold, "depth"),
    "appearance": functools.partial(_marigold, "appearance"),
    "depth-anything": _depth_anything,
    "dpt": _dpt,
    "swin2sr": _swin2sr,
}
