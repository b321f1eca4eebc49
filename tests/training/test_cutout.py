import json

import numpy as np
import pytest
import torch
from PIL import Image

from tests.training.conftest import options
from training import cutout_scenes
from training.cutout_objects import crops, over, place, premultiplied, random_shape
from training.cutout_places import PLACES
from training.cutout_scenes import make_scene, paste
from training.cutout_textures import BACKGROUNDS, background

SIZE = 64


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def props(data):
    from training.data import load_props

    return crops(load_props(data, "training").rgba[:, 0])


@pytest.fixture(scope="module")
def exported(data, tmp_path_factory):
    """A barely trained network, trained in two goes."""
    from training import cutout

    folder = tmp_path_factory.mktemp("cutout")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutout, "VALIDATION_SCENES", 6)
        for steps in (1, 2):
            cutout.main(
                [*options(data, folder / "out", steps), "--export", str(folder / "weights")]
            )
    return folder


def test_the_alpha_is_what_was_pasted(props, monkeypatch):
    pasted = []

    def spy(picture, layer):
        pasted.append(layer)
        return paste(picture, layer)

    monkeypatch.setattr(cutout_scenes, "paste", spy)
    for seed in range(30):
        scene = make_scene(rng(seed), props, SIZE)
        np.testing.assert_array_equal(scene.alpha, np.round(pasted[-1][..., 3] * 255.0))
        assert scene.alpha.mean() > 0.005 * 255


def test_without_shadow_and_camera_a_scene_is_the_background_outside_and_the_object_inside(
    props, monkeypatch
):
    behind = np.full((SIZE, SIZE, 3), 0.25, np.float32)
    layers = []

    def spy(*arguments):
        layers.append(drawn(*arguments))
        return layers[-1]

    drawn = cutout_scenes.draw_object
    monkeypatch.setattr(cutout_scenes, "background", lambda *_: behind)
    monkeypatch.setattr(cutout_scenes, "place_of", lambda *_: behind)
    monkeypatch.setattr(cutout_scenes, "DISTRACTED", 0.0)
    monkeypatch.setattr(cutout_scenes, "_with_shadow", lambda rng, picture, *_: picture)
    monkeypatch.setattr(cutout_scenes, "_camera", lambda rng, picture, kind: picture)
    monkeypatch.setattr(cutout_scenes, "draw_object", spy)
    monkeypatch.setattr(cutout_scenes, "COMPOUNDS", 0.0)
    monkeypatch.setattr(cutout_scenes, "COMPOUNDS_ELSEWHERE", 0.0)
    for seed in range(10):
        scene = make_scene(rng(seed), props, SIZE)
        layer = layers[-1]
        outside, inside = layer[..., 3] == 0.0, layer[..., 3] == 1.0
        np.testing.assert_array_equal(scene.picture[outside], behind[outside])
        np.testing.assert_allclose(scene.picture[inside], layer[inside][:, :3], atol=1e-6)


def test_a_scene_follows_from_its_seed(props):
    one, same, other = (make_scene(rng(seed), props, SIZE) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.picture, same.picture)
    np.testing.assert_array_equal(one.alpha, same.alpha)
    assert one.picture.tobytes() != other.picture.tobytes()


@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_backgrounds_are_pictures(kind):
    for seed in range(10):
        picture = background(rng(seed), SIZE, kind)
        assert picture.shape == (SIZE, SIZE, 3)
        assert picture.min() > -1e-4
        assert picture.max() < 1.0 + 1e-4


def test_layers_stay_premultiplied(props):
    for seed in range(20):
        layer = place(rng(seed), premultiplied(props[0]), SIZE)
        assert layer[..., 3].max() <= 1.0
        assert (layer[..., :3] <= layer[..., 3:] + 1e-6).all()


def test_pasting_two_layers_is_pasting_both_as_one():
    picture = rng(0).random((4, 4, 3))
    near, far = (premultiplied(rng(s).integers(0, 256, (4, 4, 4), np.uint8)) for s in (1, 2))
    apart = paste(paste(picture, far), near)
    np.testing.assert_allclose(paste(picture, over(near, far)), apart, atol=1e-6)


