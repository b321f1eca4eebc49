"""Tiny single-file checkpoints in the layouts of SD 1.5, SD 2 and SDXL, and the pipelines in them.

The writer names tensors as latent-diffusion's training code did, by rules of its own, so that the
reader is not tested against itself; diffusers' own reader is asked too.
"""

import re
import types

import torch

from tests.images.tiny import tiny_tokenizer

_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_PLAIN = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}


def tiny_pipeline_for(layout, seed=0):
    """Return a random pipeline on the CPU whose shapes a latent-diffusion file can hold."""
    import diffusers
    import transformers

    state = torch.random.get_rng_state()
    torch.random.manual_seed(seed)
    tokenizer = tiny_tokenizer()
    first = _text(tokenizer, 64, open_clip=layout == "sd2")
    parts = {
        "vae": diffusers.AutoencoderKL(
            block_out_channels=(32, 32),
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            layers_per_block=1,
            latent_channels=4,
            scaling_factor=0.13025 if layout == "sdxl" else 0.18215,
        ),
        "unet": _unet(layout),
        "text_encoder": transformers.CLIPTextModel(first),
        "tokenizer": tokenizer,
    }
    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    noise |= {"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}
    scheduler = diffusers.DDIMScheduler(**noise)
    if layout == "sdxl":
        second = _text(tokenizer, 128, open_clip=True)
        parts["text_encoder_2"] = transformers.CLIPTextModelWithProjection(second)
        padded = tiny_tokenizer()
        padded.pad_token = "!"
        parts["tokenizer_2"] = padded
        pipeline = diffusers.StableDiffusionXLPipeline(
            **parts, scheduler=scheduler, add_watermarker=False
        )
    else:
        if layout == "sd2":
            tokenizer.pad_token = "!"
        pipeline = diffusers.StableDiffusionPipeline(
            **parts,
            scheduler=scheduler,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    torch.random.set_rng_state(state)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _unet(layout):
    from diffusers import UNet2DConditionModel

    options = {"cross_attention_dim": 192 if layout == "sdxl" else 64}
    options["attention_head_dim"] = 8 if layout == "sd15" else [1, 2]
    options["use_linear_projection"] = layout != "sd15"
    levels = (("DownBlock2D", "CrossAttnDownBlock2D"), ("CrossAttnUpBlock2D", "UpBlock2D"))
    if layout == "sdxl":
        options |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + 128,
            "transformer_layers_per_block": [1, 2],
        }
    else:  # without attention at the coarsest level, as SD 1.5 and 2 are
        levels = (levels[0][::-1], levels[1][::-1])
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(64, 128),
        layers_per_block=1,
        down_block_types=levels[0],
        up_block_types=levels[1],
        **options,
    )


def _text(tokenizer, width, *, open_clip):
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=width // 64,
        max_position_embeddings=77,
        projection_dim=width,
        hidden_act="gelu" if open_clip else "quick_gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.convert_tokens_to_ids("!" if open_clip else "<|endoftext|>"),
    )


def official_networks(layout):
    """Return the networks of the published checkpoints, without memory, as a pipeline has them."""
    import diffusers
    import transformers

    options = {"block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8}
    options["cross_attention_dim"] = 768
    if layout == "sd2":
        options |= {"attention_head_dim": (5, 10, 20, 20), "cross_attention_dim": 1024}
        options["use_linear_projection"] = True
    if layout == "sdxl":
        options = {
            "block_out_channels": (320, 640, 1280),
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2, 10),
            "attention_head_dim": (5, 10, 20),
            "cross_attention_dim": 2048,
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 2816,
        }
    sizes = {"sd2": (1024, 4096, 23, 16)}.get(layout, (768, 3072, 12, 12))
    with torch.device("meta"):
        parts = {
            "unet": diffusers.UNet2DConditionModel(**options),
            "vae": diffusers.AutoencoderKL(
                block_out_channels=(128, 256, 512, 512),
                down_block_types=("DownEncoderBlock2D",) * 4,
                up_block_types=("UpDecoderBlock2D",) * 4,
                layers_per_block=2,
            ),
            "text_encoder": transformers.CLIPTextModel(_clip_config(*sizes)),
        }
        if layout == "sdxl":
            config = _clip_config(1280, 5120, 32, 20)
            parts["text_encoder_2"] = transformers.CLIPTextModelWithProjection(config)
    return types.SimpleNamespace(**parts)


def _clip_config(width, inner, layers, heads):
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
    )


