"""Tiny random pipelines of every image family's real class, saved once per test run.

`tiny_pipeline(kind)` returns a diffusers folder that callers must not change (`copy_of` gives one
that they may). Text widths are the real ones (SD 1.5: 768, SD 2.1: 1024, SDXL: 768 + 1280), so that
whatever tells checkpoints apart by shape works on them; everything else is as small as can be.
"""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import torch

from tests.images.tiny import tiny_tokenizer

KINDS = ("sd15", "sd21", "sdxl", "lcm", "sd3", "hunyuan-dit")

_CHINESE = "一个红色的蘑菇木箱子绿宝石剑"
_NOISE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}


@functools.cache
def tiny_pipeline(kind, dtype=torch.float32):
    """Return the folder of a random pipeline; same kind and type, same folder and bytes."""
    folder = Path(tempfile.mkdtemp(prefix=f"tiny-{kind}-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    state = torch.random.get_rng_state()  # constructors draw from the global generator only
    torch.random.manual_seed(0)
    pipeline = _BUILDERS[kind]()
    torch.random.set_rng_state(state)
    pipeline.to(dtype=dtype).save_pretrained(folder)
    return folder


def copy_of(kind, folder):
    """Copy the pipeline's files to `folder`, where a test may change them; return it."""
    shutil.copytree(tiny_pipeline(kind), folder)
    return folder


def tiny_lora(path, kind="sd15", rank=2, seed=0, size=1.0):
    """Write a LoRA for the U-Net of `kind` in the layout of LCM-LoRA and SDXL-Lightning.

    Every attention projection of the U-Net gets a down and an up matrix and an alpha (= rank).
    """
    from safetensors.torch import load_file, save_file

    weights = load_file(tiny_pipeline(kind) / "unet/diffusion_pytorch_model.safetensors")
    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for name, weight in sorted(weights.items()):
        if not name.endswith(("to_q.weight", "to_k.weight", "to_v.weight", "to_out.0.weight")):
            continue
        key = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
        rows, columns = weight.shape
        tensors[f"{key}.lora_down.weight"] = torch.randn(rank, columns, generator=generator)
        tensors[f"{key}.lora_up.weight"] = size * torch.randn(rows, rank, generator=generator)
        tensors[f"{key}.alpha"] = torch.tensor(float(rank))
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def bert_tokenizer():
    """Word pieces for ASCII letters and a handful of Chinese characters."""
    from transformers import BertTokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,"
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *_CHINESE]
    pieces += [f"##{letter}" for letter in letters]
    with tempfile.TemporaryDirectory() as name:
        vocabulary = Path(name) / "vocab.txt"
        vocabulary.write_text("\n".join(pieces) + "\n", encoding="utf-8")
        return BertTokenizer.from_pretrained(name, model_max_length=77)


def t5_tokenizer():
    """Unigram pieces for ASCII letters and a handful of Chinese characters."""
    from transformers import T5Tokenizer

    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,"
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(character, -3.0) for character in (*letters, *_CHINESE)]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=256)


def clip_text(width, projected_to=None):
    """Return a CLIP text encoder of one layer; with `projected_to` the kind that projects."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    tokenizer = tiny_tokenizer()
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=77,
        projection_dim=projected_to or width,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return (CLIPTextModelWithProjection if projected_to else CLIPTextModel)(config)


def autoencoder(latent_channels=4, **options):
    """Return an autoencoder with the real factor of 8."""
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=latent_channels,
        norm_num_groups=4,
        layers_per_block=1,
        **options,
    )


def unet(width, **options):
    """Return a U-Net of two levels that reads text of `width`."""
    from diffusers import UNet2DConditionModel

    options = {
        "sample_size": 8,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "norm_num_groups": 8,
        "attention_head_dim": 8,
        **options,
    }
    return UNet2DConditionModel(cross_attention_dim=width, **options)


def _t5_encoder(width):
    from transformers import T5Config, T5EncoderModel

    return T5EncoderModel(
        T5Config(
            vocab_size=len(t5_tokenizer()),
            d_model=width,
            d_kv=8,
            d_ff=16,
            num_layers=1,
            num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    )


def _stable_diffusion(width, prediction_type):
    from diffusers import PNDMScheduler, StableDiffusionPipeline

    return StableDiffusionPipeline(
        vae=autoencoder(),
        text_encoder=clip_text(width),
        tokenizer=tiny_tokenizer(),
        unet=unet(width, use_linear_projection=width == 1024),
        scheduler=PNDMScheduler(skip_prk_steps=True, prediction_type=prediction_type, **_NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _latent_consistency():
    from diffusers import LatentConsistencyModelPipeline, LCMScheduler

    return LatentConsistencyModelPipeline(
        vae=autoencoder(),
        text_encoder=clip_text(768),
        tokenizer=tiny_tokenizer(),
        unet=unet(768, time_cond_proj_dim=16),
        scheduler=LCMScheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _stable_diffusion_xl():
    from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline

    return StableDiffusionXLPipeline(
        vae=autoencoder(),
        text_encoder=clip_text(768),
        tokenizer=tiny_tokenizer(),
        text_encoder_2=clip_text(1280, projected_to=1280),
        tokenizer_2=tiny_tokenizer(),
        unet=unet(
            2048,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=8 * 6 + 1280,
            transformer_layers_per_block=(1, 1),
            use_linear_projection=True,
        ),
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", **_NOISE),
        add_watermarker=False,
    )


def _stable_diffusion_3():
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        SD3Transformer2DModel,
        StableDiffusion3Pipeline,
    )

    return StableDiffusion3Pipeline(
        vae=autoencoder(16, shift_factor=0.0609, use_quant_conv=False, use_post_quant_conv=False),
        text_encoder=clip_text(16, projected_to=16),
        tokenizer=tiny_tokenizer(),
        text_encoder_2=clip_text(16, projected_to=16),
        tokenizer_2=tiny_tokenizer(),
        text_encoder_3=_t5_encoder(32),
        tokenizer_3=t5_tokenizer(),
        transformer=SD3Transformer2DModel(
            sample_size=8,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=2,
            caption_projection_dim=16,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            pos_embed_max_size=16,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def _hunyuan_dit():
    from diffusers import DDPMScheduler, HunyuanDiT2DModel, HunyuanDiTPipeline
    from transformers import BertConfig, BertModel

    tokenizer = bert_tokenizer()
    bert = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=77,
    )
    return HunyuanDiTPipeline(
        vae=autoencoder(),
        text_encoder=BertModel(bert),
        tokenizer=tokenizer,
        text_encoder_2=_t5_encoder(32),
        tokenizer_2=t5_tokenizer(),
        transformer=HunyuanDiT2DModel(
            sample_size=8,
            num_layers=2,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=2,
            in_channels=4,
            hidden_size=16,
            mlp_ratio=2.0,
            cross_attention_dim=16,
            cross_attention_dim_t5=32,
            pooled_projection_dim=16,
        ),
        scheduler=DDPMScheduler(
            prediction_type="v_prediction", **{**_NOISE, "beta_end": 0.02}, clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


_BUILDERS = {
    "sd15": functools.partial(_stable_diffusion, 768, "epsilon"),
    "sd21": functools.partial(_stable_diffusion, 1024, "v_prediction"),
    "sdxl": _stable_diffusion_xl,
    "lcm": _latent_consistency,
    "sd3": _stable_diffusion_3,
    "hunyuan-dit": _hunyuan_dit,
}
