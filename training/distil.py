"""Teach the image or the views network to draw in few steps, and the former without guidance.

    python -m training.distil image --weights assets3d/weights/image --export training/out/few/image
    python -m training.distil views --weights assets3d/weights/views --export training/out/few/views

One round of progressive distillation (`training.distillation`): the student starts as a copy of
the exported network, takes `--student-steps`, and writes a folder of the same kind; set the
profile's `steps` to that number and its `guidance` to 1. It reads the latents that the network
itself was trained on.
"""

from __future__ import annotations

import copy
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training import latents as view_latents
from training import picture_latents
from training.card import write_card
from training.checkpoint import Progress
from training.diffusion import Noising
from training.distillation import distilled_target, trailing_steps
from training.image_networks import draw_latents, save_pipeline, token_ids
from training.latents import decode, load_autoencoder
from training.plots import contact_sheet
from training.run import command_line, run, settings_from

STUDENT_STEPS = 8
VALIDATION = 48
SAMPLES = 16


class DistilTask:
    """What both kinds share: the loss against a teacher's two steps, fixed validation noise."""

    networks: nn.Module
    clean: torch.Tensor
    validation: torch.Tensor

    def __init__(self, *, student_steps: int, batch: int, device: str) -> None:
        self.student_steps, self.batch, self.device = student_steps, batch, device
        self.noising = Noising(device)

    def loss(self, progress: float, generator: torch.Generator) -> tuple[torch.Tensor, int]:
        """See `training.task.Task`."""
        chosen = torch.randint(len(self.clean), (self.batch,), generator=generator)
        ways = torch.randint(self.clean.shape[1], (self.batch,), generator=generator)
        clean = self.clean[chosen, ways].float()
        given = self.given(chosen, clean, generator)
        return self._error(self.networks, clean, given, generator), self.batch

    def validate(self, networks: nn.Module) -> dict[str, float]:
        """The student's error and, for comparison, that of the teacher itself in one step."""
        clean = self.validation.float()
        found = {}
        for name, network in (("student_error", networks), ("teacher_error", self.teacher_network)):
            generator = torch.Generator().manual_seed(1)
            given = self.validation_given(generator)
            found[name] = float(self._error(network, clean, given, generator))
        return found

    def _error(
        self, network: nn.Module, clean: torch.Tensor, given: Any, generator: torch.Generator
    ) -> torch.Tensor:
        places = torch.randint(self.student_steps, (len(clean),), generator=generator)
        noise = torch.randn(clean.shape, generator=generator).to(self.device)
        clean, places = clean.to(self.device), places.to(self.device)
        start = self.step_numbers[places]
        noisy, _ = self.noising.mix(clean, noise, start)
        steps, target = distilled_target(
            lambda z, t: self.taught(z, t, given), self.noising, noisy, places, self.student_steps
        )
        found = self.said(network, noisy, steps, given)
        return (found - target).square().mean()

    @property
    def step_numbers(self) -> torch.Tensor:
        """The student's time steps (N,)."""
        return torch.tensor(trailing_steps(self.student_steps), device=self.device)

    teacher_network: nn.Module

    def given(self, chosen: torch.Tensor, clean: torch.Tensor, generator: torch.Generator) -> Any:
        """Return what else the networks are given for the chosen samples."""
        raise NotImplementedError

    def validation_given(self, generator: torch.Generator) -> Any:
        """Return the same for the validation samples."""
        raise NotImplementedError

    def said(
        self, network: nn.Module, noisy: torch.Tensor, steps: torch.Tensor, given: Any
    ) -> torch.Tensor:
        """Return a network's velocity."""
        raise NotImplementedError

    def taught(self, noisy: torch.Tensor, steps: torch.Tensor, given: Any) -> torch.Tensor:
        """Return the teacher's velocity, guidance included."""
        return self.said(self.teacher_network, noisy, steps, given)


