"""Marigold, Depth Anything and MiDaS on tiny random checkpoints: the real loading code, offline."""

from __future__ import annotations

import json

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.textures.fields import height_of_slopes
from assets3d.textures.maps import depth, marigold
from assets3d.textures.maps.assemble import material_of
from assets3d.textures.maps.relief import completed
from assets3d.textures.seams import seam_report
from tests.textures.maps.tiny_networks import truthful
from tests.textures.maps.tiny_pretrained import copy_of, tiny
from tests.textures.reliefs import noise_height

SIZE = 80
PICTURE = truthful(noise_height(SIZE, pixel_m=0.12, finest_px=2.5))


def read(kind, picture=PICTURE, **options):
    if kind in ("depth-anything", "dpt"):
        return depth.predict(depth.load_depth(tiny(kind)), picture, **options)
    pipeline = marigold.load_marigold(tiny(kind))
    return marigold.predict(pipeline, picture, **{"seed": 3, **options})


@pytest.mark.parametrize("kind", ["normals", "depth", "depth-anything", "dpt"])
def test_what_they_see_tiles(kind):
    found = read(kind)
    assert found.metric == (kind == "normals")
    assert found.slope_x.shape == (SIZE, SIZE)
    assert float(np.hypot(found.slope_x, found.slope_y).std()) > 0.0
    material = material_of(PICTURE, found, tile_m=1.0)
    for values, kind_of_map in ((material.height_m, "height"), (material.normals, "normal")):
        report = seam_report(values, kind_of_map, window_px=16)
        assert report.seam_nb < 2.5
        assert report.kink < 3.0


def test_the_same_seed_gives_the_same_normals_and_another_one_others():
    pipeline = marigold.load_marigold(tiny("normals"))
    first, again, other = (marigold.predict(pipeline, PICTURE, seed=s) for s in (1, 1, 2**63 + 2))
    np.testing.assert_array_equal(first.slope_x, again.slope_x)
    assert np.abs(first.slope_x - other.slope_x).max() > 1e-3


def test_marigold_is_shown_the_size_that_its_checkpoint_names(monkeypatch):
    pipeline = marigold.load_marigold(tiny("normals"))
    shown = []
    real = type(pipeline).__call__

    def spy(self, image, **options):
        shown.append((image.shape[:2], options["num_inference_steps"]))
        return real(self, image, **options)

    monkeypatch.setattr(type(pipeline), "__call__", spy)
    marigold.predict(pipeline, PICTURE, seed=0)
    marigold.predict(pipeline, PICTURE, seed=0, working_px=32, steps=2)
    assert shown == [((64, 64), None)] * 4 + [((32, 32), 2)] * 4


def truth_teller(pipeline, monkeypatch, answer):
    """Make the pipeline answer with what `answer` says of its picture."""

    class Answer:
        def __init__(self, prediction):
            self.prediction = prediction

    monkeypatch.setattr(
        type(pipeline), "__call__", lambda self, image, **_: Answer(answer(image)[None])
    )


def test_near_is_high_for_depth_and_for_disparity(monkeypatch):
    pipeline = marigold.load_marigold(tiny("depth"))
    truth_teller(pipeline, monkeypatch, lambda image: image[..., 2:])
    blue = PICTURE[..., 2].astype(float)
    found = marigold.predict(pipeline, PICTURE, seed=0, working_px=SIZE)
    height = height_of_slopes(found.slope_x, found.slope_y, 1.0)
    assert np.corrcoef(height.ravel(), blue.ravel())[0, 1] < -0.99
    monkeypatch.setattr(type(pipeline), "config", type("C", (), {"prediction_type": "disparity"}))
    found = marigold.predict(pipeline, PICTURE, seed=0, working_px=SIZE)
    height = height_of_slopes(found.slope_x, found.slope_y, 1.0)
    assert np.corrcoef(height.ravel(), blue.ravel())[0, 1] > 0.99


def test_appearance_gives_colour_roughness_and_metal():
    found = read("appearance")
    assert np.abs(found.slope_x).max() == 0.0
    assert found.base_colour.shape == (SIZE, SIZE, 3)
    for part in (found.roughness, found.metallic, found.base_colour):
        assert 0.0 <= float(part.min()) <= float(part.max()) <= 1.0
    assert float(found.roughness.std()) > 0.0
    together = completed(read("normals"), found)
    assert together.roughness is found.roughness
    assert float(np.abs(together.slope_x).max()) > 0.0


