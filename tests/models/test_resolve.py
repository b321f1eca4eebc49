"""From model names to files, hashes and licences."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from assets3d.errors import InputError
from assets3d.models import read_entry, resolve, sha256_of

REGISTRY = {
    "embedded": {"source": "embedded", "licence": "MIT", "commercial": True},
    "big-net": {
        "step": "image",
        "source": "owner/big-net",
        "files": ["*.json"],
        "commercial": None,
    },
    "u2net": {"step": "cutout", "source": "rembg", "licence": "Apache-2.0", "commercial": True},
    "broken": {"step": "image", "source": "what is this"},
}


@pytest.fixture
def weights(tmp_path):
    folder = tmp_path / "weights" / "image" / "unet"
    folder.mkdir(parents=True)
    (folder / "net.safetensors").write_bytes(b"abc")
    (folder / "config.json").write_text("{}")
    (folder.parent / "README.md").write_text("no part of the hash")
    return tmp_path / "weights"


def test_embedded(weights):
    found = resolve("image", "embedded", REGISTRY, embedded_folder=weights)
    assert found.path == weights / "image"
    assert found.sha256s == {
        "unet/config.json": hashlib.sha256(b"{}").hexdigest(),
        "unet/net.safetensors": hashlib.sha256(b"abc").hexdigest(),
    }
    assert (found.licence, found.commercial, found.revision) == ("MIT", "yes", None)
    assert found.record()["sha256"] == found.digest
    with pytest.raises(InputError, match=r"cutout\.model: no embedded weights .*/cutout/"):
        resolve("cutout", "embedded", REGISTRY, embedded_folder=weights)
    with pytest.raises(InputError, match="weights/lgm/"):
        resolve("splats", "embedded", REGISTRY, embedded_folder=weights)


def test_digest_follows_content_and_names_only(weights):
    def digest():
        return resolve("image", "embedded", REGISTRY, embedded_folder=weights).digest

    before = digest()
    (weights / "image" / "README.md").write_text("other")
    assert digest() == before
    (weights / "image" / "unet" / "net.safetensors").write_bytes(b"abcd")
    changed = digest()
    assert changed != before
    (weights / "image" / "unet" / "net.safetensors").rename(weights / "image" / "net.safetensors")
    assert digest() not in (before, changed)


def test_local_folder_and_file(weights):
    found = resolve("image", str(weights / "image"), {})
    assert (found.source, found.licence, found.commercial) == ("local", "unverified", "unverified")
    assert len(found.files) == 2
    one = resolve("cutout", str(weights / "image" / "unet" / "net.safetensors"), {})
    assert list(one.sha256s) == ["net.safetensors"]


def test_unknown_names(weights):
    with pytest.raises(InputError, match=r"image\.model: found 'bignet' \(did you mean big-net"):
        resolve("image", "bignet", REGISTRY)
    with pytest.raises(InputError, match="wanted one of big-net, broken, embedded, a local folder"):
        resolve("image", "u2net", REGISTRY)  # of another step
    with pytest.raises(InputError, match="has source 'what is this'"):
        resolve("image", "broken", REGISTRY)


def _cached_snapshot(cache, repo, content):
    """Write what the Hub's client leaves in its cache: blobs named by hash, links in a snapshot."""
    root = cache / f"models--{repo.replace('/', '--')}"
    commit = "0123456789abcdef0123456789abcdef01234567"
    for name, data in content.items():
        blob = root / "blobs" / hashlib.sha256(data).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(data)
        link = root / "snapshots" / commit / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(blob)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(commit)
    return commit


def test_hub_snapshot_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(
        InputError, match=r"owner/big-net\) is not on this machine, .*download: true"
    ):
        resolve("image", "big-net", REGISTRY)
    _cached_snapshot(tmp_path, "owner/big-net", {"config.json": b"{}"})
    _cached_snapshot(tmp_path, "other/part", {"unet.safetensors": b"xyz"})
    part = {"unet": {"source": "other/part", "file": "unet.safetensors"}}
    registry = {"big-net": {**REGISTRY["big-net"], "parts": part}}
    found = resolve("image", "big-net", registry)
    assert found.commercial == "unverified"
    assert found.parts["unet"].read_bytes() == b"xyz"
    assert found.sha256s == {
        "config.json": hashlib.sha256(b"{}").hexdigest(),
        "unet:unet.safetensors": hashlib.sha256(b"xyz").hexdigest(),
    }


def test_blob_names_are_trusted_in_the_hub_cache_only(tmp_path):
    name = "a" * 64
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / name).write_bytes(b"x")
    (tmp_path / name).write_bytes(b"x")
    assert sha256_of(tmp_path / "blobs" / name) == name
    assert sha256_of(tmp_path / name) == hashlib.sha256(b"x").hexdigest()


def test_rembg_file(tmp_path, monkeypatch):
    monkeypatch.setenv("REMBG_HOME", str(tmp_path))
    monkeypatch.delenv("U2NET_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"u2net\.onnx is not on this machine"):
        resolve("cutout", "u2net", REGISTRY)
    path = tmp_path / "models" / "u2net" / "u2net.onnx"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"net")
    assert resolve("cutout", "u2net", REGISTRY).path == path
    from rembg.sessions import sessions

    assert Path(sessions["u2net"].resolve_existing("u2net.onnx")) == path


def test_the_projects_own_registry():
    path = Path(__file__).parents[2] / "configs" / "models.yaml"
    registry = yaml.safe_load(path.read_text())
    for name, entry in registry.items():
        assert entry["source"] in ("embedded", "rembg") or entry["source"].count("/") == 1, name
        assert entry["licence"], name
        assert entry["commercial"] in (True, False, None), name
        assert entry["revision"] is None, name  # the lock has them
        assert isinstance(entry["verified"], bool), name
        assert {"download_gb", "gpu_gb"} <= entry.keys(), name
        assert read_entry(name, entry).name == name
    from assets3d.cutout import MODELS

    rembg = {name for name, entry in registry.items() if entry["source"] == "rembg"}
    assert rembg == set(MODELS) - {"embedded"}


def test_importing_costs_no_torch():
    code = (
        "import sys, assets3d.models, assets3d.cutout, assets3d.images.text_to_image, "
        "assets3d.images.picture, assets3d.images.sheet, assets3d.images.animation; "
        "heavy = {'torch', 'diffusers', 'rembg', 'onnxruntime', 'huggingface_hub', 'cv2'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
