"""Compressed copies hold the same model; where a program is missing, one line says so."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from assets3d.errors import InputError
from assets3d.export import variants
from assets3d.export.provenance import stamped
from assets3d.export.variants import missing, write_variants
from assets3d.mesh import validate
from assets3d.mesh.glb import glb_bytes
from assets3d.mesh.glb_builder import unpacked
from tests.export.shapes import shape
from tests.export.test_glb import provenance


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "box.glb"
    path.write_bytes(stamped(glb_bytes(shape("box"), "box"), provenance()))
    return path


def picture_in(document: dict, data: bytes) -> bytes:
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    return data[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]


def test_webp(model):
    files, lines = write_variants(model, ["webp"])
    assert (files, lines) == ({"variant_webp": "box.webp.glb"}, [])
    raw = (model.parent / "box.webp.glb").read_bytes()
    document, data = unpacked(raw, "webp")
    assert document["extensionsRequired"] == ["EXT_texture_webp"]
    assert document["textures"][0] == {
        "sampler": 0,
        "extensions": {"EXT_texture_webp": {"source": 0}},
    }
    assert document["images"][0]["mimeType"] == "image/webp"
    with Image.open(io.BytesIO(picture_in(document, data))) as picture:
        assert picture.format == "WEBP"
        error = np.asarray(picture.convert("RGB")).astype(float) - shape("box").base_colour
    assert np.abs(error).mean() < 8.0
    before, data_before = unpacked(model.read_bytes(), "box")
    for one, two in zip(before["accessors"], document["accessors"], strict=True):
        assert one == two
    mesh_bytes = document["bufferViews"][0]["byteLength"]
    assert data[:mesh_bytes] == data_before[:mesh_bytes]
    assert document["asset"]["extras"] == before["asset"]["extras"]
    if not validate.missing():
        verdict = validate.validate_glb(model.parent / "box.webp.glb")
        assert (verdict.errors, verdict.warnings) == (0, 0), verdict.messages


@pytest.mark.skipif(bool(missing("meshopt")), reason=missing("meshopt"))
def test_meshopt(model):
    files, lines = write_variants(model, ["meshopt"])
    assert (files, lines) == ({"variant_meshopt": "box.meshopt.glb"}, [])
    raw = (model.parent / "box.meshopt.glb").read_bytes()
    document, data = unpacked(raw, "meshopt")
    required = ["EXT_meshopt_compression", "KHR_mesh_quantization"]
    assert sorted(document["extensionsRequired"]) == required
    assert document["asset"]["extras"]["prompt"] == "a box"
    assert document["extensions"]["KHR_xmp_json_ld"]["packets"][0]["dc:format"]
    assert document["nodes"][0]["name"] == "box"
    before, data_before = unpacked(model.read_bytes(), "box")
    assert picture_in(document, data) == picture_in(before, data_before)
    sizes = [len(r) - len(picture_in(*unpacked(r, ""))) for r in (raw, model.read_bytes())]
    assert sizes[0] < 0.6 * sizes[1]
    # The node brings the quantised box back to metres.
    node, mesh = document["nodes"][0], shape("box")
    position = document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]
    low, high = (np.array(document["accessors"][position][k]) / 32767 for k in ("min", "max"))
    bounds = np.stack([low, high]) * node["scale"] + node.get("translation", 0.0)
    np.testing.assert_allclose(bounds, mesh.bounds, atol=1e-4)
    write_variants(model, ["meshopt"])
    assert (model.parent / "box.meshopt.glb").read_bytes() == raw
    if not validate.missing():
        verdict = validate.validate_glb(model.parent / "box.meshopt.glb")
        assert (verdict.errors, verdict.warnings) == (0, 0), verdict.messages


def test_ktx2_is_asked_for_what_the_extension_wants(model, tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    fake = programs / "ktx"
    fake.write_text(
        f'#!/bin/sh\necho "$@" > {programs}/said\nfor last; do :; done\necho ktx > "$last"\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    files, lines = write_variants(model, ["ktx2"])
    assert (files, lines) == ({"variant_ktx2": "box.ktx2.glb"}, [])
    said = (programs / "said").read_text()
    assert "create --format R8G8B8_SRGB" in said
    assert "--encode basis-lz --generate-mipmap" in said
    document, data = unpacked((model.parent / "box.ktx2.glb").read_bytes(), "ktx2")
    assert document["extensionsRequired"] == ["KHR_texture_basisu"]
    assert picture_in(document, data) == b"ktx\n"
    fake.write_text("#!/bin/sh\necho 'no such format' >&2\nexit 3\n")
    with pytest.raises(InputError, match=r"variants: ktx2 of box\.glb failed: no such format"):
        write_variants(model, ["ktx2"])


def test_what_is_missing_is_said_and_the_rest_made(model, monkeypatch):
    monkeypatch.setattr(variants.shutil, "which", lambda name: None)
    files, lines = write_variants(model, ["meshopt", "webp", "ktx2"])
    assert list(files) == ["variant_webp"]
    assert lines == [
        "variant meshopt was not made: node is not installed",
        "variant ktx2 was not made: the program ktx (KTX-Software) is not installed",
    ]
    with pytest.raises(InputError, match="variants: found 'draco', wanted some of meshopt"):
        write_variants(model, ["draco"])
