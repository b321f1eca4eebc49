"""Weights: every form gives back what went in, and every broken file is named."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from assets3d.errors import InputError
from motion import weights as forms
from motion.network import Network
from motion.weights.__main__ import main
from motion.weights.record import named_arrays


@pytest.fixture(scope="module")
def small():
    return forms.random_weights(1, hidden=24, experts=3)


@pytest.fixture(scope="module")
def full():
    return forms.random_weights(2)


@pytest.fixture
def folder(full, tmp_path):
    path = tmp_path / "wolf"
    forms.write_folder(path, full)
    return path


def same(first, second) -> bool:
    pairs = zip(named_arrays(first), named_arrays(second), strict=True)
    return all(a[0] == b[0] and np.array_equal(a[1], b[1]) for a, b in pairs)


def test_folder_has_the_published_sizes(folder):
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert len(sizes) == 58
    assert sum(sizes.values()) == 22_259_288
    assert sizes["cp2_a0.bin"] == 743_424
    assert sizes["wc0_w.bin"] == 2432


def test_folder_is_row_major_little_endian(folder, full):
    raw = (folder / "cp1_a3.bin").read_bytes()
    place = 4 * (7 * 512 + 11)
    assert np.frombuffer(raw[place : place + 4], "<f4")[0] == full.experts[1].a[3, 7, 11]


def test_folder_round_trip(folder, full):
    assert same(forms.read_weights(folder), full)


def test_trainers_two_folders_are_read(folder, full):
    for name in ("nn", "normalization"):
        (folder / name).mkdir()
    for path in list(folder.glob("*.bin")):
        path.rename(folder / ("normalization" if path.name[0] in "XY" else "nn") / path.name)
    assert same(forms.read_weights(folder), full)


@pytest.mark.parametrize("half", [False, True])
def test_safetensors_round_trip(small, tmp_path, half):
    path = tmp_path / "net.safetensors"
    forms.write_safetensors(path, small, half=half)
    back = forms.read_weights(path)
    assert same(back, small) is not half
    assert np.abs(back.experts[1].a - small.experts[1].a).max() < 1e-3
    forms.write_safetensors(tmp_path / "again.safetensors", back, half=half)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_onnx_round_trip_and_meaning(small, tmp_path):
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    forms.write_onnx(path, small, gating=forms.GATING_341)
    assert same(forms.read_weights(path), small)
    assert forms.onnx_gating(path) == forms.GATING_341
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    network = Network(small, gating=forms.GATING_341, backend="numpy")
    for count in (1, 5):
        x = np.random.default_rng(count).standard_normal((count, 480)).astype(np.float32)
        y, experts = session.run(["y", "experts"], {"x": x})
        assert np.abs(y - network(x).output).max() < 1e-5
        assert np.abs(experts - network(x).experts).max() < 1e-6


def test_trimming_is_exact_both_ways(small):
    padded = forms.expanded(small)
    assert (padded.hidden, padded.expert_count) == (512, 8)
    assert same(forms.trimmed(padded), small)
    assert same(forms.expanded(forms.trimmed(padded)), padded)
    x = np.random.default_rng(0).standard_normal((4, 480)).astype(np.float32)
    narrow = Network(small, backend="numpy")(x)
    wide = Network(padded, backend="numpy")(x)
    assert np.array_equal(narrow.output, wide.output)
    assert np.array_equal(wide.experts[:, 3:], np.zeros((4, 5)))


def test_trimming_keeps_what_padding_cannot_restore(full):
    assert same(forms.trimmed(full), full)


def test_a_wider_network_cannot_become_a_folder(tmp_path):
    wide = forms.random_weights(0, hidden=520, experts=1)
    with pytest.raises(InputError, match="520 hidden units"):
        forms.write_folder(tmp_path / "wide", wide)


def failure(path) -> str:
    with pytest.raises(InputError) as caught:
        forms.read_weights(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_missing_file(folder):
    (folder / "cp1_b6.bin").unlink()
    message = failure(folder)
    assert "cp1_b6.bin is missing, wanted 2048 bytes (512 float32) in wolf/" in message


@pytest.mark.parametrize(("change", "size"), [(-4, 983_036), (4, 983_044), (-983_040, 0)])
def test_short_long_and_empty_file(folder, change, size):
    path = folder / "cp0_a5.bin"
    raw = path.read_bytes()
    path.write_bytes(raw[:change] if change < 0 else raw + bytes(change))
    message = failure(folder)
    assert "cp0_a5.bin" in message
    assert f"found {size} bytes, wanted 983040" in message


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(folder, value):
    path = folder / "wc1_w.bin"
    values = np.fromfile(path, "<f4")
    values[33] = value
    values.tofile(path)
    message = failure(folder)
    assert "wc1_w.bin" in message
    assert "[1, 1]" in message


def test_exchanged_matrices_are_told_by_size(folder):
    first, second = folder / "cp0_a1.bin", folder / "cp1_a1.bin"
    first.rename(folder / "x")
    second.rename(first)
    (folder / "x").rename(second)
    message = failure(folder)
    assert "cp0_a1.bin: found 1048576 bytes, wanted 983040" in message
    assert "that is the size of cp1_a0.bin" in message


def test_exchanged_mean_and_deviation_are_told_by_sign(folder):
    mean, std = folder / "Xmean.bin", folder / "Xstd.bin"
    mean.rename(folder / "x")
    std.rename(mean)
    (folder / "x").rename(std)
    message = failure(folder)
    assert "Xstd" in message
    assert "is it Xmean?" in message


def test_deviation_of_zero_names_file_and_column(folder):
    values = np.fromfile(folder / "Ystd.bin", "<f4")
    values[39] = 0.0
    values.tofile(folder / "Ystd.bin")
    message = failure(folder)
    assert "wolf/Ystd: column 39 (Hips.forward_x) is 0" in message
    assert "1 for a constant column" in message


def test_one_expert_copied_over_another_is_said(folder, caplog):
    (folder / "cp2_a4.bin").write_bytes((folder / "cp2_a3.bin").read_bytes())
    forms.read_weights(folder)
    assert "cp2_a3.bin and cp2_a4.bin are the same" in caplog.text


def test_unknown_and_absent_forms(tmp_path):
    assert "does not exist" in failure(tmp_path / "nowhere")
    (tmp_path / "net.pkl").write_bytes(b"")
    assert "wanted a folder" in failure(tmp_path / "net.pkl")


def test_broken_safetensors_and_onnx(small, tmp_path):
    path = tmp_path / "net.safetensors"
    forms.write_safetensors(path, small)
    path.write_bytes(path.read_bytes()[:1000])
    assert "net.safetensors" in failure(path)
    pytest.importorskip("onnx")
    broken = tmp_path / "net.onnx"
    broken.write_bytes(b"this is no graph")
    assert "net.onnx" in failure(broken)


def test_a_part_missing_from_safetensors_is_named(small, tmp_path):
    from safetensors.numpy import load_file, save_file

    path = tmp_path / "net.safetensors"
    forms.write_safetensors(path, small)
    parts = load_file(path)
    del parts["cp1_b2"]
    save_file(parts, path)
    assert "cp1_b2 is missing" in failure(path)


def test_shapes_that_do_not_fit_are_refused(small):
    with pytest.raises(InputError, match=r"Xmean: shape \(479,\), wanted \(480,\)"):
        forms.Weights(
            small.gating,
            small.experts,
            small.input_mean[1:],
            small.input_std,
            small.output_mean,
            small.output_std,
        )


def test_embedded_controller_is_small_and_padded_exactly():
    weights = forms.embedded_weights()
    assert forms.EMBEDDED.stat().st_size <= 4_000_000
    assert (weights.hidden, weights.expert_count) == (512, 8)
    assert same(forms.expanded(forms.trimmed(weights)), weights)


def test_the_command_goes_through_every_form_and_back(small, tmp_path, capsys):
    pytest.importorskip("onnx")
    paths = [tmp_path / name for name in ("a.safetensors", "b.onnx", "folder", "c.safetensors")]
    forms.write_safetensors(paths[0], small)
    for source, target in pairwise(paths):
        assert main([str(source), str(target)]) == 0
    assert len(list(paths[2].iterdir())) == 58
    assert same(forms.read_weights(paths[3]), small)
    assert "folder/: 58 files" in capsys.readouterr().err


def test_the_command_keeps_the_gating_list_of_a_graph(small, tmp_path):
    pytest.importorskip("onnx")
    source, first, second = (tmp_path / name for name in ("a.safetensors", "b.onnx", "c.onnx"))
    forms.write_safetensors(source, small)
    assert main([str(source), str(first), "--gating", "341"]) == 0
    assert main([str(first), str(second)]) == 0
    assert forms.onnx_gating(second) == forms.GATING_341


@pytest.mark.parametrize(
    ("source", "target", "words"),
    [
        ("nowhere", "a.onnx", "nowhere does not exist"),
        ("a.safetensors", "b.bin", "b.bin: wanted .safetensors, .onnx or a folder's name"),
        ("a.safetensors", "b --half", "--half is for .safetensors"),
        ("a.safetensors", "b.safetensors --gating 341", "--gating is for .onnx"),
    ],
)
def test_what_the_command_cannot_do_is_one_line(small, tmp_path, capsys, source, target, words):
    forms.write_safetensors(tmp_path / "a.safetensors", small)
    name, *more = target.split()
    assert main([str(tmp_path / source), str(tmp_path / name), *more]) == 1
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1
