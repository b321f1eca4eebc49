"""The tiny pipelines are what the families' tests take them for."""

import pytest

from tests.images.tiny_pipelines import KINDS, bert_tokenizer, copy_of, t5_tokenizer, tiny_pipeline


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_files_every_time(kind):
    first = {path.name: path.read_bytes() for path in tiny_pipeline(kind).rglob("*.safetensors")}
    again = {
        path.name: path.read_bytes()
        for path in tiny_pipeline.__wrapped__(kind).rglob("*.safetensors")
    }
    assert first
    assert first == again


def test_a_copy_is_ones_own(tmp_path):
    copied = copy_of("sd3", tmp_path / "model") / "model_index.json"
    copied.write_text("changed")
    assert "StableDiffusion3Pipeline" in (tiny_pipeline("sd3") / "model_index.json").read_text()


@pytest.mark.parametrize("tokenizer", [bert_tokenizer, t5_tokenizer])
def test_chinese_has_tokens_of_its_own(tokenizer):
    made = tokenizer()
    ids = made("红色的蘑菇").input_ids
    assert made.unk_token_id not in ids
    assert len(set(ids)) >= 5
