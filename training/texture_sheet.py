"""Draw the sheet by which the image model is judged on materials: one prompt a seed, none left out.

python -m training.texture_sheet --weights assets3d/weights/image --out sheet.png
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

#: Prompt i is drawn with seed i.
PROMPTS = (
    *("a red brick wall", "old mossy bricks", "grey cobblestone", "wooden planks"),
    *("painted blue wooden planks", "rusty metal plates", "riveted metal", "blue woven fabric"),
    *("wet gravel", "rippled sand", "tree bark", "mossy rock", "rock", "green moss", "grass"),
    *("dry grass", "brown soil with stones", "dry cracked red mud", "concrete wall"),
    *("white marble tiles", "beige pavers", "rusty corrugated metal", "snow", "blue ice"),
)
COLUMNS, LABEL_PX = 6, 16


def sheet(weights: Path, *, size_px: int, show_px: int, steps: int, guidance: float) -> Image.Image:
    """Return a sheet of all prompts, each tile shown twice both ways at `show_px`."""
    from assets3d.images.text_to_image import load_pipeline
    from assets3d.textures.seamless.settings import SeamlessSettings
    from assets3d.textures.seamless.texture import seamless_texture

    pipeline = load_pipeline(weights)
    rows = -(-len(PROMPTS) // COLUMNS)
    found = Image.new("RGB", (COLUMNS * show_px, rows * (show_px + LABEL_PX)), "white")
    draw = ImageDraw.Draw(found)
    for seed, prompt in enumerate(PROMPTS):
        tile = seamless_texture(
            pipeline,
            prompt,
            seed=seed,
            steps=steps,
            guidance=guidance,
            size_px=size_px,
            settings=SeamlessSettings(mode="circular"),
        )
        row, column = divmod(seed, COLUMNS)
        left, top = column * show_px, row * (show_px + LABEL_PX)
        tiled = Image.fromarray(np.tile(tile, (2, 2, 1)))
        tiled = tiled.resize((show_px, show_px), Image.Resampling.LANCZOS)
        found.paste(tiled, (left, top + LABEL_PX))
        draw.text((left + 3, top + 2), prompt, fill=(60, 60, 60))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weights", type=Path, default=Path("assets3d/weights/image"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/texture_network.png"))
    parser.add_argument("--size-px", type=int, default=256)
    parser.add_argument("--show-px", type=int, default=160)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(options.threads)
    started = time.monotonic()
    made = sheet(
        options.weights,
        size_px=options.size_px,
        show_px=options.show_px,
        steps=options.steps,
        guidance=options.guidance,
    )
    made.save(options.out, optimize=True)
    print(f"{options.out}: {(time.monotonic() - started) / len(PROMPTS):.2f} s a texture")


if __name__ == "__main__":
    main()
