"""Exported GLBs: provenance, names, hulls and splats are in the file; the validator has no word."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest

from assets3d.export.glb_edit import meshes_glb, renamed, tangents_are_there, with_meshes
from assets3d.export.hulls import convex_hull
from assets3d.export.provenance import (
    ModelUse,
    Provenance,
    display_name,
    input_verdict,
    stamped,
)
from assets3d.export.splats_glb import splats_glb
from assets3d.mesh import validate
from assets3d.mesh.glb import glb_bytes, read_glb
from assets3d.mesh.glb_builder import unpacked
from assets3d.splats.ply import SH_0
from tests.export.shapes import shape
from tests.mesh.scenes import surfels

MODEL = ModelUse("image", "sdxl", "hub/sdxl", "a" * 40, "OpenRAIL++", "yes")


def provenance(**fields) -> Provenance:
    made = {"words": "prompt: a box", "prompt": "a box", "seed": 7, "models": (MODEL,)}
    return Provenance(**{"asset": "red_box", "kind": "prop", "inputs": {}, **made, **fields})


def messages(data: bytes, folder) -> list[dict]:
    """Return what the Khronos validator says above the grade of information."""
    if validate.missing():
        pytest.skip(validate.missing())
    (folder / "file.glb").write_bytes(data)
    command = ["node", str(validate.SCRIPT), str(folder / "file.glb")]
    done = subprocess.run(command, capture_output=True, text=True)
    return [m for m in json.loads(done.stdout)["messages"] if m["severity"] < 2]


def test_provenance_is_in_the_file_and_nothing_else_changes(tmp_path):
    plain = glb_bytes(shape("box"), "red_box")
    data = stamped(plain, provenance())
    document, binary = unpacked(data, "box")
    assert binary == unpacked(plain, "box")[1]
    facts = document["asset"]["extras"]
    assert (facts["prompt"], facts["seed"], facts["commercial"]) == ("a box", 7, "yes")
    assert facts["models"][0]["revision"] == "a" * 40
    packet = document["extensions"]["KHR_xmp_json_ld"]["packets"][0]
    assert packet["dc:title"]["rdf:_1"] == {"@language": "en", "@value": "Red box"}
    assert packet["dc:rights"]["rdf:_1"]["@value"] == "sdxl: OpenRAIL++; may be sold"
    assert set(packet["@context"]) >= {name.split(":")[0] for name in packet} - {"@context"}
    assert packet["Iptc4xmpExt:DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert document["asset"]["extensions"]["KHR_xmp_json_ld"] == {"packet": 0}
    assert stamped(plain, provenance()) == data
    assert stamped(data, provenance()) == data
    assert not messages(data, tmp_path)


@pytest.mark.parametrize(
    ("licence", "verdict"),
    [
        (None, "yes"),
        ("CC-BY-4.0", "yes"),
        ("my own photograph", "yes"),
        ("CC-BY-NC-4.0", "no"),
        ("CC BY-NC-SA 4.0", "no"),
        ("Non-commercial use only", "no"),
        ("research only", "no"),
        ("Editorial use only", "no"),
        ("for personal use", "no"),
        ("Personal-Use Licence", "no"),
        ("not for commercial purposes", "no"),
        ("evaluation copy", "no"),
        ("Academic Free License 3.0", "yes"),
        ("Educational Community License 2.0", "yes"),
        ("bought, commercial use allowed", "yes"),
    ],
)
def test_licences_of_inputs(licence, verdict):
    assert input_verdict(licence) == verdict
    assert provenance(input_licence=licence, input_commercial=verdict).commercial == verdict


def test_the_strictest_licence_counts():
    never = ModelUse("views", "imagedream", "hub", None, "NC", "no")
    unread = ModelUse("cutout", "u2net", "hub", None, "unknown", "unverified")
    assert provenance(models=(MODEL, unread)).commercial == "unverified"
    assert provenance(models=(MODEL, unread, never)).commercial == "no"
    assert provenance(models=()).commercial == "yes"
    assert provenance(models=()).made_by == "formula"
    assert provenance(inputs={"image": "0" * 64}).made_by == "network on a person's file"
    assert display_name("red_mushroom-2") == "Red mushroom 2"


def test_names_and_hulls_in_the_model(tmp_path):
    mesh = shape("box")
    hull = convex_hull(mesh).mesh
    plain = glb_bytes(mesh, "red_box")
    data = renamed(plain, "SM_RedBox", "M_RedBox", "T_RedBox", "box")
    data = with_meshes(data, {"UCX_SM_RedBox_00": hull}, "box")
    (tmp_path / "box.glb").write_bytes(data)
    found = read_glb(tmp_path / "box.glb")
    names = [[thing["name"] for thing in found.document[p]] for p in ("nodes", "meshes")]
    assert names == [["SM_RedBox", "UCX_SM_RedBox_00"]] * 2
    assert found.document["materials"][0]["name"] == "M_RedBox"
    assert found.document["images"][0]["name"] == "T_RedBox"
    assert found.document["scenes"][0]["nodes"] == [0, 1]
    np.testing.assert_array_equal(found.mesh.vertices, mesh.vertices)
    np.testing.assert_array_equal(found.mesh.base_colour, mesh.base_colour)
    assert not messages(data, tmp_path)
    assert not messages(meshes_glb({"a": hull, "b": hull}, "box"), tmp_path)


def test_tangents():
    document, _ = unpacked(glb_bytes(shape("box"), "box"), "box")
    assert tangents_are_there(document)
    document["materials"][0]["normalTexture"] = {"index": 0}
    assert not tangents_are_there(document)


def test_splats(tmp_path):
    splats = surfels(shape("ball"), lambda p: p + 0.5, count=500)
    data = stamped(splats_glb(splats, "ball"), provenance())
    document, binary = unpacked(data, "ball")
    primitive = document["meshes"][0]["primitives"][0]
    assert primitive["mode"] == 0
    assert primitive["extensions"]["KHR_gaussian_splatting"]["kernel"] == "ellipse"

    def values(name: str) -> np.ndarray:
        accessor = document["accessors"][primitive["attributes"][name]]
        view = document["bufferViews"][accessor["bufferView"]]
        raw = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
        return np.frombuffer(raw, "<f4").reshape(accessor["count"], -1)

    prefix = "KHR_gaussian_splatting:"
    np.testing.assert_array_equal(values("POSITION"), splats.position)
    np.testing.assert_array_equal(values(prefix + "SCALE"), splats.scale)
    assert values(prefix + "SCALE").min() > 0.0  # linear, not logarithms
    np.testing.assert_allclose(values(prefix + "ROTATION")[:, 3], splats.rotation[:, 0], atol=1e-6)
    np.testing.assert_array_equal(values(prefix + "OPACITY")[:, 0], splats.opacity)
    colour = values(prefix + "SH_DEGREE_0_COEF_0") * SH_0 + 0.5
    np.testing.assert_allclose(colour, splats.rgb, atol=1e-6)
    # The validator does not know the ratified attributes yet, and finds nothing else.
    found = messages(data, tmp_path)
    assert len(found) == 4
    for message in found:
        assert message["code"] == "MESH_PRIMITIVE_INVALID_ATTRIBUTE"
        assert prefix in message["pointer"]