def test_appearance_reads_the_right_channels(monkeypatch):
    pipeline = marigold.load_marigold(tiny("appearance"))

    class Answer:
        def __init__(self, image):
            material = np.dstack([image[..., 2], image[..., 0], 0.0 * image[..., 0]])
            self.prediction = np.stack([image, material])

    monkeypatch.setattr(type(pipeline), "__call__", lambda self, image, **_: Answer(image))
    found = marigold.predict(pipeline, PICTURE, seed=0, working_px=SIZE)
    np.testing.assert_allclose(found.base_colour, PICTURE / 255.0, atol=1e-5)
    np.testing.assert_allclose(found.roughness, PICTURE[..., 2] / 255.0, atol=1e-5)
    np.testing.assert_allclose(found.metallic, PICTURE[..., 0] / 255.0, atol=1e-5)


@pytest.mark.parametrize(("kind", "px"), [("depth-anything", 56), ("dpt", 64)])
def test_depth_networks_are_shown_whole_patches(kind, px, monkeypatch):
    model = depth.load_depth(tiny(kind))
    assert model.working_px == px
    shown = []
    real = type(model.network).forward

    def spy(self, pixel_values, **options):
        shown.append(tuple(pixel_values.shape))
        return real(self, pixel_values, **options)

    monkeypatch.setattr(type(model.network), "forward", spy)
    depth.predict(model, PICTURE)
    depth.predict(model, PICTURE, working_px=100)
    larger = {"depth-anything": 98, "dpt": 96}[kind]
    assert shown == [(1, 3, px, px)] * 4 + [(1, 3, larger, larger)] * 4


def test_a_network_of_metric_depth_is_turned_round(tmp_path):
    folder = copy_of("depth-anything", tmp_path / "metric")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "depth_estimation_type": "metric"}))
    assert (depth.load_depth(folder).sign, depth.load_depth(tiny("dpt")).sign) == (-1.0, 1.0)


def broken(folder, change):
    change(folder)
    return folder


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("normals", lambda f: (f / "model_index.json").unlink(), ("maps.network", "model_index")),
        (
            "normals",
            lambda f: (f / "unet/diffusion_pytorch_model.safetensors").write_bytes(b"cut"),
            ("maps.network", "diffusion_pytorch_model", "cannot be read"),
        ),
        (
            "normals",
            lambda f: (f / "unet/diffusion_pytorch_model.safetensors").rename(
                f / "unet/diffusion_pytorch_model.bin"
            ),
            ("maps.network", "is a pickle"),
        ),
        ("dpt", lambda f: (f / "config.json").unlink(), ("maps.network", "no config.json")),
        (
            "dpt",
            lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"),
            ("maps.network", "is a pickle"),
        ),
        (
            "dpt",
            lambda f: (f / "model.safetensors").write_bytes(b"cut"),
            ("maps.network", "cannot be read"),
        ),
    ],
)
def test_broken_folders_are_one_line(tmp_path, kind, change, words):
    folder = broken(copy_of(kind, tmp_path / kind), change)
    load = depth.load_depth if kind == "dpt" else marigold.load_marigold
    with pytest.raises(InputError) as caught:
        load(folder)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_the_wrong_kind_of_network_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"maps.network: .* is a swin2sr, wanted depth_anything"):
        folder = copy_of("swin2sr", tmp_path / "swin2sr")
        depth.load_depth(folder)
    folder = copy_of("normals", tmp_path / "normals")
    index = json.loads((folder / "model_index.json").read_text())
    other = {**index, "_class_name": "StableDiffusionPipeline"}
    (folder / "model_index.json").write_text(json.dumps(other))
    with pytest.raises(InputError, match=r"is a StableDiffusionPipeline, wanted one of Marigold"):
        marigold.load_marigold(folder)
    with pytest.raises(InputError, match=r"maps.dtype: found 'half', wanted one of"):
        marigold.load_marigold(tiny("normals"), dtype="half")
