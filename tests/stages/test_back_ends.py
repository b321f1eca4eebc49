"""Every back end of the maps stage, end to end on tiny networks: maps tile and agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import save_file

from assets3d.errors import InputError
from assets3d.models.places import Places
from assets3d.textures.fields import angle_deg, normals_of_slopes, slopes_of_height
from assets3d.textures.maps.measures import sign_test
from assets3d.textures.maps.small_network import MapsNetwork
from stages import _models, _relief, maps
from stages._executor import LocalExecutor
from stages._harness import run_step
from stages.manifest import Manifest, check_entry
from tests.textures.maps.tiny_networks import depth_network, normals_network, truthful
from tests.textures.maps.tiny_pretrained import tiny
from tests.textures.reliefs import noise_height

SIZE = 128
HEIGHT = noise_height(SIZE, pixel_m=0.12, finest_px=2.5)
MAPS = {"model": "none", "backend": "luminance", "preview_px": 32, "threads": 1}


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Read maps off a picture that carries its own truth; return the folder and its record."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_relief, "EMBEDDED_ROOT", tmp_path / "no weights")
    texture = tmp_path / "runs/texture/rock"
    texture.mkdir(parents=True)
    Image.fromarray(truthful(HEIGHT)).save(texture / "texture.png")
    (texture / "source.json").write_text(json.dumps({"by": "picture"}))

    def run(params: dict[str, Any], **entry: Any) -> tuple[Path, dict[str, Any]]:
        Image.fromarray(truthful(HEIGHT)).save("rock.png")
        spec = check_entry(
            "rock", {"kind": "material", "image": "rock.png", "size_px": 128, **entry}
        )
        out = tmp_path / "runs/maps"
        step = maps.STEP
        summary = run_step(
            step,
            {**MAPS, **params},
            Manifest({"rock": spec}, {}),
            [texture.parent],
            out,
            LocalExecutor(),
        )
        if summary.failed:
            raise AssertionError((out / "failures.json").read_text())
        folder = out / "rock"
        return folder, json.loads((folder / "record.json").read_text())

    return run


def small_weights(folder: Path) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        network = MapsNetwork()
    folder.mkdir(parents=True)
    save_file(network.state_dict(), folder / "maps.safetensors")
    return folder


def external(tmp_path: Path, **signs: float) -> dict[str, Any]:
    normals = {"file": str(normals_network(tmp_path / "normals.onnx")), "signs": signs}
    return {"backend": "external", "external": {"normals": normals}}


def back_end(name: str, tmp_path: Path) -> dict[str, Any]:
    if name == "external":
        declared = external(tmp_path)
        depth = {"file": str(depth_network(tmp_path / "depth.onnx")), "sense": "height"}
        declared["external"]["depth"] = depth
        return declared
    networks = {
        "small": lambda: small_weights(tmp_path / "small"),
        "marigold": lambda: tiny("normals"),
        "depth-anything-v2-small": lambda: tiny("depth-anything"),
        "midas": lambda: tiny("dpt"),
    }
    return {"backend": name, "network": str(networks[name]())}


def normals_in(folder: Path) -> np.ndarray:
    picture = cv2.imread(str(folder / "rock_normal_gl.png"), cv2.IMREAD_UNCHANGED)
    return picture[..., ::-1] / 65535.0 * 2.0 - 1.0


@pytest.mark.parametrize(
    "name", ["small", "marigold", "depth-anything-v2-small", "midas", "external"]
)
def test_maps_of_every_back_end_tile_and_agree(build, tmp_path, name):
    folder, record = build(back_end(name, tmp_path))
    assert record["numbers"]["worst_seam"] < 2.0
    height = cv2.imread(str(folder / "rock_height.png"), cv2.IMREAD_UNCHANGED)
    facts = json.loads((folder / "material.json").read_text())
    metres = (height / 65535.0 * facts["height"]["range_m"]).astype(np.float32)
    slopes = slopes_of_height(metres, facts["tile_m"] / SIZE)
    assert float(angle_deg(normals_in(folder), normals_of_slopes(*slopes)).mean()) < 0.01
    assert float(np.ptp(height)) > 0.0
    assert cv2.imread(str(folder / "rock_roughness.png"), cv2.IMREAD_UNCHANGED).std() > 0.0


def test_a_red_that_points_left_is_seen_in_the_files(build, tmp_path):
    truth = normals_of_slopes(*slopes_of_height(HEIGHT, 1.0))
    right, _ = build(external(tmp_path))
    assert sign_test(normals_in(right), truth).winner == "as is"
    wrong, _ = build(external(tmp_path, x=-1))
    verdict = sign_test(normals_in(wrong), truth)
    assert verdict.winner == "x flipped"
    assert verdict.margin_deg > 1.0


def test_an_entry_chooses_and_the_registry_knows_its_network(build, tmp_path):
    (tmp_path / "configs").mkdir()
    text = (Path(maps.__file__).parents[1] / "configs/models.yaml").read_text()
    (tmp_path / "configs/models.yaml").write_text(text)
    places = {"midas": str(tiny("dpt")), "marigold-normals": str(tiny("normals"))}
    (tmp_path / "configs/pipeline.yaml").write_text(yaml.safe_dump({"local_models": places}))
    _models.find_model.cache_clear()
    _, record = build({"backend": "marigold", "network": "marigold-normals"}, maps="midas")
    assert record["models"]["backend"]["name"] == "midas"
    assert record["models"]["backend"]["licence"] == "Apache-2.0"
    _, record = build({"backend": "marigold", "network": "marigold-normals"})
    assert record["models"]["backend"]["name"] == "marigold-normals"
    _models.find_model.cache_clear()


def test_the_embedded_network_gives_the_surface_where_it_is_there(build, tmp_path, monkeypatch):
    root = tmp_path / "weights"
    small_weights(root / "maps")
    monkeypatch.setattr(_relief, "EMBEDDED_ROOT", root)
    monkeypatch.setattr(_models, "read_places", lambda: Places(embedded=root))
    registry = {"embedded": {"source": "embedded", "licence": "MIT", "commercial": True}}
    monkeypatch.setattr(_models, "read_registry", lambda: registry)
    _models.find_model.cache_clear()
    folder, _ = build({**external(tmp_path), "surface": "luminance"})
    guessed = cv2.imread(str(folder / "rock_roughness.png"), cv2.IMREAD_UNCHANGED)
    _, record = build(external(tmp_path))
    assert record["models"]["surface"]["name"] == "embedded"
    found = cv2.imread(str(folder / "rock_roughness.png"), cv2.IMREAD_UNCHANGED)
    assert np.abs(guessed.astype(float) - found).mean() > 1.0
    # What the profile of a laptop says once the weights are there.
    _, record = build({"backend": "small", "network": "embedded"})
    assert set(record["models"]) == {"backend"}
    assert record["models"]["backend"]["name"] == "embedded"
    _models.find_model.cache_clear()


def test_appearance_gives_the_surface_of_other_back_ends(build, tmp_path, monkeypatch):
    registry = {
        "marigold-appearance": {"source": "prs-eth/some", "step": "maps", "commercial": True}
    }
    monkeypatch.setattr(_models, "read_registry", lambda: registry)
    local = {"marigold-appearance": tiny("appearance")}
    monkeypatch.setattr(_models, "read_places", lambda: Places(local=local))
    _models.find_model.cache_clear()
    params = {**external(tmp_path), "surface": "marigold-appearance"}
    folder, record = build(params, delight=True)
    assert record["models"]["surface"]["name"] == "marigold-appearance"
    base = cv2.imread(str(folder / "rock_basecolor.png"))[..., ::-1]
    assert np.abs(base.astype(float) - truthful(HEIGHT)).mean() > 10.0
    _models.find_model.cache_clear()


def own(params, **entry):
    spec = check_entry("rock", {"kind": "material", "image": "rock.png", **entry})
    return _relief.own({**MAPS, **params}, spec)


def test_only_what_a_back_end_reads_is_in_its_key(tmp_path, monkeypatch):
    monkeypatch.setattr(_relief, "EMBEDDED_ROOT", tmp_path)
    midas = {"backend": "midas", "network": str(tiny("dpt")), "working_px": 96, "steps": 4}
    assert own(midas).params == {"backend": "midas", "surface": "luminance", "working_px": 96}
    assert own(midas, maps="luminance").params == {"backend": "luminance"}
    assert own(midas, maps="luminance").models == {}
    declared = own(external(tmp_path, x=-1)).params["external"]
    assert declared == {"preset": None, "normals": {"signs": {"x": -1}}}
    moved = external(tmp_path, x=-1)
    before = own(moved).models["normals"].digest
    other = tmp_path / "folder/normals.onnx"
    other.parent.mkdir()
    Path(moved["external"]["normals"]["file"]).rename(other)
    moved["external"]["normals"]["file"] = str(other)
    assert own(moved).models["normals"].digest == before


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"backend": "marigould"}, ("maps.backend", "marigould", "luminance")),
        ({"backend": "small", "network": "none"}, ("maps.network", "none")),
        ({"backend": "midas", "network": "X"}, ("maps.model", "'X'", "a local folder")),
        ({"backend": "midas", "surface": "smal"}, ("maps.surface", "smal", "luminance")),
        ({"backend": "external"}, ("maps.external", "wanted {preset")),
        ({"backend": "external", "external": {"normals": {"file": "x.onnx"}}}, ("no file x.onnx",)),
    ],
)
def test_mistakes_in_a_profile_are_one_line(tmp_path, monkeypatch, params, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(_relief, "EMBEDDED_ROOT", tmp_path)
    with pytest.raises(InputError) as caught:
        own(params)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_what_may_not_be_sold_is_refused(tmp_path):
    params = {**external(tmp_path), "commercial": True}
    assert own(params).models["normals"].commercial == "unverified"
    declared = params["external"]["normals"]
    declared |= {"licence": "CC-BY-NC-4.0", "commercial": False}
    with pytest.raises(InputError, match=r"maps.external.normals: .* not for commercial use"):
        own(params)
    declared["commercial"] = True
    assert own(params).models["normals"].licence == "CC-BY-NC-4.0"
