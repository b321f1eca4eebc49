"""The two published ComfyUI graphs, text to texture and picture to texture, as plain numbers.

The graph is read against the direction of its links, from the picture that it saves back to the
canvas that it starts from, so that neither the order of nodes nor their ids matter. What has no
counterpart here is said line by line. Importing this module imports no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from assets3d.errors import InputError
from assets3d.images.samplers import choose
from assets3d.textures.comfyui_graph import Graph, Node, read_graph
from assets3d.textures.workflow_parts import WANTED, PromptReader, parts_left_out

# Where the picture comes from in nodes that make one of another.
_MAIN_INPUT = {
    "SaveImage": "images",
    "PreviewImage": "images",
    "ImageScale": "image",
    "ImageCrop": "image",
    "Image Overlay": "base_image",
    "VAEDecode": "samples",
    "KSampler": "latent_image",
    "SetLatentNoiseMask": "samples",
    "VAEEncode": "pixels",
}
# Schedules that are what a sampler does when nothing is said.
_PLAIN_SCHEDULES = ("normal", "simple")


@dataclass(frozen=True)
class Workflow:
    """What a graph says.

    Attributes:
        kind: whether it starts from words or from a picture.
        prompt: the words, without the style.
        style: what they are put into, at {prompt}.
        negative_prompt: what not to show.
        picture: name of the picture's file; None for words.
        image_prompt_weight: how loudly that picture speaks through an IP-Adapter; None if not.
        size_px: side of the finished tile.
        period_px: from one copy of the tile on the canvas to the next.
        canvas_px: side of the canvas.
        checkpoint: name of the model's file.
        sampler: by the names of `images.samplers`.
        steps: sampling steps.
        guidance: classifier-free guidance; 1 is off.
        denoise: how much of the masked part is drawn anew.
        seed: of the first drawing, in picture graphs of the repaint.
        left_out: one line for each thing that has no counterpart here.
    """

    kind: Literal["text", "picture"]
    prompt: str
    style: str
    negative_prompt: str
    picture: str | None
    image_prompt_weight: float | None
    size_px: int
    period_px: int
    canvas_px: int
    checkpoint: str
    sampler: str
    steps: int
    guidance: float
    denoise: float
    seed: int
    left_out: tuple[str, ...]


def read_workflow(path: str | Path) -> Workflow:
    """Read one of the two graphs from its file.

    Raises:
        InputError: not such a file, or another graph; the line names what is missing.
    """
    return workflow_of(read_graph(path))


def workflow_of(graph: Graph) -> Workflow:
    """Return what a graph says.

    Raises:
        InputError: another graph; the line names what is missing.
    """
    steps = _steps(graph)
    decoded = _position(graph, steps, "VAEDecode")
    finish, start = steps[:decoded], steps[decoded:]
    sampler = start[_position(graph, start, "KSampler")]
    encoded = _position(graph, start, "VAEEncode")
    _position(graph, start, "SetLatentNoiseMask")
    canvas = start[_position(graph, start, "EmptyImage")]
    crop = finish[_position(graph, finish, "ImageCrop")]
    carried = [node for node in finish if node.kind == "Image Overlay"]
    pasted = [node for node in start[encoded:] if node.kind == "Image Overlay"]
    if not carried or not pasted:
        where = "after" if pasted else "before"
        raise InputError(f"{graph.name}: holds no Image Overlay {where} its repaint, {WANTED}")
    period = max(_offset(graph, node) for node in carried)
    scale = next((node for node in finish if node.kind == "ImageScale"), None)
    size = graph.number(scale or crop, "width", 64)
    tile = _required(graph, graph.source(pasted[0], "overlay_image"), "a tile on its canvas")
    first = _first_drawing(graph, tile)
    words = PromptReader(graph, sampler)
    adapter, checkpoint, passed = _models(graph, sampler)
    left_out = [
        *words.left_out,
        *(f"{node.kind} {node.first_value} changes the model: it is not read" for node in passed),
        *_seed_lines(graph, sampler, first),
        *_numbers_that_differ(graph, tile, size, period, crop),
        *parts_left_out(graph),
    ]
    return Workflow(
        kind="picture" if first is None else "text",
        prompt=words.prompt,
        style=words.style,
        negative_prompt=words.negative_prompt,
        picture=_picture(graph, tile) if first is None else None,
        image_prompt_weight=None if adapter is None else float(graph.value(adapter, "weight")),
        size_px=size,
        period_px=period,
        canvas_px=graph.number(canvas, "width", period),
        checkpoint=checkpoint.first_value,
        sampler=_sampler(graph, sampler),
        steps=graph.number(sampler, "steps", 1),
        guidance=float(graph.value(sampler, "cfg")),
        denoise=float(graph.value(sampler, "denoise")),
        seed=graph.number(sampler if first is None else first, "seed", 0),
        left_out=tuple(left_out),
    )


def _steps(graph: Graph) -> list[Node]:
    """Return the nodes from the picture that is saved back to the canvas."""
    furthest: list[Node] = []
    for saved in graph.of_kind("SaveImage", "PreviewImage"):
        if saved.is_off:
            continue
        steps, node = [saved], _before(graph, saved)
        while node is not None and node not in steps:
            steps.append(node)
            node = _before(graph, node)
        if {"SetLatentNoiseMask", "ImageCrop"} <= {step.kind for step in steps}:
            return steps
        furthest = max(furthest, steps, key=len)
    if not furthest:
        raise InputError(f"{graph.name}: holds no SaveImage that is on, {WANTED}")
    kinds = {step.kind for step in furthest}
    missing = [kind for kind in ("ImageCrop", "SetLatentNoiseMask") if kind not in kinds]
    raise InputError(
        f"{graph.name}: holds no {' and no '.join(missing)} behind a picture that it saves, "
        f"{WANTED}"
    )


def _before(graph: Graph, node: Node) -> Node | None:
    return graph.source(node, _MAIN_INPUT.get(node.kind, ""))


def _position(graph: Graph, steps: Sequence[Node], kind: str) -> int:
    for position, node in enumerate(steps):
        if node.kind == kind:
            return position
    raise InputError(f"{graph.name}: holds no {kind} behind the picture that it saves, {WANTED}")


def _required(graph: Graph, node: Node | None, what: str) -> Node:
    if node is None:
        raise InputError(f"{graph.name}: holds no {what}, {WANTED}")
    return node


def _offset(graph: Graph, overlay: Node) -> int:
    """Return by how far an overlay carries the picture: x or y, to the left or up."""
    offsets = [graph.value(overlay, name) for name in ("x_offset", "y_offset")]
    if not all(isinstance(offset, int) for offset in offsets):
        raise InputError(f"{graph.name}: Image Overlay {overlay.number} has offsets {offsets}")
    return max(abs(offset) for offset in offsets)


def _first_drawing(graph: Graph, tile: Node) -> Node | None:
    """Return the sampler that draws the tile from words; None where it is a picture's."""
    if tile.kind != "VAEDecode":
        return None
    return _required(graph, graph.source(tile, "samples"), "KSampler before its canvas")


