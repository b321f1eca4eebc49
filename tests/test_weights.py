"""What ships: weights without pickles, within their sizes, each with its card."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).parents[1] / "assets3d" / "weights"
_KINDS = {".safetensors", ".onnx", ".json", ".md"}
_MAX_FILE_BYTES = 15 * 2**20
_MAX_ALL_BYTES = 40 * 10**6


def test_no_file_could_hold_a_pickle_and_none_is_too_large():
    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= _KINDS
    assert {".safetensors", ".onnx"} <= {path.suffix for path in files}
    assert max(path.stat().st_size for path in files) <= _MAX_FILE_BYTES
    assert sum(path.stat().st_size for path in files) <= _MAX_ALL_BYTES


def test_every_model_has_a_card_that_says_how_it_was_made_and_scored():
    folders = [path for path in WEIGHTS.iterdir() if path.is_dir()]
    assert len(folders) >= 4
    for folder in folders:
        card = (folder / "README.md").read_text(encoding="utf-8").lower()
        for word in ("data", "steps", "score"):
            assert word in card, (folder.name, word)
