"""Every mistake in the manifest is named, and stays with its own asset."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets3d.errors import InputError
from stages.manifest import read_manifest

GOOD = "good: {prompt: a crate, seed: 3}\n"


def read(tmp_path: Path, text: str):
    path = tmp_path / "assets.yaml"
    path.write_text(text, encoding="utf-8")
    return read_manifest(path)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("bad: {promt: a crate}", ("promt: unknown field", "did you mean prompt?")),
        ("bad: {prompt: a crate, heigth_m: 1}", ("heigth_m", "did you mean height_m?")),
        ("bad: {prompt: a crate, zzzzqq: 1}", ("zzzzqq: unknown field", "texture_px")),
        ("bad: {prompt: ''}", ("prompt: is empty",)),
        ("bad: {prompt: '   '}", ("prompt: is empty",)),
        ("bad: {prompt: 12}", ("prompt: found 12", "string")),
        ("bad: {prompt: [a, b]}", ("prompt: found ['a', 'b']",)),
        ("bad: {prompt: a, image: b.png}", ("found prompt and image", "exactly one")),
        ("bad: {seed: 1}", ("found none, wanted exactly one",)),
        ("bad: {}", ("found none",)),
        ("bad:", ("entry: found nothing",)),
        ("bad: a crate", ("entry: found 'a crate'",)),
        ("bad: {prompt: a, texture_px: 1000}", ("texture_px: found 1000, wanted a power of two",)),
        ("bad: {prompt: a, texture_px: 8}", ("texture_px: found 8",)),
        ("bad: {prompt: a, height_m: 0}", ("height_m: found 0",)),
        ("bad: {prompt: a, height_m: .nan}", ("height_m: found nan",)),
        ("bad: {prompt: a, height_m: '1'}", ("height_m: found '1', wanted a number",)),
        ("bad: {prompt: a, faces: 99}", ("faces: found 99",)),
        ("bad: {prompt: a, faces: 200001}", ("faces: found 200001",)),
        ("bad: {prompt: a, seed: -1}", ("seed: found -1",)),
        ("bad: {prompt: a, seed: 1.5}", ("seed: found 1.5",)),
        ("bad: {prompt: a, formats: [fbx]}", ("formats.1: found 'fbx'", "obj", "stl")),
        ("bad: {prompt: a, formats: obj}", ("formats: found 'obj', wanted a list, such as [obj]",)),
        ("bad: {prompt: a, prompt: b}", ("prompt: found twice",)),
        ("bad: {image: a.png, negative_prompt: b}", ("negative_prompt",)),
        ("bad: {splats: a.ply, up: y}", ("up: found 'y'",)),
        ("../bad: {prompt: a}", ("id: found '../bad'",)),
        ("two words: {prompt: a}", ("id: found 'two words'",)),
        ("Bad: {prompt: a}", ("id: found 'Bad'",)),
        ("1: {prompt: a}", ("id: found '1'",)),
        (f"{'a' * 65}: {{prompt: a}}", ("at most 64",)),
        ("bad: {prompt: a}\nbad: {prompt: b}", ("id: found twice, in lines 2 and 3",)),
        ("bad: !!python/object:os.system {}", ("cannot be read",)),
    ],
)
def test_a_bad_entry_is_one_line_and_leaves_the_others(tmp_path, entry, words):
    manifest = read(tmp_path, GOOD + entry + "\n")
    assert list(manifest.assets) == ["good"]
    ((_, problem),) = manifest.problems.items()
    assert "\n" not in problem
    for word in words:
        assert word in problem


def test_an_id_found_three_times_is_one_problem(tmp_path):
    manifest = read(tmp_path, "a: {prompt: x}\na: {prompt: y}\na: {prompt: z}\n")
    assert not manifest.assets
    assert list(manifest.problems) == ["a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [1, 2", "not YAML"), ("- a\n- b\n", "wanted a mapping"), ("just text", "mapping")],
)
def test_only_an_unreadable_file_stops_everything(tmp_path, text, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "unicode string" not in str(caught.value)


def test_a_slip_in_the_yaml_is_named_by_its_line(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, GOOD + "crate: {prompt: a crate\nbarrel: {prompt: b}\n")
    assert "is not YAML: line 3, column" in str(caught.value)
    assert "that begins in line 2" in str(caught.value)


def test_the_order_of_the_file_is_kept_with_the_bad_entries_in_it(tmp_path):
    assert read(tmp_path, "z: {promt: x}\na: {prompt: x}\nm: [\n]\n").order == ("z", "a", "m")


def test_a_missing_or_binary_manifest(tmp_path):
    with pytest.raises(InputError, match="no file"):
        read_manifest(tmp_path / "none.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="UTF-8"):
        read_manifest(tmp_path / "b.yaml")


def test_an_empty_manifest_is_no_assets(tmp_path):
    assert read(tmp_path, "# nothing yet\n").assets == {}


def test_the_example_manifest_is_whole():
    root = Path(__file__).resolve().parents[2]
    manifest = read_manifest(root / "configs/assets.yaml")
    kinds = [spec.enters for spec in manifest.assets.values()]
    assert not manifest.problems
    assert kinds.count("prompt") >= 6
    assert {"image", "views", "splats"} <= set(kinds)
