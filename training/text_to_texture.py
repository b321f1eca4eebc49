"""Train the text-to-texture network: a small latent diffusion U-Net with a text encoder of its own.

    python -m training.text_to_texture --total-minutes 75 --export assets3d/weights/texture

Most of the time goes to quarters of tiles. In the rest half of the steps see whole tiles with
padding that wraps, and half see them with the usual padding: the stage draws both ways. The
exported folder is a StableDiffusionPipeline with `words.json`, the words that the captions used.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from assets3d.textures.seamless.settings import NEGATIVE_PROMPT, STYLE
from training.card import write_card
from training.checkpoint import Progress
from training.diffusion import Noising, spread_steps
from training.latents import autoencoder_hash, load_autoencoder
from training.plots import contact_sheet
from training.run import command_line, fresh, run, settings_from
from training.text_to_image import (
    CAPTION_DROPOUT,
    draw_latents,
    new_text_encoder,
    save_pipeline,
    token_ids,
    velocity_loss,
)
from training.texture_autoencoder import FACTOR, decode_tiles, encode_tiles, on_torus
from training.texture_data import FOLDER, Textures, load_textures
from training.tokens import new_tokenizer, words_in

AUTOENCODER = Path("training/out/texture_vae")
TEXT_WIDTH = 64
WIDTHS = {"cpu": (32, 40, 48), "gpu": (32, 40, 48)}
ON_TORUS = 0.5
#: Until then quarters of tiles are seen, twice as many a step: words are learned sooner.
WHOLE_TILES_FROM = 0.7
WORD_GAIN = 4.0
#: What a caption is dropped for: guidance compares the words with either of them.
NO_WORDS = ["", NEGATIVE_PROMPT]


def with_styles(captions: NDArray[np.str_]) -> NDArray[np.str_]:
    """Return captions (N, K), then as the stage words a prompt: (N, 3 K), with style and "a"."""
    before, after = STYLE.split("{prompt}")
    ways = [("", ""), (before, after), (before + "a ", after)]
    return np.concatenate([np.char.add(np.char.add(b, captions), a) for b, a in ways], axis=1)


def new_unet(preset: str, channels: int, size: int) -> nn.Module:
    """Return an untrained U-Net for latents of size x size; words enter at half of that."""
    from diffusers import UNet2DConditionModel

    unet = UNet2DConditionModel(
        sample_size=size,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=WIDTHS[preset],
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    nn.init.zeros_(unet.conv_out.weight)  # of linear guesses at the velocity, 0 is about the best
    for name, part in unet.named_modules():
        if name.endswith("attn2.to_out.0"):  # else words are a whisper that training does not hear
            part.weight.data.mul_(WORD_GAIN)
    return unet


def new_small_text_encoder(tokenizer: Any) -> nn.Module:
    """Return an untrained CLIPTextModel of one layer whose words differ from the start.

    With CLIP's own small embeddings all texts look alike at first, and the U-Net learns to do
    without them.
    """
    text = new_text_encoder(tokenizer, TEXT_WIDTH, layers=1)
    nn.init.normal_(text.get_input_embeddings().weight)
    return text


def tile_latents(
    textures: Textures, autoencoder: Path, device: str, kept: Path | None = None
) -> torch.Tensor:
    """Return the latents (N, C, h, w) float16 of pictures, read from `kept` where they lie there.

    Args:
        textures: what to encode.
        autoencoder: folder of its weights.
        device: where to encode.
        kept: file to read, or to write; it names the autoencoder and the pictures.
    """
    names = [f"{f} {s}" for f, s in zip(textures.families, textures.seeds, strict=True)]
    made_from = json.dumps({"autoencoder": autoencoder_hash(autoencoder), "tiles": names})
    if kept is not None and kept.exists():
        with safe_open(kept, framework="pt") as file:
            if file.metadata()["made_from"] == made_from:
                return file.get_tensor("latents")
    found = encode_tiles(load_autoencoder(autoencoder, device), textures.pictures, device)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(kept.name + ".unfinished")
        save_file({"latents": found}, unfinished, metadata={"made_from": made_from})
        unfinished.replace(kept)
    return found


class TextToTextureTask:
    """Predict the velocity of tiles' latents from captions."""

    def __init__(
        self,
        training: Textures,
        validation: Textures,
        autoencoder: Path,
        *,
        preset: str,
        batch: int,
        device: str,
        out: Path,
    ):
        self.out = out
        captions = with_styles(training.captions)
        self.words = words_in([*captions.reshape(-1).tolist(), NEGATIVE_PROMPT])
        self.tokenizer = new_tokenizer(self.words)
        kept = out / "latents.safetensors"
        self.latents = tile_latents(training, autoencoder, device, kept).float()
        channels, size = self.latents.shape[1:3]
        self.networks = fresh(
            lambda: nn.ModuleDict(
                {
                    "unet": new_unet(preset, channels, size),
                    "text": new_small_text_encoder(self.tokenizer),
                }
            )
        )
        ids = token_ids(self.tokenizer, captions.reshape(-1).tolist())
        self.ids = ids.unflatten(0, captions.shape)
        self.nothing = token_ids(self.tokenizer, NO_WORDS)
        places = np.linspace(0, len(validation) - 1, min(76, len(validation))).round().astype(int)
        chosen = Textures(
            validation.pictures[places],
            validation.captions[places],
            validation.families[places],
            validation.seeds[places],
        )
        self.prompts = [str(caption) for caption in chosen.captions[:, 0]]
        self.validation = tile_latents(chosen, autoencoder, device).float()
        self.autoencoder, self.batch, self.device = autoencoder, batch, device
        self.noising = Noising(device)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        whole = progress >= WHOLE_TILES_FROM
        batch = self.batch if whole else 2 * self.batch
        count, variants = self.ids.shape[:2]
        tiles = torch.randint(count, (batch,), generator=generator)
        side = self.latents.shape[-1]
        seen = side if whole else side // 2
        turns = torch.randint(side, (batch, 2), generator=generator).tolist()
        clean = torch.stack(
            [
                self.latents[tile].roll(turn, (1, 2))[:, :seen, :seen]
                for tile, turn in zip(tiles, turns, strict=True)
            ]
        )
        ids = self.ids[tiles, torch.randint(variants, (batch,), generator=generator)]
        dropped = torch.rand(batch, generator=generator) < CAPTION_DROPOUT
        which = torch.randint(len(NO_WORDS), (batch,), generator=generator)
        ids[dropped] = self.nothing[which[dropped]]
        noise = torch.randn(clean.shape, generator=generator)
        steps = spread_steps(batch, generator)
        wraps = whole and float(torch.rand(1, generator=generator)) < ON_TORUS
        return self._velocity_loss(self.networks, clean, ids, noise, steps, wraps), batch

    def _velocity_loss(
        self,
        networks: nn.Module,
        clean: torch.Tensor,
        ids: torch.Tensor,
        noise: torch.Tensor,
        steps: torch.Tensor,
        wraps: bool,
    ) -> torch.Tensor:
        clean, ids, noise, steps = (x.to(self.device) for x in (clean, ids, noise, steps))
        with on_torus(unet=networks["unet"]) if wraps else nullcontext():
            return velocity_loss(networks, self.noising, clean, ids, noise, steps)

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """The loss on unseen seeds with fixed noise and steps, on the torus and with a border."""
        generator = torch.Generator().manual_seed(1)
        noise = torch.randn(self.validation.shape, generator=generator)
        steps = spread_steps(len(self.validation), generator)
        ids = token_ids(self.tokenizer, self.prompts)
        given = (networks, self.validation, ids, noise, steps)
        return {
            "validation_loss_torus": float(self._velocity_loss(*given, True)),
            "validation_loss_border": float(self._velocity_loss(*given, False)),
        }

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Sixteen unseen captions, one of every few families, 16 steps, guidance 3."""
        prompts = self.prompts[:: max(1, len(self.prompts) // 16)][:16]
        (self.out / "samples.txt").write_text("\n".join(prompts) + "\n")
        latents = self.generate(networks, prompts, steps=16, guidance=3.0, seed=0)
        pictures = decode_tiles(load_autoencoder(self.autoencoder, self.device), latents)
        return contact_sheet(pictures, 8)

    def generate(
        self, networks: nn.Module, prompts: list[str], *, steps: int, guidance: float, seed: int
    ) -> torch.Tensor:
        """Sample latents (N, C, h, w) of prompts on the torus."""
        generator = torch.Generator().manual_seed(seed)
        shape = (len(prompts), *self.latents.shape[1:])
        noise = torch.randn(shape, generator=generator).to(self.device)
        ids = token_ids(self.tokenizer, [""] * len(prompts) + prompts).to(self.device)
        with on_torus(unet=networks["unet"]):
            return draw_latents(networks, noise, ids, steps=steps, guidance=guidance)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write the whole pipeline, fp16, and words.json."""
        save_pipeline(networks, self.tokenizer, self.autoencoder, self.words, folder)
        side = FACTOR * self.latents.shape[-1]
        write_card(
            folder,
            f"Text to texture, {side} px",
            what="StableDiffusionPipeline: CLIP text encoder of one layer, U-Net of "
            f"{sum(p.numel() for p in networks['unet'].parameters()) / 1e6:.1f} M parameters, "
            f"autoencoder of factor {FACTOR}; v-prediction with zero terminal SNR, 10 % caption "
            "dropout, half of the steps on whole tiles on the torus.",
            data=f"{len(self.latents)} tiles of the procedural material world "
            "(`assets3d.textures.world`), softly lit, with generated captions.",
            note=note,
            progress=progress,
            limits=f"knows the {len(self.words)} words of `words.json` and the materials they "
            "name; any other word is spelt in letters that mean nothing to it.",
            command="python -m training.text_to_texture",
        )


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        __doc__.split("\n")[0],
        "text_to_texture",
        data=FOLDER,
        batch=8,
        rate=1e-3,  # at 2e-3 the lower half of the U-Net dies, and words with it
        total_minutes=75.0,
        minutes=60.0,
        decay=0.998,
        validate_minutes=6.0,
    )
    parser.add_argument("--autoencoder", type=Path, default=AUTOENCODER)
    options = parser.parse_args(arguments)
    task = TextToTextureTask(
        load_textures(options.data, "training", options.limit),
        load_textures(options.data, "validation"),
        options.autoencoder,
        preset=options.preset,
        batch=options.batch,
        device=options.device,
        out=options.out,
    )
    run(task, settings_from(options))


if __name__ == "__main__":
    main()
