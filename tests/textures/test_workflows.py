"""The published ComfyUI graphs as numbers, and every other graph as one clear line."""

import json
from pathlib import Path

import pytest

from assets3d.errors import InputError
from assets3d.textures.comfyui_graph import graph_of
from assets3d.textures.workflows import read_workflow, workflow_of
from tests.textures.graphs import texture_graph, without

PUBLISHED = Path(__file__).parents[3] / "shared/workflows"


def _read(graph):
    return workflow_of(graph_of(graph, "graph.json"))


def test_text_graphs_are_read_along_their_links():
    found = _read(texture_graph(size=512, period=508, canvas=636))
    assert (found.kind, found.prompt, found.picture) == ("text", "moss", None)
    assert (found.size_px, found.period_px, found.canvas_px) == (512, 508, 636)
    assert (found.steps, found.guidance, found.denoise) == (6, 1.5, 0.9)
    assert (found.sampler, found.seed) == ("euler karras", 77)
    assert found.checkpoint == "model.safetensors"
    assert found.style == "texture {prompt} top down close-up"
    assert found.negative_prompt == "ugly, deformed, noisy, blurry"
    assert found.image_prompt_weight is None


def test_picture_graphs_name_their_picture_and_how_loudly_it_speaks():
    found = _read(texture_graph(picture="brick.jpg"))
    assert (found.kind, found.picture) == ("picture", "brick.jpg")
    assert found.image_prompt_weight == 0.7
    assert found.seed == 77


def test_what_is_left_out_is_said_line_by_line():
    lines = _read(texture_graph(picture="brick.jpg")).left_out
    for part in ("translation", "new seed", "cross.png", "overlays", "BAE", "normal-map", "PLUS"):
        assert sum(part in line for line in lines) == 1, part
    assert not any("\n" in line for line in lines)


def test_plain_schedules_are_no_word_of_a_sampler():
    assert _read(texture_graph(sampler=("dpmpp_2m_sde_gpu", "normal"))).sampler == "dpmpp_2m_sde"


def test_samplers_that_diffusers_lacks_are_named():
    with pytest.raises(InputError, match=r"graph\.json: image\.scheduler: .*nosuch"):
        _read(texture_graph(sampler=("nosuch", "normal")))


def test_an_adapter_that_speaks_part_of_the_way_is_said():
    graph = texture_graph(picture="brick.jpg", adapter=[0.8, 0.3, 0.7])
    assert any("0.3 to 0.7" in line for line in _read(graph).left_out)
    assert not any("of the way" in line for line in _read(texture_graph(picture="b.jpg")).left_out)


def test_unknown_styles_are_left_out():
    graph = texture_graph()
    for node in graph["nodes"]:
        if node["type"] == "SDXLPromptStyler":
            node["widgets_values"][2] = "sai-anime"
    found = _read(graph)
    assert found.style == "{prompt}"
    assert any("sai-anime" in line for line in found.left_out)


@pytest.mark.parametrize(
    "kind",
    [
        *("SaveImage", "ImageCrop", "SetLatentNoiseMask", "VAEEncode", "KSampler"),
        *("EmptyImage", "CLIPTextEncode", "CheckpointLoaderSimple", "VAEDecode"),
    ],
)
@pytest.mark.parametrize("picture", [None, "brick.jpg"])
def test_another_graph_is_one_line_that_names_what_is_missing(kind, picture):
    with pytest.raises(InputError) as raised:
        _read(without(texture_graph(picture=picture), kind))
    line = str(raised.value)
    assert line.startswith("graph.json: holds no ")
    assert "\n" not in line


def test_values_that_are_none_are_named():
    graph = texture_graph()
    for node in graph["nodes"]:
        if node["type"] == "EmptyImage":
            node["widgets_values"][0] = "wide"
    with pytest.raises(InputError, match=r"EmptyImage .* has width 'wide', wanted a whole number"):
        _read(graph)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no json", "cannot be read"),
        ("[1, 2]", "holds no nodes and links"),
        ('{"nodes": [], "links": []}', "holds no SaveImage"),
        ('{"nodes": [{"id": 1}], "links": []}', "holds no nodes and links"),
        ('{"3": {"class_type": "KSampler", "inputs": {}}}', "API format"),
    ],
)
def test_other_files_are_one_line(tmp_path, text, wanted):
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_workflow(path)
    assert str(raised.value).startswith("other.json: ")
    assert wanted in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.json: cannot be read"):
        read_workflow(tmp_path / "gone.json")


def test_graphs_are_read_from_files(tmp_path):
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(texture_graph()))
    assert read_workflow(path) == _read(texture_graph())


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published graphs are not here")
@pytest.mark.parametrize("kind", ["text", "image"])
def test_the_published_graphs(kind):
    found = read_workflow(PUBLISHED / f"{kind}_to_texture.json")
    assert (found.size_px, found.period_px, found.canvas_px) == (1024, 1020, 1276)
    assert (found.steps, found.guidance, found.sampler) == (8, 1.0, "euler sgm_uniform")
    assert (found.prompt, found.style) == ("rock", "texture {prompt} top down close-up")
    assert found.negative_prompt == "ugly, deformed, noisy, blurry"
    assert found.checkpoint.endswith("sdxl_lightning_8step.safetensors")
    assert found.image_prompt_weight == (0.8 if kind == "image" else None)
    assert found.seed == (1086404413043726 if kind == "image" else 386213472092672)
    assert sum("muted" in line for line in found.left_out) == 4
