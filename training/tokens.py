"""A CLIP tokenizer of our own: each known word is one token, others fall into letters."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

END_OF_WORD = "</w>"
START, END = "<|startoftext|>", "<|endoftext|>"
#: Longer prompts are cut; captions of props stay well below.
MAX_TOKENS = 32


def words_in(captions: Iterable[str]) -> list[str]:
    """Return the sorted lower-case words of some captions, as CLIP's tokenizer splits them."""
    return sorted({word for caption in captions for word in re.findall(r"[a-z]+", caption.lower())})


def byte_characters() -> list[str]:
    """Return the 256 printable characters that stand for bytes in byte-level BPE (GPT-2, CLIP)."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    moved = [byte for byte in range(256) if byte not in set(kept)]
    return [chr(byte) for byte in kept] + [chr(256 + place) for place in range(len(moved))]


def split_word(word: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """Apply byte-pair merges, lowest rank first, to a word of ASCII letters."""
    parts = [*word[:-1], word[-1] + END_OF_WORD]
    while len(parts) > 1:
        best = min(pairwise(parts), key=lambda p: ranks.get(p, 1 << 30))
        if best not in ranks:
            break
        joined, place = [], 0
        while place < len(parts):
            if tuple(parts[place : place + 2]) == best:
                joined.append("".join(best))
                place += 2
            else:
                joined.append(parts[place])
                place += 1
        parts = joined
    return parts


def merges_for(words: Iterable[str]) -> list[tuple[str, str]]:
    """Return merges under which every word is one token.

    A word's missing merges are added at the end, where they cannot fire before the merges that made
    an earlier word whole.
    """
    ranks: dict[tuple[str, str], int] = {}
    for word in words:
        while len(parts := split_word(word, ranks)) > 1:
            ranks[parts[0], parts[1]] = len(ranks)
    return list(ranks)


def new_tokenizer(words: Iterable[str]) -> Any:
    """Return a CLIPTokenizer that knows `words`."""
    from transformers import CLIPTokenizer

    characters, merges = byte_characters(), merges_for(words)
    tokens = [*characters, *(c + END_OF_WORD for c in characters)]
    tokens += list(dict.fromkeys("".join(pair) for pair in merges))
    tokens += [START, END]
    with tempfile.TemporaryDirectory() as name:
        vocabulary, merge_file = Path(name) / "vocab.json", Path(name) / "merges.txt"
        vocabulary.write_text(json.dumps({token: place for place, token in enumerate(tokens)}))
        merge_file.write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
        return CLIPTokenizer(
            str(vocabulary),
            str(merge_file),
            model_max_length=MAX_TOKENS,
            unk_token=END,
            pad_token=END,
            bos_token=START,
            eos_token=END,
        )
