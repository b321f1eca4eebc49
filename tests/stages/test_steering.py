"""Steering from the manifest to the picture: what entries may say, the key, the stage."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages._plan import make_plan
from stages._step import find_step
from stages.manifest import Manifest, check_entry
from stages.specs import PropSpec

ROOT = Path(__file__).resolve().parents[2]

BAD = {
    "loras": (
        {"loras": [{"file": "x", "wait": 1}]},
        "loras.1.wait: unknown field, did you mean we",
    ),
    "no file": ({"loras": [{"weight": 1}]}, "loras.1.file: found none, wanted one"),
    "a text": ({"loras": ["x"]}, "loras.1: found 'x', wanted fields file, weight"),
    "weight": ({"loras": [{"file": "x", "weight": "1"}]}, "loras.1.weight: found '1', wanted a nu"),
    "kind": ({"control": [{"kind": "canny", "image": "x"}]}, "control.1.kind: found 'canny', want"),
    "ip": ({"ip_adapter": {"image": "", "weight": 1}}, "ip_adapter.image: is empty"),
    "strength": ({"strength": 0.5}, "strength goes with init_image only"),
    "zero": ({"init_image": "x", "strength": 0}, "strength: found 0, wanted greater than 0"),
    "two starts": ({"edit": {"image": "a", "mask": "b", "prompt": "c"}}, "found prompt and edit"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_entries_name_the_place(case):
    fields, message = BAD[case]
    with pytest.raises(InputError) as error:
        check_entry("crate", {"prompt": "a crate", **fields})
    assert message in str(error.value)


def test_steering_needs_something_to_steer():
    for fields, wanted in (
        ({"loras": [{"file": "x"}]}, "loras goes with a prompt or an edit only"),
        ({"init_image": "x.png"}, "init_image goes with a prompt only"),
    ):
        with pytest.raises(InputError, match=wanted):
            check_entry("crate", {"image": "a.png", **fields})
    edit = {"image": "a.png", "mask": "b.png", "prompt": "a lid"}
    check_entry("crate", {"edit": edit, "loras": [{"file": "x"}]})
    control = [{"kind": "depth", "image": "x"}]
    with pytest.raises(InputError, match="control goes with a prompt only"):
        check_entry("crate", {"edit": edit, "control": control})


def test_files_are_sources_and_their_names_no_part_of_the_key():
    spec = PropSpec(
        prompt="a crate",
        loras=({"file": "a/style.safetensors"},),
        embeddings=({"file": "b/dots.safetensors"},),
        ip_adapter={"image": "like.png"},
        control=({"kind": "depth", "image": "depth.png"},),
        init_image="first.png",
    )
    assert {k: str(v) for k, v in spec.sources.items()} == {
        "init_image": "first.png",
        "ip_adapter.image": "like.png",
        "control.1.image": "depth.png",
    }
    assert spec.embeddings[0].token == "dots"
    values = spec.model_dump(mode="json")
    text = json.dumps([values[field] for field in find_step("image").fields])
    assert "dots" in text
    assert not any(name in text for name in ("style", ".png", "b/"))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with the registry, a tiny checkpoint, everything that steers, and pictures."""
    pytest.importorskip("diffusers")
    from tests.images import tiny_adapters
    from tests.images.tiny_pipelines import tiny_lora, tiny_pipeline

    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").symlink_to(tiny_pipeline("sd15"))
    tiny_lora(tmp_path / "style.safetensors")
    tiny_adapters.image_encoder(tmp_path / "encoder")
    tiny_adapters.ip_adapter(tmp_path / "plus.safetensors", "sd15")
    tiny_adapters.controlnet(tmp_path / "depthnet", "sd15")
    random = np.random.default_rng(0)
    for name in ("like", "depth", "first"):
        pixels = random.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    mask = np.zeros((48, 64), np.uint8)
    mask[10:20, 10:30] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path


def _params(place, **more):
    return {
        "model": str(place / "model"),
        "scheduler": None,
        "steps": 2,
        "guidance": 2.0,
        "size_px": 64,
        "dtype": "float32",
        "device": "cpu",
        "image_encoder": str(place / "encoder"),
        **more,
    }


def _assets(place):
    def prop(**fields):
        return PropSpec(**{"prompt": "a red crate", **fields})

    return {
        "plain": prop(),
        "styled": prop(loras=({"file": str(place / "style.safetensors"), "weight": 0.5},)),
        "alike": prop(
            ip_adapter={"image": "like.png", "model": str(place / "plus.safetensors")},
        ),
        "mapped": prop(
            control=({"kind": "depth", "image": "depth.png", "model": str(place / "depthnet")},)
        ),
        "redrawn": prop(init_image="first.png", strength=0.5),
        "edited": PropSpec(
            edit={"image": "first.png", "mask": "mask.png", "prompt": "a red crate"}
        ),
    }


def _run(place, assets, out="runs/image", **params):
    step = find_step("image")
    (place / "runs").mkdir(exist_ok=True)
    manifest = Manifest(assets, {})
    return run_step(step, _params(place, **params), manifest, [], place / out, LocalExecutor())


