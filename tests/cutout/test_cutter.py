"""The cutter with a tiny stand-in network: bright pixels are the object."""

import numpy as np
import pytest

from assets3d.cutout import MODELS, Cleaning, load_cutter
from assets3d.cutout.matte import (
    decontaminated,
    follow_edges,
    keep_components,
    levels,
    small_holes_filled,
)
from assets3d.errors import InputError
from assets3d.images.picture import on_background


def write_brightness_network(path, size_px=320, threshold=0.0, channels=3, constant=None):
    """Write sigmoid(8 * (mean of the normalised picture - threshold)) as ONNX, 0..1."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    weight = np.full((1, channels, 1, 1), 0.0 if constant is not None else 8.0 / 3, np.float32)
    offset = np.array([-8.0 * threshold if constant is None else constant], np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "weight", "offset"], ["logit"]),
            helper.make_node("Sigmoid", ["logit"], ["mask"]),
        ],
        "brightness",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, size_px, size_px])],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, 1, size_px, size_px])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(offset, "offset")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return write_brightness_network(tmp_path_factory.mktemp("onnx") / "bright.onnx")


def _disk(size_px=240, radius_px=70, colour=(250, 240, 230), ground=(20, 60, 20)):
    """A bright disk with an anti-aliased rim on a dark ground: the picture and its alpha."""
    rows, columns = np.mgrid[0:size_px, 0:size_px]
    distance = np.hypot(rows - 0.45 * size_px, columns - 0.55 * size_px)
    alpha = np.clip(radius_px + 0.5 - distance, 0, 1)[..., None]
    picture = alpha * np.array(colour) + (1 - alpha) * np.array(ground)
    return np.round(picture).astype(np.uint8), alpha[..., 0].astype(np.float32)


def _iou(found, truth):
    return (found & truth).sum() / (found | truth).sum()


def test_disk_is_cut_out_at_full_size(network):
    picture, truth = _disk()
    rgba = load_cutter(path=network, threads=1)(picture)
    assert rgba.shape == (240, 240, 4)
    assert rgba.dtype == np.uint8
    assert _iou(rgba[..., 3] > 127, truth > 0.5) > 0.97
    inside = rgba[..., 3] == 255
    assert np.array_equal(rgba[inside][:, :3], picture[inside])
    assert (rgba[rgba[..., 3] == 0] == 0).all()


def test_same_bytes_every_time(network):
    picture, _ = _disk()
    first = load_cutter(path=network, threads=2)(picture)
    second = load_cutter(path=network, threads=2)(picture)
    assert np.array_equal(first, second)


def test_large_pictures_get_sharp_edges(network):
    picture, truth = _disk(1100, 300)
    cutter = load_cutter(path=network, threads=1, cleaning=Cleaning())
    plain = load_cutter(path=network, threads=1, cleaning=Cleaning(follow_edges=False))
    error = np.abs(cutter(picture)[..., 3] / 255.0 - truth).mean()
    assert error < 0.5 * np.abs(plain(picture)[..., 3] / 255.0 - truth).mean()


def test_less_halo_on_another_background(network):
    picture, truth = _disk()
    plain = load_cutter(
        path=network, threads=1, cleaning=Cleaning(decontaminate=False, by_colour=True)
    )(picture)
    rgba = load_cutter(path=network, threads=1)(picture)
    assert np.array_equal(rgba[..., 3], plain[..., 3])
    rim = (rgba[..., 3] > 60) & (rgba[..., 3] < 250)
    assert rim.sum() > 50
    wanted = np.array([250, 240, 230])
    error = np.abs(rgba[rim][:, :3] - wanted).mean()
    assert error < 0.5 * np.abs(plain[rim][:, :3] - wanted).mean()
    assert on_background(rgba)[truth > 0].min() > on_background(plain)[truth > 0].min()


def test_own_alpha_is_kept_and_the_network_not_asked(network):
    cutter = load_cutter(path=network, threads=1)
    object.__setattr__(cutter, "session", None)
    picture, alpha = _disk()
    rgba = np.dstack([picture, np.round(alpha * 200).astype(np.uint8)])
    assert np.array_equal(cutter(rgba), rgba)
    with pytest.raises(InputError, match="no object found"):
        cutter(np.dstack([picture, np.zeros((240, 240), np.uint8)]))


def test_nothing_found_is_an_input_error(tmp_path):
    cutter = load_cutter(path=write_brightness_network(tmp_path / "no.onnx", constant=-9.0))
    with pytest.raises(InputError, match=r"^cutout: no object found in the picture \(0 px"):
        cutter(_disk()[0])


def test_everything_found_is_doubted(tmp_path):
    cutter = load_cutter(path=write_brightness_network(tmp_path / "all.onnx", constant=9.0))
    rgba, lines = cutter.cut(_disk()[0])
    assert (rgba[..., 3] == 255).all()
    assert lines == ["nearly the whole picture was taken for the object"]


def test_a_network_that_is_sure_of_nothing_fails_for_the_field_that_gave_the_picture(tmp_path):
    cutter = load_cutter(path=write_brightness_network(tmp_path / "half.onnx", constant=0.5))
    with pytest.raises(InputError, match=r"^image: nothing in the picture stands out"):
        cutter.cut(_disk()[0], field="image")


def test_bad_weights_are_named(tmp_path, network):
    with pytest.raises(InputError, match=r"no weight file gone\.onnx"):
        load_cutter(path=tmp_path / "gone.onnx")
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(network.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"cut\.onnx cannot be loaded"):
        load_cutter(path=cut)
    other = write_brightness_network(tmp_path / "grey.onnx", channels=1)
    with pytest.raises(InputError, match=r"grey\.onnx maps .* wanted \(1, 3, S, S\)"):
        load_cutter(path=other)


def test_models_are_named_and_not_fetched_unasked(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"'u2nett' \(did you mean u2net"):
        load_cutter("u2nett")
    with pytest.raises(InputError, match="wanted one of"):
        load_cutter("bria-rmbg")
    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    from rembg.sessions import sessions

    for model in MODELS[1:]:
        assert model in sessions
        with pytest.raises(InputError, match=r"download: true"):
            load_cutter(model)


def test_levels_clears_haze():
    found = levels(np.array([0.0, 0.08, 0.5, 0.95], np.float32), 0.1, 0.9)
    assert found.tolist() == [0.0, 0.0, 0.5, 1.0]


def test_components():
    alpha = np.zeros((40, 60), np.float32)
    alpha[5:25, 5:25] = 1.0
    alpha[30:38, 40:50] = 0.8  # 64 of 400
    alpha[2, 50] = 1.0
    assert keep_components(alpha, 0.1)[2, 50] == 0
    assert keep_components(alpha, 0.1)[35, 45] == np.float32(0.8)
    assert keep_components(alpha, 1.0).sum() == 400
    assert np.array_equal(keep_components(alpha, 0.0), alpha)
    assert keep_components(np.zeros((4, 4), np.float32), 0.5).sum() == 0


def test_small_holes_are_filled_and_handles_stay_open():
    alpha = np.zeros((100, 100), np.float32)
    alpha[10:90, 10:90] = 1.0
    alpha[40:60, 40:60] = 0.0  # a handle
    alpha[20:22, 20:22] = 0.0
    alpha[19, 20] = 0.7  # the small hole's soft rim
    found = small_holes_filled(alpha, 0.002)
    assert (found[18:24, 18:24] == 1.0).all()
    assert (found[40:60, 40:60] == 0.0).all()
    assert (found[:10] == 0.0).all()
    assert np.array_equal(small_holes_filled(alpha, 0.0), alpha)


def test_holes_of_haze_are_filled_and_clear_ones_are_not():
    alpha = np.zeros((100, 100), np.float32)
    alpha[10:90, 10:90] = 1.0
    alpha[20:40, 20:40] = 0.4  # unsure
    alpha[60:80, 60:80] = 0.02  # a handle, seen through
    found = small_holes_filled(alpha, 0.001, 0.28)
    assert (found[20:40, 20:40] == 1.0).all()
    assert (found[62:78, 62:78] == np.float32(0.02)).all()
    assert (found[:10] == 0.0).all()
    open_haze = alpha.copy()
    open_haze[20:40, :40] = 0.4  # reaches the background: no hole
    assert (small_holes_filled(open_haze, 0.001, 0.28)[22:38, :38] < 0.5).all()


def test_follow_edges_snaps_a_blurred_mask():
    import cv2

    picture, truth = _disk(400, 120)
    rough = cv2.resize(cv2.resize(truth, (50, 50), interpolation=cv2.INTER_AREA), (400, 400))
    found = levels(follow_edges(rough, picture, 16), 0.1, 0.9)
    plain = levels(rough, 0.1, 0.9)
    assert np.abs(found - truth).mean() < 0.15 * np.abs(plain - truth).mean()


def test_decontamination_recovers_the_object_colour():
    picture, alpha = _disk()
    rim = (alpha > 0.1) & (alpha < 0.95)
    found = decontaminated(picture, alpha)
    assert np.array_equal(
        found[~((alpha > 0) & (alpha < 1))], picture[~((alpha > 0) & (alpha < 1))]
    )
    wanted = np.array([250, 240, 230])
    assert np.abs(found[rim] - wanted).mean() < 6 < np.abs(picture[rim] - wanted).mean()
