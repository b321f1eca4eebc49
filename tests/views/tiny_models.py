"""Tiny random model folders in the official and the embedded layout."""

import json

import torch
from diffusers import AutoencoderKL, DDIMScheduler
from safetensors.torch import save_file
from transformers import (
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPVisionConfig,
    CLIPVisionModel,
)

from assets3d.views.embedded import EmbeddedViewsConfig, write_embedded
from assets3d.views.unet import MultiViewUNet
from assets3d.views.unet_config import MultiViewUNetConfig
from benchmarks.golden import golden_weight, shapes_of

WIDTH = 32
TINY = {
    "model_channels": 32,
    "channel_mult": (1, 2),
    "num_res_blocks": 1,
    "attention_resolutions": (2,),
    "num_head_channels": 32,
}


def golden_weights(config):
    shapes = shapes_of(lambda: MultiViewUNet(config))
    return {k: torch.from_numpy(golden_weight(k, s)).float() for k, s in shapes.items()}


def write_autoencoder(folder):
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        autoencoder = AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(8, 8, 8, 8),
            layers_per_block=1,
            norm_num_groups=4,
            mid_block_add_attention=False,
        )
    autoencoder.half().save_pretrained(folder)


def write_embedded_model(folder, **options):
    """weights/views beside weights/image/vae, as they ship."""
    write_autoencoder(folder / "image" / "vae")
    unet = MultiViewUNetConfig(**TINY, in_channels=8, context_dim=0)
    network = MultiViewUNet(unet)
    network.load_state_dict(golden_weights(unet))
    config = EmbeddedViewsConfig(unet=unet, size_px=32, steps=3, **options)
    write_embedded(folder / "views", network, config)
    return folder / "views"


def write_official_model(folder, image):
    write_autoencoder(folder / "vae")
    _write_tokenizer(folder / "tokenizer")
    parts = {"hidden_size": WIDTH, "intermediate_size": WIDTH, "num_attention_heads": 2}
    text = CLIPTextConfig(**parts, num_hidden_layers=2, vocab_size=64)
    CLIPTextModel(text).half().save_pretrained(folder / "text_encoder")
    DDIMScheduler(
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    ).save_pretrained(folder / "scheduler")
    extra = {}
    if image:
        vision = CLIPVisionConfig(**parts, num_hidden_layers=3, image_size=28, patch_size=14)
        CLIPVisionModel(vision).half().save_pretrained(folder / "image_encoder")
        size = {"shortest_edge": 28}
        crop = {"height": 28, "width": 28}
        CLIPImageProcessorPil(size=size, crop_size=crop).save_pretrained(
            folder / "feature_extractor"
        )
        extra = {"ip_dim": 4, "ip_embedding_dim": WIDTH, "frames": 5}
    config = MultiViewUNetConfig(**TINY, context_dim=WIDTH, **extra)
    (folder / "unet").mkdir()
    (folder / "unet" / "config.json").write_text(json.dumps(config.to_json()))
    save_file(
        {k: v.half() for k, v in golden_weights(config).items()},
        folder / "unet" / "diffusion_pytorch_model.safetensors",
    )
    # As at the hub: this line is what makes other loaders run the folder's own code.
    index = {"_class_name": "Pipeline", "unet": ["mv_unet", "MultiViewUNetModel"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "unet" / "mv_unet.py").write_text("raise RuntimeError('this must never run')\n")
    return folder


def _write_tokenizer(folder):
    folder.mkdir(parents=True)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["!", *letters, *(f"{x}</w>" for x in letters), "<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({word: i for i, word in enumerate(words)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    settings = {"model_max_length": 77, "pad_token": "!", "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