def test_the_stage_draws_what_the_entries_say(place):
    summary = _run(place, _assets(place))
    assert (summary.built, summary.failed) == (6, 0)
    pictures = {
        n: np.array(Image.open(place / f"runs/image/{n}/image.png")) for n in _assets(place)
    }
    same = [n for n in pictures if np.array_equal(pictures[n], pictures["plain"])]
    assert same == ["plain"]
    assert pictures["redrawn"].shape == pictures["mapped"].shape == (56, 72, 3)
    mask = np.array(Image.open(place / "mask.png"))
    first = np.array(Image.open(place / "first.png"))
    assert np.array_equal(pictures["edited"][mask == 0], first[mask == 0])
    assert not np.array_equal(pictures["edited"], first)
    record = json.loads((place / "runs/image/styled/record.json").read_text())
    assert record["models"]["lora.1"]["sha256"]
    assert record["spec"]["loras"] == [{"weight": 0.5}]
    assert _run(place, _assets(place)).reused == 6
    # Another LoRA of the same name, another mask: these two and no others are made again.
    from stages import _models
    from tests.images.tiny_pipelines import tiny_lora

    tiny_lora(place / "style.safetensors", seed=1)
    mask[0, 0] = 255
    Image.fromarray(mask).save(place / "mask.png")
    _models._find_file.cache_clear()
    assert str(_run(place, _assets(place))).startswith("image: built 2, reused 4, failed 0")


def _key(place, params=None, **fields):
    assets = {"a": PropSpec(**{"prompt": "a crate", **fields})}
    plan = make_plan(find_step("image"), _params(place, **(params or {})), assets, lambda *_: place)
    assert not plan.failures, plan.failures
    return plan.work[0].key


def test_what_others_are_steered_by_is_no_part_of_a_key(place):
    plain = _key(place)
    for params in (
        {"controls": {"depth": str(place / "depthnet")}},
        {"ip_adapters": {"plus": str(place / "plus.safetensors")}},
        {"edit": {"steps": 7}},
        {"image_encoder": "elsewhere"},
        {"offload": "none"},
    ):
        assert _key(place, params) == plain
    assert _key(place, {"attention_slicing": True}) != plain
    control = ({"kind": "depth", "image": "depth.png"},)
    by_profile = _key(place, {"controls": {"depth": str(place / "depthnet")}}, control=control)
    assert by_profile != plain


def _failure(place, params=None, **fields):
    assets = {"a": PropSpec(**{"prompt": "a crate", **fields})}
    plan = make_plan(find_step("image"), _params(place, **(params or {})), assets, lambda *_: place)
    assert not plan.work
    return str(plan.failures[0])


def test_what_is_not_there_is_named(place):
    control = ({"kind": "openpose", "image": "depth.png"},)
    assert (
        "control.1.model: controlnet-openpose-sd15 (lllyasviel/control_v11p_sd15_openpose) is not"
        in _failure(place, control=control)
    )
    lora = ({"file": "gone.safetensors"},)
    assert "loras.1.file: " in _failure(place, loras=lora)
    assert "image.edit.stepz: unknown" in _failure(
        place,
        {"edit": {"stepz": 1}},
        prompt=None,
        edit={"image": "first.png", "mask": "mask.png", "prompt": "x"},
    )
    assert "control.1.image: found nothing at" in _failure(
        place,
        {"controls": {"depth": str(place / "depthnet")}},
        control=({"kind": "depth", "image": "gone.png"},),
    )


def test_a_scheduler_without_a_model_of_its_own_is_refused(place):
    fields = {"prompt": None, "edit": {"image": "first.png", "mask": "mask.png", "prompt": "x"}}
    message = _failure(place, {"edit": {"scheduler": "Euler"}}, **fields)
    assert "image.edit.scheduler: goes with image.edit.model only" in message


def test_traces_of_jpeg_are_no_mask(tmp_path):
    from stages._steering import read_mask

    mask = np.zeros((64, 64), np.uint8)
    mask[20:41, 13:37] = 255
    Image.fromarray(mask).save(tmp_path / "mask.jpg", quality=90)
    stored = np.array(Image.open(tmp_path / "mask.jpg"))
    assert (stored[mask == 0] > 0).any()
    found = read_mask(tmp_path / "mask.jpg")
    near = np.zeros_like(mask)
    near[16:48, 8:40] = 1  # the blocks of 8 x 8 that the edge runs through
    assert not found[near == 0].any()
    assert (found[mask == 255] > 200).all()
    soft = np.full((4, 4), 100, np.uint8)
    Image.fromarray(soft).save(tmp_path / "soft.png")
    assert (read_mask(tmp_path / "soft.png") == 100).all()


def test_registered_networks_are_all_of_one_kind(place, monkeypatch):
    from stages import _steering
    from stages.specs.steering import ControlSpec

    asked = []
    monkeypatch.setattr(_steering, "find_file", lambda kind, name, *_: asked.append((kind, name)))
    maps = tuple(ControlSpec(kind=kind, image="x") for kind in ("depth", "lineart"))
    _steering._control_models(maps, {"family": "sdxl-base"})
    assert asked == [("t2i_adapter", "t2i-depth-sdxl"), ("t2i_adapter", "t2i-lineart-sdxl")]
    asked.clear()
    _steering._control_models(maps, {"family": "sd15"})
    assert [kind for kind, _ in asked] == ["controlnet", "controlnet"]
    with pytest.raises(InputError, match=r"control\.1\.model: nothing of the kind is registered"):
        _steering._control_models(maps, {"family": "sd21"})
