"""Loading views models: what is missing, cut off or of another kind is named in one line."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from assets3d.errors import InputError
from assets3d.views.model import load_views_model
from tests.views.tiny_models import write_embedded_model, write_official_model


@pytest.fixture
def broken(tmp_path):
    """An embedded folder to break, and its weights' path."""
    folder = write_embedded_model(tmp_path)
    return folder, folder / "diffusion_pytorch_model.safetensors"


def test_a_missing_key_is_named(broken):
    folder, path = broken
    weights = load_file(path)
    del weights["middle_block.1.proj_in.weight"]
    save_file(weights, path)
    with pytest.raises(InputError, match=r"middle_block\.1\.proj_in\.weight"):
        load_views_model(folder)


def test_an_extra_key_is_named(broken):
    folder, path = broken
    save_file({**load_file(path), "surplus.weight": torch.zeros(2)}, path)
    with pytest.raises(InputError, match=r"surplus\.weight"):
        load_views_model(folder)


def test_a_wrong_shape_is_named(broken):
    folder, path = broken
    save_file({**load_file(path), "out.2.bias": torch.zeros(9)}, path)
    with pytest.raises(InputError, match=r"out\.2\.bias.*9.*4"):
        load_views_model(folder)


def test_a_cut_off_file_is_an_input_error(broken):
    folder, path = broken
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="cut off"):
        load_views_model(folder)


def test_pickles_are_refused(broken):
    folder, path = broken
    path.rename(path.with_suffix(".bin"))
    with pytest.raises(InputError, match="pickle"):
        load_views_model(folder)
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(InputError, match="pickle"):
        load_views_model(folder)


def test_official_parts_that_are_pickles_are_refused(tmp_path):
    folder = write_official_model(tmp_path, image=True)
    weights = folder / "image_encoder" / "model.safetensors"
    weights.rename(folder / "image_encoder" / "model.bin")
    with pytest.raises(InputError, match=r"image_encoder.*pickle"):
        load_views_model(folder)


def test_a_folder_of_another_kind_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match=r"config\.json"):
        load_views_model(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "other"}')
    with pytest.raises(InputError, match="'other'"):
        load_views_model(tmp_path)
    (tmp_path / "config.json").write_text('{"kind": "embedded", "stepz": 3}')
    with pytest.raises(InputError, match="stepz"):
        load_views_model(tmp_path)
