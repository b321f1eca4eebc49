"""Textual inversion: words of a prompt that stand for learned vectors.

Files are safetensors in one of three layouts: `emb_params` (WebUI), one tensor under the token's
own name (diffusers), or `clip_l` and `clip_g` (SDXL, one per text encoder). Each vector becomes a
token of its own; `EmbeddingTokens.expanded` puts these tokens where the prompt says the word.
Importing this module imports no torch.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets3d.errors import InputError
from assets3d.weight_files import read_tensors

if TYPE_CHECKING:
    import torch

#: The manifest's field that error messages begin with.
FIELD = "embeddings"

#: Text encoder -> its tokenizer, in the order in which SDXL's layout names them.
_ENCODERS = {"text_encoder": "tokenizer", "text_encoder_2": "tokenizer_2"}


@dataclass(frozen=True)
class Embedding:
    """A learned word.

    Attributes:
        path: its safetensors file.
        token: the word of the prompt that stands for it.
    """

    path: Path
    token: str


@dataclass(frozen=True)
class EmbeddingTokens:
    """What stands in a prompt for each learned word: word -> tokens that the tokenizers know."""

    by_word: Mapping[str, str] = field(default_factory=dict)

    def expanded(self, prompt: str) -> list[tuple[str, bool]]:
        """Split a prompt into (text, is it a learned word's tokens); case does not matter."""
        if not self.by_word:
            return [(prompt, False)]
        lowered = {word.lower(): tokens for word, tokens in self.by_word.items()}
        words = "|".join(re.escape(word) for word in sorted(lowered, key=len, reverse=True))
        pieces = re.split(rf"(?<!\w)({words})(?!\w)", prompt, flags=re.IGNORECASE)
        pairs = [(lowered.get(p.lower(), p), number % 2 == 1) for number, p in enumerate(pieces)]
        return [(text, learned) for text, learned in pairs if text.strip()]


@contextmanager
def added_embeddings(pipeline: Any, embeddings: Sequence[Embedding]) -> Iterator[EmbeddingTokens]:
    """Teach a pipeline words inside a `with`; afterwards it is as before.

    Tokenizers are copied, not changed: taking tokens out of one is not supported by its library.

    Raises:
        InputError: a file that is no such embedding, or for other text encoders; a word said twice.
    """
    encoders = [name for name in _ENCODERS if getattr(pipeline, name, None) is not None]
    matrices: dict[str, dict[str, torch.Tensor]] = {name: {} for name in encoders}
    by_word: dict[str, str] = {}
    for one in embeddings:
        if one.token.lower() in (word.lower() for word in by_word):
            raise InputError(f"{FIELD}: found {one.token!r} twice, wanted a token for each file")
        found = _read(one.path, pipeline, encoders)
        rows = len(next(iter(found.values())))
        tokens = [f"<|{one.token.lower()}:{row}|>" for row in range(rows)]
        by_word[one.token] = " ".join(tokens)
        for name, matrix in found.items():
            matrices[name] |= dict(zip(tokens, matrix, strict=True))
    undo = []
    try:
        if embeddings:
            undo = [_teach(pipeline, name, vectors) for name, vectors in matrices.items()]
        yield EmbeddingTokens(by_word)
    finally:
        for name, before in zip(encoders, undo, strict=False):
            _forget(pipeline, name, *before)


def _read(path: Path, pipeline: Any, encoders: Sequence[str]) -> dict[str, torch.Tensor]:
    """Return text encoder -> its vectors (N, width)."""
    tensors = read_tensors(path, FIELD)
    if {"clip_l", "clip_g"} <= tensors.keys():
        found = [tensors["clip_l"], tensors["clip_g"]]
    elif "emb_params" in tensors or len(tensors) == 1:
        found = [tensors.get("emb_params", next(iter(tensors.values())))]
    else:
        held = ", ".join(sorted(tensors)[:3]) or "nothing"
        raise InputError(
            f"{FIELD}: {path.name} is no textual inversion (it holds {held}), "
            "wanted emb_params, clip_l and clip_g, or one tensor"
        )
    vectors = [matrix if matrix.ndim == 2 else matrix.reshape(1, -1) for matrix in found]
    wanted = [_embedding(pipeline, name).weight.shape[1] for name in encoders]
    if [matrix.shape[1] for matrix in vectors] != wanted or len({len(m) for m in vectors}) != 1:
        shapes = " and ".join(str(tuple(matrix.shape)) for matrix in found)
        raise InputError(
            f"{FIELD}: {path.name} was made for another model (its vectors are {shapes}), "
            f"wanted width {' and '.join(map(str, wanted))}"
        )
    return dict(zip(encoders, vectors, strict=True))


def _embedding(pipeline: Any, name: str) -> Any:
    return getattr(pipeline, name).get_input_embeddings()


def _teach(pipeline: Any, name: str, vectors: Mapping[str, torch.Tensor]) -> tuple[Any, ...]:
    """Give one text encoder and its tokenizer the tokens; return what `_forget` puts back."""
    import torch
    from transformers import AddedToken

    encoder, tokenizer = getattr(pipeline, name), getattr(pipeline, _ENCODERS[name])
    old = encoder.get_input_embeddings()
    text_model = getattr(encoder, "text_model", encoder)
    before = (tokenizer, old, getattr(text_model, "eos_token_id", None))
    taught = copy.deepcopy(tokenizer)
    taught.add_tokens([AddedToken(token, normalized=False, special=True) for token in vectors])
    ids = [taught.convert_tokens_to_ids(token) for token in vectors]
    rows = max(len(old.weight), max(ids) + 1)
    new = torch.nn.Embedding(rows, old.weight.shape[1], device="meta")
    new = new.to(old.weight.dtype).to_empty(device=old.weight.device).requires_grad_(False)
    new.weight.zero_()
    new.weight[: len(old.weight)] = old.weight
    new.weight[ids] = torch.stack(list(vectors.values())).to(new.weight)
    encoder.set_input_embeddings(new)
    if before[2] is not None:
        # Configurations of old say 2, which makes the encoder take the highest id for the end of
        # the text; an added token has a higher one.
        text_model.eos_token_id = tokenizer.eos_token_id
    setattr(pipeline, _ENCODERS[name], taught)
    return before


def _forget(pipeline: Any, name: str, tokenizer: Any, embedding: Any, eos: int | None) -> None:
    encoder = getattr(pipeline, name)
    encoder.set_input_embeddings(embedding)
    if eos is not None:
        getattr(encoder, "text_model", encoder).eos_token_id = eos
    setattr(pipeline, _ENCODERS[name], tokenizer)