def _picture(graph: Graph, tile: Node) -> str:
    node: Node | None = tile
    while node is not None and node.kind in ("ImageScale", "ImageCrop"):
        node = graph.source(node, "image")
    if node is None or node.kind != "LoadImage":
        raise InputError(f"{graph.name}: holds no LoadImage before its canvas, {WANTED}")
    return node.first_value


def _models(graph: Graph, sampler: Node) -> tuple[Node | None, Node, list[Node]]:
    """Return the IP-Adapter, the checkpoint and what else lies between it and the sampler."""
    adapter, passed = None, []
    node = graph.source(sampler, "model")
    while node is not None and "ckpt_name" not in node.widgets:
        if node.kind == "IPAdapter":
            adapter = None if node.is_off else node
        elif node.kind != "IPAdapterUnifiedLoader":
            passed.append(node)
        node = graph.source(node, "model")
    return adapter, _required(graph, node, "checkpoint loader behind its KSampler"), passed


def _sampler(graph: Graph, sampler: Node) -> str:
    """Return the sampler by our names.

    Raises:
        InputError: one that diffusers lacks.
    """
    name = str(graph.value(sampler, "sampler_name")).removesuffix("_gpu")
    schedule = str(graph.value(sampler, "scheduler"))
    whole = name if schedule in _PLAIN_SCHEDULES else f"{name} {schedule}"
    try:
        choose(whole)
    except InputError as error:
        raise InputError(f"{graph.name}: {error}") from None
    return whole


def _seed_lines(graph: Graph, sampler: Node, first: Node | None) -> list[str]:
    lines = []
    drawn = [node for node in (first, sampler) if node is not None]
    holders = [graph.source(node, "seed") or node for node in drawn]
    if any(node.widgets.get("control_after_generate") == "randomize" for node in holders):
        lines.append("a new seed at every run: the saved one is taken")
    if first is not None and graph.value(first, "seed") != graph.value(sampler, "seed"):
        lines.append(f"the repaint's own seed {graph.value(sampler, 'seed')}: it follows from one")
    if first is not None:
        for name in ("steps", "cfg", "sampler_name", "scheduler"):
            one, other = graph.value(first, name), graph.value(sampler, name)
            if one != other:
                lines.append(f"{name} {one} of the first drawing: the repaint's {other} is taken")
    return lines


def _numbers_that_differ(graph: Graph, tile: Node, size: int, period: int, crop: Node) -> list[str]:
    lines = []
    latent = graph.source(_first_drawing(graph, tile) or tile, "latent_image")
    drawn = graph.value(latent or tile, "width") if latent or tile.kind == "ImageScale" else size
    if drawn != size:
        lines.append(f"the size {drawn} that is drawn at: the finished tile's {size} is taken")
    if graph.value(crop, "width") != period:
        lines.append(f"the crop to {graph.value(crop, 'width')} px: the period {period} is taken")
    return lines