class DistilImage(DistilTask):
    """Of the text-to-image U-Net; the text encoder stays."""

    def __init__(
        self,
        weights: Path,
        training: picture_latents.PictureLatents,
        validation: picture_latents.PictureLatents,
        autoencoder: Path,
        *,
        guidance: float,
        **shared: Any,
    ) -> None:
        from diffusers import StableDiffusionPipeline

        super().__init__(**shared)
        pipeline = StableDiffusionPipeline.from_pretrained(
            weights, dtype=torch.float32, local_files_only=True, safety_checker=None
        )
        self.weights, self.autoencoder, self.guidance = weights, autoencoder, guidance
        self.tokenizer, self.text = pipeline.tokenizer, pipeline.text_encoder.to(self.device)
        self.teacher_network = pipeline.unet.eval().requires_grad_(False).to(self.device)
        self.networks = copy.deepcopy(pipeline.unet).train().requires_grad_(True)
        self.clean = training.latents
        variants = training.captions.shape[1]
        captions = training.captions.reshape(-1).tolist()
        self.ids = token_ids(self.tokenizer, captions).unflatten(0, (-1, variants))
        places = np.unique(np.linspace(0, len(validation) - 1, VALIDATION).round().astype(int))
        self.validation = validation.latents[places, 0]
        self.prompts = [str(caption) for caption in validation.captions[places, 0]]
        self.nothing = token_ids(self.tokenizer, [""])

    def given(self, chosen: torch.Tensor, clean: torch.Tensor, generator: torch.Generator) -> Any:
        """Token embeddings of a caption of each, and of none: (2, B, 32, width)."""
        variants = self.ids.shape[1]
        ids = self.ids[chosen, torch.randint(variants, (len(chosen),), generator=generator)]
        return self._context(ids)

    def validation_given(self, generator: torch.Generator) -> Any:
        """See `given`."""
        return self._context(token_ids(self.tokenizer, self.prompts))

    def _context(self, ids: torch.Tensor) -> torch.Tensor:
        both = torch.cat([ids, self.nothing.expand(len(ids), -1)]).to(self.device)
        with torch.no_grad():
            return self.text(both).last_hidden_state.unflatten(0, (2, -1))

    def said(
        self, network: nn.Module, noisy: torch.Tensor, steps: torch.Tensor, given: Any
    ) -> torch.Tensor:
        """Without guidance."""
        return network(noisy, steps, encoder_hidden_states=given[0]).sample

    def taught(self, noisy: torch.Tensor, steps: torch.Tensor, given: Any) -> torch.Tensor:
        """With guidance."""
        both = self.teacher_network(
            torch.cat([noisy, noisy]), steps.repeat(2), encoder_hidden_states=given.flatten(0, 1)
        ).sample
        with_words, without = both.chunk(2)
        return without + self.guidance * (with_words - without)

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Two rows of the teacher in twice the steps with guidance, two of the student."""
        prompts = self.prompts[:SAMPLES]
        ids = token_ids(self.tokenizer, [""] * len(prompts) + prompts).to(self.device)
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn((len(prompts), *self.clean.shape[2:]), generator=generator)
        found = []
        for unet, steps, guidance in (
            (self.teacher_network, 2 * self.student_steps, self.guidance),
            (networks, self.student_steps, 1.0),
        ):
            pair = nn.ModuleDict({"unet": unet, "text": self.text})
            noise_here = noise.to(self.device)
            latents = draw_latents(pair, noise_here, ids, steps=steps, guidance=guidance)
            found.append(decode(load_autoencoder(self.autoencoder, self.device), latents))
        return contact_sheet(np.concatenate(found), 8)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write the pipeline with the student's U-Net, and its card below the teacher's."""
        words = json.loads((self.weights / "words.json").read_text())["words"]
        pair = nn.ModuleDict({"unet": networks, "text": copy.deepcopy(self.text)})
        save_pipeline(pair, self.tokenizer, self.autoencoder, words, folder)
        _card(self.weights, folder, progress, note, self.student_steps, f" {self.guidance:g}")


