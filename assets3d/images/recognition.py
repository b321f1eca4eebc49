"""Does a cutout show what its words name, as far as a classifier knows the thing?

The classifier was trained on renders of the prop world (`training.recognition`) and knows its
families only. Of words that name none of them it says nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError

if TYPE_CHECKING:
    import torch

    from assets3d.images.recognition_network import Recogniser

#: The field that error messages begin with.
FIELD = "choose.model"
#: In a model folder: family -> what people call one and several of it, in the order of the answers.
FAMILIES_FILE = "families.json"
#: A classifier errs: what it does not recognise at all keeps this much.
_LEAST = 0.05
#: Alpha from which a pixel counts as the object, and the empty border around it.
_INSIDE, _BORDER = 128, 0.06
#: What follows these words is a detail, not the thing.
_DETAILS = re.compile(r"\b(with|on|in|under|beside|and its)\b")


class FamilyJudge:
    """Says how sure the classifier is that a cutout shows the family that the words name."""

    def __init__(self, network: Recogniser, nouns: Mapping[str, tuple[str, ...]]) -> None:
        self.network, self.nouns = network, nouns

    def __call__(self, rgba: NDArray[np.uint8], prompt: str) -> float | None:
        """Return 0..1 for a cutout (H, W, 4), or None where the words name no family it knows."""
        named = families_named(prompt, self.nouns)
        if not named:
            return None
        shares = self.families(rgba)
        return _LEAST + (1.0 - _LEAST) * sum(shares[name] for name in named)

    def families(self, rgba: NDArray[np.uint8]) -> dict[str, float]:
        """Return family -> how sure the classifier is of it; together 1."""
        import torch

        with torch.inference_mode():
            logits = self.network(as_seen([rgba]))[0]
        return dict(zip(self.nouns, torch.softmax(logits, 0).tolist(), strict=True))


def load_judge(folder: Path) -> FamilyJudge:
    """Load the classifier from a folder of `recogniser.safetensors` and `families.json`.

    Raises:
        InputError: a file is missing, damaged, or the two do not belong together.
        PassingError: the disk failed.
    """
    import torch

    from assets3d.checkpoints import build_with, find_weights, read_weights
    from assets3d.images.recognition_network import Recogniser

    path = folder / FAMILIES_FILE
    try:
        nouns = {name: tuple(words) for name, words in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        wanted = '{"mushroom": ["mushroom", "mushrooms", "toadstool"], ...}'
        raise InputError(f"{FIELD}: {path.name} is not there or damaged, wanted {wanted}") from None
    weights = read_weights(find_weights(folder, "recogniser", FIELD), FIELD)
    network = build_with(lambda: Recogniser(len(nouns)), weights, FIELD, torch.float32)
    return FamilyJudge(network, nouns)


def families_named(prompt: str, nouns: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the families whose noun is the last in a prompt, its details aside; [] if none is.

    Of two nouns that end at the same word the longer counts: "treasure chest", not "chest".
    """
    main = _DETAILS.split(prompt.lower())[0]
    words = re.findall(r"[a-z]+", main)
    found: dict[str, tuple[int, int]] = {}
    for family, names in nouns.items():
        for name in names:
            parts = re.findall(r"[a-z]+", name.lower())
            for end in range(len(words), len(parts) - 1, -1):
                if words[end - len(parts) : end] == parts:
                    found[family] = max(found.get(family, (0, 0)), (end, len(parts)))
                    break
    last = max(found.values(), default=None)
    return [family for family, place in found.items() if place == last]


def as_seen(cutouts: list[NDArray[np.uint8]]) -> torch.Tensor:
    """Return cutouts (H, W, 4) as the classifier sees them: (N, 4, 64, 64), all of one size."""
    import torch
    from PIL import Image

    from assets3d.images.recognition_network import SIDE_PX

    seen = []
    for rgba in cutouts:
        rows, columns = np.nonzero(rgba[..., 3] >= _INSIDE)
        if not len(rows):
            rows, columns = np.array([0, len(rgba) - 1]), np.array([0, rgba.shape[1] - 1])
        top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
        side = round(max(bottom - top, right - left) * (1.0 + 2.0 * _BORDER))
        square = np.zeros((side, side, 4), np.uint8)
        y, x = (side - (bottom - top)) // 2, (side - (right - left)) // 2
        square[y : y + bottom - top, x : x + right - left] = rgba[top:bottom, left:right]
        # Pillow weighs colours by their alpha when it resizes.
        small = Image.fromarray(square).resize((SIDE_PX,) * 2, Image.Resampling.BOX)
        values = np.asarray(small, dtype=np.float32) / 255.0
        alpha = values[..., 3:]
        seen.append(np.dstack([values[..., :3] * alpha + 1.0 - alpha, alpha]))
    return torch.from_numpy(np.stack(seen)).permute(0, 3, 1, 2).contiguous() * 2.0 - 1.0
