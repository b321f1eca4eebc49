"""Graphs as ComfyUI's editor saves them: nodes, links, and the values of widgets by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.hub import one_line

# What the editor calls the values that it saves as a bare list.
_WIDGETS: dict[str, tuple[str, ...]] = {
    "KSampler": (
        *("seed", "control_after_generate", "steps", "cfg"),
        *("sampler_name", "scheduler", "denoise"),
    ),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptyImage": ("width", "height", "batch_size", "color"),
    "ImageScale": ("upscale_method", "width", "height", "crop"),
    "ImageCrop": ("width", "height", "x", "y"),
    "Image Overlay": (
        *("overlay_resize", "resize_method", "rescale_factor", "width", "height"),
        *("x_offset", "y_offset", "rotation", "opacity"),
    ),
    "CLIPTextEncode": ("text",),
    "SDXLPromptStyler": (
        *("text_positive", "text_negative", "style", "log_prompt"),
        *("style_positive", "style_negative"),
    ),
    "DeepTranslatorTextNode": (
        *("from_translate", "to_translate", "add_proxies", "proxies"),
        *("auth_data", "service", "text"),
    ),
    "CheckpointLoader|pysssss": ("ckpt_name",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "LoadImage": ("image",),
    "LoadImageMask": ("image", "channel"),
    "IPAdapter": ("weight", "start_at", "end_at"),
    "IPAdapterUnifiedLoader": ("preset",),
    "AIO_Preprocessor": ("preprocessor", "resolution"),
    "SaveImage": ("filename_prefix",),
    "PrimitiveNode": ("value", "control_after_generate"),
}
_PASSING_ON = ("Reroute",)
_SWITCHED_OFF = (2, 4)  # muted, bypassed


@dataclass(frozen=True)
class Node:
    """One node.

    Attributes:
        number: its id.
        kind: its type.
        is_off: whether it is muted or bypassed.
        inputs: names of its inputs -> ids of the links that end there.
        widgets: names of its values -> values, as far as they have known names.
    """

    number: int
    kind: str
    is_off: bool
    inputs: Mapping[str, int]
    widgets: Mapping[str, Any]

    @property
    def first_value(self) -> str:
        """Its first value as text, which is a file, a preset or a name."""
        first: Any = next(iter(self.widgets.values()), self.number)
        return str(first.get("content", "") if isinstance(first, dict) else first)


@dataclass(frozen=True)
class Graph:
    """A saved graph.

    Attributes:
        name: of its file, for messages.
        nodes: by id.
        origins: id of a link -> id of the node that it comes from.
    """

    name: str
    nodes: Mapping[int, Node]
    origins: Mapping[int, int]

    def source(self, node: Node, name: str) -> Node | None:
        """Return the node whose output feeds an input, through all reroutes; None if none does."""
        seen: set[int] = set()
        link = node.inputs.get(name)
        while link is not None and link in self.origins and link not in seen:
            seen.add(link)
            found = self.nodes.get(self.origins[link])
            if found is None or found.kind not in _PASSING_ON:
                return found
            link = next(iter(found.inputs.values()), None)
        return None

    def value(self, node: Node, name: str) -> Any:
        """Return a value of a node: that of the node that is linked to it, or its own.

        Raises:
            InputError: it has neither.
        """
        origin = self.source(node, name)
        if origin is not None and "value" in origin.widgets:
            return origin.widgets["value"]
        if name not in node.widgets:
            raise InputError(f"{self.name}: {node.kind} {node.number} holds no {name}, wanted one")
        return node.widgets[name]

    def number(self, node: Node, name: str, least: float) -> int:
        """Return a whole number of a node.

        Raises:
            InputError: it is none, or below `least`.
        """
        found = self.value(node, name)
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            raise InputError(
                f"{self.name}: {node.kind} {node.number} has {name} {found!r}, "
                f"wanted a whole number from {least:g}"
            )
        return found

    def of_kind(self, *kinds: str) -> Iterator[Node]:
        """Yield nodes of these types by their ids."""
        for number in sorted(self.nodes):
            if self.nodes[number].kind in kinds:
                yield self.nodes[number]


def read_graph(path: str | Path) -> Graph:
    """Read a graph that was saved from the editor.

    Raises:
        InputError: not there, not JSON, or not such a graph.
    """
    path = Path(path)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path.name}: cannot be read ({one_line(error)}), wanted a graph saved by ComfyUI"
        ) from None
    return graph_of(found, path.name)


def graph_of(found: Any, name: str) -> Graph:
    """Return a graph of what its JSON file holds.

    Raises:
        InputError: it is no graph as the editor saves them.
    """
    if isinstance(found, dict) and any(
        isinstance(each, dict) and "class_type" in each for each in found.values()
    ):
        raise InputError(
            f"{name}: is a graph in ComfyUI's API format, wanted one saved by its editor (Save)"
        )
    try:
        nodes = [_node(each) for each in found["nodes"]]
        # [id, from node, its output, to node, its input, type]
        origins = {int(link[0]): int(link[1]) for link in found["links"]}
    except (KeyError, TypeError, ValueError, IndexError, AttributeError):
        raise InputError(
            f"{name}: holds no nodes and links, wanted a graph saved by ComfyUI's editor"
        ) from None
    return Graph(name, {node.number: node for node in nodes}, origins)


def _node(found: Mapping[str, Any]) -> Node:
    kind, values = str(found["type"]), found.get("widgets_values") or ()
    if not isinstance(values, Mapping):
        values = dict(zip(_WIDGETS.get(kind, ()), values, strict=False))
    inputs = {str(i["name"]): i["link"] for i in found.get("inputs") or ()}
    return Node(
        number=int(found["id"]),
        kind=kind,
        is_off=found.get("mode") in _SWITCHED_OFF,
        inputs={name: link for name, link in inputs.items() if link is not None},
        widgets=values,
    )
