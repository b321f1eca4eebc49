"""Tiny random networks that steer the pipelines of `tiny_pipelines`, in the published layouts."""

import torch
from safetensors.torch import save_file

from tests.images.tiny_pipelines import tiny_pipeline, unet

ENCODER_HIDDEN, ENCODER_PROJECTION = 32, 24


def load_unet(kind):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel.from_pretrained(tiny_pipeline(kind) / "unet")


def image_encoder(folder):
    """Save a CLIP image encoder (1 layer, 56 px) as its folder and return it."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    config = CLIPVisionConfig(
        hidden_size=ENCODER_HIDDEN,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=16,
        hidden_act="gelu",
        projection_dim=ENCODER_PROJECTION,
        patch_size=14,
        image_size=56,
    )
    with seeded():
        CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def ip_adapter(path, kind, *, plus=True, hidden=ENCODER_HIDDEN, projection=ENCODER_PROJECTION):
    """Write an IP-Adapter for the U-Net of `kind`; plus: 4 tokens by four layers."""
    network = load_unet(kind)
    width = network.config.cross_attention_dim
    random = Random()
    tensors = {}
    if plus:
        inner = 64
        tensors |= {
            "latents": random(1, 4, inner),
            "proj_in.weight": random(inner, hidden),
            "proj_in.bias": random(inner),
            "proj_out.weight": random(width, inner),
            "proj_out.bias": random(width),
            "norm_out.weight": random(width),
            "norm_out.bias": random(width),
        }
        for layer in range(4):  # their number is part of the layout
            tensors |= _resampler_layer(f"layers.{layer}", inner, random)
    else:
        tensors |= {
            "proj.weight": random(4 * width, projection),
            "proj.bias": random(4 * width),
            "norm.weight": random(width),
            "norm.bias": random(width),
        }
    tensors = {f"image_proj.{key}": value for key, value in tensors.items()}
    crossing = [n for n in network.attn_processors if not n.endswith("attn1.processor")]
    for number, name in enumerate(crossing):
        shape = network.get_submodule(name.removesuffix(".processor")).to_k.weight.shape
        for matrix in ("k", "v"):
            tensors[f"ip_adapter.{2 * number + 1}.to_{matrix}_ip.weight"] = random(*shape)
    save_file(tensors, path)
    return path


def _resampler_layer(name, inner, random):
    shapes = {
        "0.norm1.weight": (inner,),
        "0.norm1.bias": (inner,),
        "0.norm2.weight": (inner,),
        "0.norm2.bias": (inner,),
        "0.to_q.weight": (inner, inner),
        "0.to_kv.weight": (2 * inner, inner),
        "0.to_out.weight": (inner, inner),
        "1.0.weight": (inner,),
        "1.0.bias": (inner,),
        "1.1.weight": (4 * inner, inner),
        "1.3.weight": (inner, 4 * inner),
    }
    return {f"{name}.{key}": random(*shape) for key, shape in shapes.items()}


def controlnet(folder, kind):
    """Save a ControlNet for the U-Net of `kind` whose zero convolutions are not zero."""
    from diffusers import ControlNetModel

    with seeded():
        network = ControlNetModel.from_unet(
            load_unet(kind), conditioning_embedding_out_channels=(4, 4, 4, 8)
        )
        for layer in (*network.controlnet_down_blocks, network.controlnet_mid_block):
            torch.nn.init.normal_(layer.weight, std=0.2)
        torch.nn.init.normal_(network.controlnet_cond_embedding.conv_out.weight, std=0.5)
    network.save_pretrained(folder)
    return folder


def t2i_adapter(folder, *, xl):
    """Save a T2I-Adapter for two levels of 16 and 32 channels (SDXL: no level is halved late)."""
    from diffusers import T2IAdapter

    with seeded():
        T2IAdapter(
            in_channels=3,
            channels=[16, 32, 32, 32] if xl else [16, 32],
            num_res_blocks=1,
            downscale_factor=16 if xl else 8,
            adapter_type="full_adapter_xl" if xl else "full_adapter",
        ).save_pretrained(folder)
    return folder


def crossing_first_pipeline(folder):
    """Save SD 1.5 whose first level has attention, as the real one has and T2I-Adapters want."""
    from diffusers import StableDiffusionPipeline

    with seeded():
        network = unet(
            768,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        )
    pipeline = StableDiffusionPipeline.from_pretrained(tiny_pipeline("sd15"), unet=network)
    pipeline.save_pretrained(folder)
    return folder


class Random:
    """Small random tensors of a shape, always the same ones."""

    def __init__(self):
        self.generator = torch.Generator().manual_seed(3)

    def __call__(self, *shape):
        return 0.3 * torch.randn(*shape, generator=self.generator)


class seeded:
    """Constructors draw from the global generator only; leave it as it was."""

    def __enter__(self):
        self.state = torch.random.get_rng_state()
        torch.random.manual_seed(0)

    def __exit__(self, *_):
        torch.random.set_rng_state(self.state)


def inpainting_pipeline(folder):
    """Save SDXL inpainting: latents, mask and masked latents go into its U-Net."""
    from diffusers import StableDiffusionXLInpaintPipeline, UNet2DConditionModel

    config = dict(UNet2DConditionModel.load_config(tiny_pipeline("sdxl") / "unet"))
    with seeded():
        network = UNet2DConditionModel.from_config({**config, "in_channels": 9})
    pipeline = StableDiffusionXLInpaintPipeline.from_pretrained(
        tiny_pipeline("sdxl"), unet=network, add_watermarker=False
    )
    pipeline.save_pretrained(folder)
    return folder
