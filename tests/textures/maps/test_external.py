"""Networks in ONNX files: what is declared is what is read, and what is not is one line."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper

from assets3d.errors import InputError
from assets3d.textures.fields import height_of_slopes, normals_of_slopes, slopes_of_height
from assets3d.textures.maps.external import PRESETS, load_external, predict, read_external
from assets3d.textures.maps.measures import height_errors, normal_errors, sign_test
from tests.textures.maps.tiny_networks import (
    depth_network,
    mixing,
    normals_network,
    truthful,
    written,
)
from tests.textures.reliefs import noise_height

SIZE = 64
HEIGHT = noise_height(SIZE, pixel_m=0.12, finest_px=2.5)
SLOPES = slopes_of_height(HEIGHT, 1.0)
NORMALS = normals_of_slopes(*SLOPES)
PICTURE = truthful(HEIGHT)
#: The picture's eight bits alone turn a normal by this much.
ROUNDING_DEG = 0.5


def seen(declaration, picture=PICTURE):
    return predict(load_external(read_external(declaration)), picture)


def seen_normals(declaration, picture=PICTURE):
    found = seen(declaration, picture)
    return normals_of_slopes(found.slope_x, found.slope_y)


def seen_height(declaration, picture=PICTURE):
    found = seen(declaration, picture)
    return height_of_slopes(found.slope_x, found.slope_y, 1.0)


def test_the_truth_is_gentle_enough_to_be_written_down():
    assert max(float(np.abs(s).max()) for s in SLOPES) < 2.0


def test_a_network_of_normals_is_read_exactly(tmp_path):
    file = normals_network(tmp_path / "normals.onnx")
    errors = normal_errors(seen_normals({"normals": {"file": str(file)}}), NORMALS)
    assert errors.mean_deg < ROUNDING_DEG


@pytest.mark.parametrize("signs", [(1, 1), (-1, 1), (1, -1), (-1, -1)])
def test_a_network_with_other_signs_is_caught_and_put_right(tmp_path, signs):
    file = str(normals_network(tmp_path / "normals.onnx", signs=(*signs, 1.0)))
    undeclared = seen_normals({"normals": {"file": file}})
    verdict = sign_test(undeclared, NORMALS)
    assert (verdict.winner == "as is") == (signs == (1, 1))
    assert verdict.margin_deg > 5.0
    declared = {"file": file, "signs": dict(zip("xy", signs, strict=True))}
    right = seen_normals({"normals": declared})
    assert sign_test(right, NORMALS).winner == "as is"
    assert normal_errors(right, NORMALS).mean_deg < ROUNDING_DEG


@pytest.mark.parametrize(
    ("network", "declared"),
    [
        ({"mean": 0.4, "std": 0.25}, {"mean": [0.4] * 3, "std": [0.25] * 3}),
        ({"output_range": (0, 1)}, {"output_range": [0, 1]}),
        ({"output_range": (0, 255)}, {"output_range": [0, 255]}),
        ({"layout": "nhwc"}, {"layout": "nhwc"}),
        ({"size": (SIZE, SIZE)}, {"size_px": SIZE}),
        ({"size": (SIZE, SIZE)}, {}),
        ({"name": "other"}, {"output": "other"}),
        # -1..1 going in is 0..1 minus a half, over a half.
        ({"mean": 0.5, "std": 0.5}, {"range": [-1, 1]}),
    ],
)
def test_whatever_form_it_was_exported_in(tmp_path, network, declared):
    file = normals_network(tmp_path / "normals.onnx", **network)
    found = seen_normals({"normals": {"file": str(file), **declared}})
    assert normal_errors(found, NORMALS).mean_deg < ROUNDING_DEG


def test_blue_first_and_channels_in_another_order(tmp_path):
    plain = np.zeros((4, 3))
    # Blue first: red is the third of what goes in. Out: something else, z, y, x.
    plain[2, 1], plain[3, 2] = 4.0, -4.0
    file = mixing(tmp_path / "normals.onnx", plain, [9.0, 1.0, -2.0, 2.0])
    declared = {"file": str(file), "colours": "bgr", "channels": [3, 2, 1]}
    assert normal_errors(seen_normals({"normals": declared}), NORMALS).mean_deg < ROUNDING_DEG


@pytest.mark.parametrize(
    ("gain", "sense", "sign"),
    [(3.0, "height", 1), (0.01, "inverse-depth", 1), (-40.0, "depth", 1), (5.0, "depth", -1)],
)
def test_depth_in_any_unit_and_sense(tmp_path, gain, sense, sign):
    file = depth_network(tmp_path / "depth.onnx", gain=gain, zero=7.0)
    found = seen({"depth": {"file": str(file), "sense": sense}})
    assert not found.metric
    height = height_of_slopes(found.slope_x, found.slope_y, 1.0)
    assert sign * height_errors(height, HEIGHT).pearson_r > 0.99


def test_a_fixed_size_is_resampled_on_the_torus_and_back(tmp_path):
    file = str(normals_network(tmp_path / "normals.onnx", size=(96, 96)))
    # Slopes are read where they are: shown larger, the same relief has the same normals.
    assert normal_errors(seen_normals({"normals": {"file": file}}), NORMALS).mean_deg < 3.0
    smooth = noise_height(SIZE, pixel_m=0.12, finest_px=6.0)
    smaller = str(normals_network(tmp_path / "smaller.onnx", size=(48, 48)))
    found = seen_normals({"normals": {"file": smaller}}, truthful(smooth))
    assert normal_errors(found, normals_of_slopes(*slopes_of_height(smooth, 1.0))).mean_deg < 3.0


def test_normals_and_depth_together_have_the_large_forms_of_the_depth(tmp_path):
    y, x = np.mgrid[:SIZE, :SIZE] * (2.0 * np.pi / SIZE)
    truth = HEIGHT + 1.5 * np.sin(x) * np.cos(y)
    # The normals' network lost the large form: it is shown it in the blue only.
    picture = truthful(HEIGHT)
    picture[..., 2] = truthful(truth)[..., 2]
    normals = {"file": str(normals_network(tmp_path / "normals.onnx"))}
    depth = {"file": str(depth_network(tmp_path / "depth.onnx", 30.0)), "sense": "height"}
    alone, both = (
        seen_height(d, picture)
        for d in ({"normals": normals}, {"normals": normals, "depth": depth})
    )
    assert height_errors(alone, truth).rmse_over_std > 0.5
    assert height_errors(both, truth).rmse_over_std < 0.2
    # Fine detail keeps the unit of the normals.
    assert height_errors(both, truth).scale == pytest.approx(1.0, abs=0.15)
    # A depth that contradicts the normals is not believed.
    upside_down = {"normals": normals, "depth": {**depth, "sense": "depth"}}
    np.testing.assert_allclose(seen_height(upside_down, picture), alone, atol=1e-5)


def test_bae_is_a_preset_whose_red_points_left(tmp_path):
    assert PRESETS["bae"]["normals"]["signs"]["x"] == -1
    # The preset takes ImageNet's mean and deviation from each colour; this stand-in knows them.
    mean, std = (PRESETS["bae"]["normals"][name] for name in ("mean", "std"))
    matrix = [[4.0 * std[0], 0.0, 0.0], [0.0, 4.0 * std[1], 0.0], [0.0, 0.0, 0.0]]
    offset = [4.0 * (mean[0] - 0.5), 4.0 * (mean[1] - 0.5), 1.0]
    file = mixing(tmp_path / "bae.onnx", matrix, offset)
    found = seen_normals({"preset": "bae", "normals": {"file": str(file)}})
    assert sign_test(found, NORMALS).winner == "as is"
    assert normal_errors(found, NORMALS).mean_deg < ROUNDING_DEG
    # Without the preset it is the mirror image.
    plain = {"normals": {"file": str(file), "mean": mean, "std": std}}
    assert sign_test(seen_normals(plain), NORMALS).winner == "x flipped"


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        (None, ("maps.external", "wanted {preset")),
        ({}, ("neither normals nor depth",)),
        ({"normal": {}}, ("maps.external.normal", "did you mean normals?")),
        ({"preset": "bea", "normals": {}}, ("preset", "bea", "bae")),
        ({"preset": "bae"}, ("normals.file", "wanted the path")),
        ({"normals": {"file": "none.onnx"}}, ("normals.file", "no file none.onnx")),
        ({"normals": {"file": "F", "sings": {}}}, ("normals.sings", "did you mean signs?")),
        ({"normals": {"file": "F", "signs": {"x": 2}}}, ("signs.x", "2", "-1 or 1")),
        ({"normals": {"file": "F", "signs": [1, 1, 1]}}, ("signs", "name: value")),
        ({"normals": {"file": "F", "mean": [0.5]}}, ("mean", "list of 3")),
        ({"normals": {"file": "F", "std": [0, 1, 1]}}, ("std", "above 0")),
        ({"normals": {"file": "F", "range": [1, 1]}}, ("range", "two values")),
        ({"normals": {"file": "F", "output_range": [1, 1]}}, ("output_range", "two values")),
        ({"normals": {"file": "F", "colours": "gbr"}}, ("colours", "rgb, bgr")),
        ({"normals": {"file": "F", "channels": [0, 0, 1]}}, ("channels", "three different")),
        ({"normals": {"file": "F", "size_px": 1.5}}, ("size_px", "1.5", "whole number")),
        ({"normals": {"file": "F", "commercial": "yes"}}, ("commercial", "true or false")),
        ({"depth": {"file": "F"}}, ("depth.sense", "inverse-depth")),
        ({"depth": {"file": "F", "sense": "far"}}, ("depth.sense", "far")),
    ],
)
def test_bad_declarations_are_one_line(tmp_path, declaration, words):
    file = str(normals_network(tmp_path / "n.onnx"))
    for role in ("normals", "depth"):
        part = (declaration or {}).get(role)
        if isinstance(part, dict) and part.get("file") == "F":
            part["file"] = file
    with pytest.raises(InputError) as caught:
        read_external(declaration)
    one_line(caught, words)


@pytest.mark.parametrize(
    ("form", "declared", "words"),
    [
        ({"matrix": np.eye(2, 3)}, {}, ("2 channels", "wanted 3")),
        ({"matrix": np.eye(3, 1)}, {}, ("takes 1 channels", "wanted 3")),
        ({"layout": "nhwc", "size": (32, 32)}, {}, ("32 channels", "wanted layout: nhwc")),
        ({"size": (32, 48)}, {}, ("48x32", "square")),
        ({"size": (32, 32)}, {"size_px": 64}, ("takes 32 px only", "size_px is 64")),
        ({}, {"output": "normal"}, ("no output 'normal'", "mixed")),
        ({}, {"channels": [1, 2, 3]}, ("3 channels", "wanted 4")),
    ],
)
def test_files_that_are_not_what_was_declared_are_one_line(tmp_path, form, declared, words):
    form = dict(form)
    matrix = form.pop("matrix", np.eye(3))
    file = mixing(tmp_path / "n.onnx", matrix, np.zeros(len(matrix)), **form)
    with pytest.raises(InputError) as caught:
        load_external(read_external({"normals": {"file": str(file), **declared}}))
    one_line(caught, words)


def test_files_that_are_no_network_are_one_line(tmp_path):
    (tmp_path / "n.onnx").write_bytes(b"no network")
    with pytest.raises(InputError) as caught:
        seen({"normals": {"file": str(tmp_path / "n.onnx")}})
    one_line(caught, ("maps.external.normals", "n.onnx", "whole ONNX network"))
    (tmp_path / "n.pt").write_bytes(b"a pickle")
    with pytest.raises(InputError, match="is a pickle"):
        seen({"normals": {"file": str(tmp_path / "n.pt")}})


def test_a_network_that_takes_bytes_or_says_nan_is_one_line(tmp_path):
    shape = [1, 3, "h", "w"]
    node = helper.make_node("Identity", ["picture"], ["found"])
    bytes_in = written(tmp_path / "b.onnx", [node], [], shape, {"found": shape}, TensorProto.UINT8)
    with pytest.raises(InputError) as caught:
        seen({"normals": {"file": str(bytes_in)}})
    one_line(caught, ("tensor(uint8)", "floats"))
    node = helper.make_node("Div", ["picture", "picture"], ["found"])
    nan = written(tmp_path / "nan.onnx", [node], [], shape, {"found": shape})
    with pytest.raises(InputError) as caught:
        seen({"normals": {"file": str(nan)}}, np.zeros_like(PICTURE))
    one_line(caught, ("NaN",))


def one_line(caught, words):
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
