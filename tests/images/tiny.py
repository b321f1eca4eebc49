"""Tiny random text-to-image pipelines with a tokenizer of their own, for tests without weights."""

import json
import tempfile
from pathlib import Path

import torch


def tiny_tokenizer():
    from transformers import CLIPTokenizer

    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    characters = [chr(b) for b in kept] + [chr(256 + i) for i in range(256 - len(kept))]
    tokens = [*characters, *(c + "</w>" for c in characters), "re", "red</w>"]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    with tempfile.TemporaryDirectory() as name:
        vocabulary, merges = Path(name) / "vocab.json", Path(name) / "merges.txt"
        vocabulary.write_text(json.dumps({token: i for i, token in enumerate(tokens)}))
        merges.write_text("#version: 0.2\nr e\nre d</w>\n")
        return CLIPTokenizer(
            str(vocabulary),
            str(merges),
            model_max_length=77,
            unk_token="<|endoftext|>",
            pad_token="<|endoftext|>",
        )


def _text_config(tokenizer):
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _autoencoder():
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
    )


def _unet(**options):
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=8,
        attention_head_dim=8,
        **options,
    )


def build_tiny_pipeline(folder, *, xl=False, seed=0, dtype=torch.float32, variant=None):
    """Save a random StableDiffusionPipeline (or SDXL) for 64 px pictures; return `folder`."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = tiny_tokenizer()
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
    state = torch.random.get_rng_state()  # constructors draw from the global generator only
    torch.random.manual_seed(seed)
    common = {"vae": _autoencoder(), "tokenizer": tokenizer, "scheduler": scheduler}
    text = CLIPTextModel(_text_config(tokenizer))
    if xl:
        unet = _unet(
            cross_attention_dim=64,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=8 * 6 + 32,
            transformer_layers_per_block=(1, 1),
        )
        pipeline = StableDiffusionXLPipeline(
            **common,
            unet=unet,
            text_encoder=text,
            text_encoder_2=CLIPTextModelWithProjection(_text_config(tokenizer)),
            tokenizer_2=tokenizer,
            add_watermarker=False,
        )
    else:
        pipeline = StableDiffusionPipeline(
            **common,
            unet=_unet(cross_attention_dim=32),
            text_encoder=text,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    torch.random.set_rng_state(state)
    pipeline.to(dtype=dtype).save_pretrained(folder, variant=variant)
    return folder