def test_crops_are_tight_and_empty_pictures_are_left_out():
    rgba = np.zeros((2, 32, 32, 4), np.uint8)
    rgba[0, 4:20, 8:18] = 255
    (found,) = crops(rgba)
    assert found.shape == (16, 10, 4)


def test_a_shape_is_one_piece():
    import cv2

    for seed in range(30):
        shape = random_shape(rng(seed), SIZE)
        # Thin bridges can vanish in the reduction, hence the low threshold.
        count, _ = cv2.connectedComponents((shape > 0.0).astype(np.uint8), connectivity=8)
        assert count <= 2


def test_pictures_are_normalised_as_rembg_does():
    from rembg.sessions.base import BaseSession

    from training.cutout_network import DEVIATION, MEAN, as_rembg_feeds

    picture = rng(0).integers(0, 200, (32, 32, 3), np.uint8)
    session = BaseSession.__new__(BaseSession)
    session.inner_session = type("Session", (), {"get_inputs": lambda _: [_Named()]})()
    wanted = session.normalize(Image.fromarray(picture), MEAN, DEVIATION, (32, 32))["x"]
    found = as_rembg_feeds(torch.from_numpy(picture)[None])
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-5)


class _Named:
    name = "x"


def test_the_right_answer_costs_least():
    from training.cutout import intersection_over_union, segmentation_loss

    alpha = torch.zeros(2, 1, 16, 16)
    alpha[:, :, 4:12, 4:12] = 1.0
    right = segmentation_loss(40.0 * (alpha - 0.5), alpha)
    assert right < 1e-3
    assert segmentation_loss(40.0 * (0.5 - alpha), alpha) > 10.0
    mask = alpha[:, 0].numpy() > 0.5
    assert (intersection_over_union(mask, mask) == 1.0).all()
    assert (intersection_over_union(mask, ~mask) == 0.0).all()


def test_training_resumes(exported):
    out = exported / "out"
    assert json.loads((out / "progress.json").read_text())["step"] == 2
    assert (out / "samples.png").exists()
    card = (exported / "weights" / "README.md").read_text()
    assert any(f"iou_{kind}" in card for kind in (*BACKGROUNDS, *PLACES))


def test_the_cutter_takes_the_exported_network(exported):
    from assets3d.cutout import load_cutter

    path = exported / "weights" / "cutout.onnx"
    assert path.stat().st_size < 5 * 2**20
    cutter = load_cutter(path=path, threads=1)
    assert cutter.session.size_px == (320, 320)
    mask = cutter.mask(rng(0).integers(0, 256, (48, 64, 3), np.uint8))
    assert mask.shape == (48, 64)
    assert 0.0 <= mask.min() <= mask.max() <= 1.0


def test_a_blend_lies_between_two_networks_and_is_scored_anew(exported, data, tmp_path):
    import onnx
    from onnx import numpy_helper

    from training import cutout
    from training.cutout_blend import blend, main

    weights = exported / "weights"
    other = tmp_path / "other"
    other.mkdir()
    model = onnx.load(str(weights / "cutout.onnx"))
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype.kind == "f":
            tensor.CopyFrom(numpy_helper.from_array(3 * values, tensor.name))
    onnx.save(model, str(other / "cutout.onnx"))
    (other / "training.json").write_text((weights / "training.json").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutout, "VALIDATION_SCENES", 3)
        main(
            [
                *("--data", str(data), "--first", str(weights), "--second", str(other)),
                *("--share", "0.5", "--export", str(tmp_path / "both")),
            ]
        )

    def values(folder):
        graph = onnx.load(str(folder / "cutout.onnx")).graph
        return {t.name: numpy_helper.to_array(t).astype(float) for t in graph.initializer}

    before, after = values(weights), values(tmp_path / "both")
    name = next(name for name in before if name.endswith(".half"))
    np.testing.assert_allclose(after[name], 2 * before[name], rtol=2e-3)
    assert "50 % of the way" in (tmp_path / "both" / "README.md").read_text()
    with pytest.raises(ValueError, match="wanted 0 to 1"):
        blend(weights / "cutout.onnx", other / "cutout.onnx", 1.5, tmp_path / "x.onnx")