class DistilViews(DistilTask):
    """Of the views network, which has no guidance."""

    def __init__(
        self,
        weights: Path,
        training: view_latents.Latents,
        validation: view_latents.Latents,
        **shared: Any,
    ) -> None:
        from assets3d.views.cameras import view_vectors
        from assets3d.views.model import load_views_model

        super().__init__(**shared)
        model = load_views_model(weights)
        self.weights, self.config = weights, model.config
        self.teacher_network = model.unet.eval().requires_grad_(False).to(self.device)
        self.networks = copy.deepcopy(model.unet).train().requires_grad_(True)
        self.clean = torch.stack([training.plain, training.mirrored], 1)
        self.validation = validation.plain[:VALIDATION]
        self.cameras = torch.from_numpy(view_vectors()).to(self.device)

    def given(self, chosen: torch.Tensor, clean: torch.Tensor, generator: torch.Generator) -> Any:
        """The latents of the input pictures."""
        return clean[:, 0].to(self.device)

    def validation_given(self, generator: torch.Generator) -> Any:
        """See `given`."""
        return self.validation[:, 0].float().to(self.device)

    def said(
        self, network: nn.Module, noisy: torch.Tensor, steps: torch.Tensor, given: Any
    ) -> torch.Tensor:
        """All four frames at once."""
        from assets3d.views.embedded import network_input

        frames = noisy.shape[1]
        found = network(
            network_input(noisy.flatten(0, 1), given),
            steps.repeat_interleave(frames),
            self.cameras.repeat(len(noisy), 1),
        )
        return found.unflatten(0, (-1, frames))

    def samples(self, networks: nn.Module) -> NDArray[np.uint8]:
        """Nothing to draw here: `benchmarks.quality` judges views."""
        return np.full((8, 8, 3), 255, np.uint8)

    def export(self, networks: nn.Module, folder: Path, progress: Progress, note: str) -> None:
        """Write config.json, with the new number of steps, and fp16 weights."""
        from dataclasses import replace

        from assets3d.views.embedded import write_embedded

        write_embedded(folder, networks, replace(self.config, steps=self.student_steps))
        _card(self.weights, folder, progress, note, self.student_steps, "")


def _card(
    teacher: Path, folder: Path, progress: Progress, note: str, steps: int, guidance: str
) -> None:
    """Write the student's card and keep the teacher's beside it."""
    write_card(
        folder,
        f"{json.loads((teacher / 'training.json').read_text())['title']}, {steps} steps",
        what=f"Distilled to {steps} steps" + (f" and guidance{guidance}." if guidance else "."),
        data="that of its teacher, whose card is `teacher.md`.",
        note=note,
        progress=progress,
        limits="those of its teacher; draw it with DDIM, trailing steps, this number of them and "
        "no guidance.",
        command="python -m training.distil",
    )
    shutil.copy(teacher / "README.md", folder / "teacher.md")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = command_line(
        "Distil an exported network to few steps.", "distil", batch=8, rate=2e-4, total_minutes=15.0
    )
    parser.add_argument("kind", choices=["image", "views"])
    parser.add_argument("--weights", type=Path, required=True, help="the exported teacher")
    parser.add_argument("--latents", type=Path, default=None)
    parser.add_argument("--autoencoder", type=Path, default=None, help="the weights' own")
    parser.add_argument("--student-steps", type=int, default=STUDENT_STEPS)
    parser.add_argument("--guidance", type=float, default=2.0, help="that the image learns")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    shared: dict[str, Any] = {
        "student_steps": options.student_steps,
        "batch": options.batch,
        "device": options.device,
    }
    task: DistilTask
    if options.kind == "image":
        autoencoder = options.autoencoder or options.weights / "vae"
        folder = options.latents or picture_latents.FOLDER
        pictures = (
            picture_latents.load_picture_latents(folder, split, autoencoder)
            for split in ("training", "validation")
        )
        task = DistilImage(
            options.weights, *pictures, autoencoder, guidance=options.guidance, **shared
        )
    else:
        autoencoder = options.autoencoder or options.weights.parent / "image" / "vae"
        folder = options.latents or view_latents.FOLDER
        views = (
            view_latents.load_latents(folder, split, autoencoder)
            for split in ("training", "validation")
        )
        task = DistilViews(options.weights, *views, **shared)
    run(task, settings_from(options))


if __name__ == "__main__":
    main()