def single_file_tensors(pipeline, layout):
    """Return the pipeline's tensors as a single file names and shapes them."""
    unet, vae = pipeline.unet.state_dict(), pipeline.vae.state_dict()
    layers = pipeline.unet.config["layers_per_block"]
    levels = len(pipeline.vae.config["block_out_channels"])
    tensors = {f"model.diffusion_model.{_unet_name(k, unet, layers)}": v for k, v in unet.items()}
    for name, value in vae.items():
        if ".attentions.0.to_" in name and name.endswith(".weight"):
            value = value[:, :, None, None]
        tensors[f"first_stage_model.{_vae_name(name, levels)}"] = value
    clip = "conditioner.embedders.0" if layout == "sdxl" else "cond_stage_model"
    if layout == "sd2":
        tensors |= _open_clip(pipeline.text_encoder, "cond_stage_model.model.")
        # The last layer is in the file, and not used.
        used = pipeline.text_encoder.config.num_hidden_layers
        ending, unused = f".resblocks.{used - 1}.", f".resblocks.{used}."
        last = [k for k in tensors if ending in k]
        tensors |= {k.replace(ending, unused): tensors[k] + 1 for k in last}
        tensors["cond_stage_model.model.text_projection"] = torch.zeros(64, 64)
    else:
        root = f"{clip}.transformer.text_model."
        for name, value in pipeline.text_encoder.state_dict().items():
            tensors[root + name.removeprefix("text_model.")] = value
        tensors[f"{root}embeddings.position_ids"] = torch.arange(77)[None]
    if layout == "sdxl":
        root = "conditioner.embedders.1.model."
        tensors |= _open_clip(pipeline.text_encoder_2, root)
        tensors[f"{root}logit_scale"] = torch.zeros(())
    tensors["alphas_cumprod"] = torch.zeros(3)  # training leaves such buffers
    return {name: value.detach().clone().contiguous() for name, value in tensors.items()}


def write_single_file(path, tensors):
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


def _swap(name, table):
    for old, new in table.items():
        if name.startswith(f"{old}.") or f".{old}." in name:
            return name.replace(old, new, 1)
    return name


def _unet_name(name, all_names, layers):
    name = _swap(name, _RESNET) if ".resnets." in name else name
    found = re.fullmatch(
        r"(down|up)_blocks\.(\d)\.(resnets|attentions|\w+samplers)\.(\d)\.(.+)", name
    )
    if found is None:
        return _swap(name, _PLAIN)
    side, level, kind, layer, rest = found.groups()
    block = int(level) * (layers + 1) + int(layer)
    if side == "down":
        if kind == "downsamplers":
            return f"input_blocks.{(int(level) + 1) * (layers + 1)}.0.{rest.replace('conv', 'op')}"
        return f"input_blocks.{block + 1}.{int(kind == 'attentions')}.{rest}"
    if kind == "upsamplers":
        # It comes last in its block: after the attention, where there is one.
        last = 2 if any(f"up_blocks.{level}.attentions." in n for n in all_names) else 1
        return f"output_blocks.{int(level) * (layers + 1) + layers}.{last}.{rest}"
    return f"output_blocks.{block}.{int(kind == 'attentions')}.{rest}"


def _vae_name(name, levels):
    name = name.replace("mid_block.resnets.0", "mid.block_1").replace(
        "mid_block.resnets.1", "mid.block_2"
    )
    for old, new in (("group_norm", "norm"), ("to_out.0", "proj_out")):
        name = name.replace(f"mid_block.attentions.0.{old}", f"mid.attn_1.{new}")
    name = re.sub(r"mid_block\.attentions\.0\.to_([qkv])", r"mid.attn_1.\1", name)
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    found = re.match(r"decoder\.up_blocks\.(\d)\.", name)
    if found:
        other = levels - 1 - int(found[1])
        name = name.replace(f"up_blocks.{found[1]}.resnets", f"up.{other}.block")
        name = name.replace(f"up_blocks.{found[1]}.upsamplers.0", f"up.{other}.upsample")
    return name.replace("conv_shortcut", "nin_shortcut").replace("conv_norm_out", "norm_out")


def _open_clip(encoder, root):
    own = {k.removeprefix("text_model."): v for k, v in encoder.state_dict().items()}
    tensors = {
        "token_embedding.weight": own["embeddings.token_embedding.weight"],
        "positional_embedding": own["embeddings.position_embedding.weight"],
        "ln_final.weight": own["final_layer_norm.weight"],
        "ln_final.bias": own["final_layer_norm.bias"],
    }
    if "text_projection.weight" in own:
        tensors["text_projection"] = own["text_projection.weight"].T
    pairs = {"ln_1": "layer_norm1", "ln_2": "layer_norm2", "attn.out_proj": "self_attn.out_proj"}
    pairs |= {"mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}
    for layer in range(encoder.config.num_hidden_layers):
        for kind in ("weight", "bias"):
            block, source = f"transformer.resblocks.{layer}", f"encoder.layers.{layer}"
            for theirs, ours in pairs.items():
                tensors[f"{block}.{theirs}.{kind}"] = own[f"{source}.{ours}.{kind}"]
            joined = torch.cat([own[f"{source}.self_attn.{p}_proj.{kind}"] for p in "qkv"])
            tensors[f"{block}.attn.in_proj_{kind}"] = joined
    return {root + name: value for name, value in tensors.items()}
