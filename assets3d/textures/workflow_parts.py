"""Parts of the published graphs: the words and their style, and what has no counterpart here."""

from __future__ import annotations

from assets3d.errors import InputError
from assets3d.textures.comfyui_graph import Graph, Node
from assets3d.textures.seamless.settings import NEGATIVE_PROMPT, STYLE

#: The end of messages about another graph.
WANTED = "wanted one of the two graphs that make a texture from words or from a picture"
# Styles of the styler's own list -> (positive, negative).
_STYLES = {"sai-texture": (STYLE, NEGATIVE_PROMPT)}


class PromptReader:
    """Prompt, style and negative prompt of a sampler, through the nodes that make them.

    Attributes:
        prompt: the words without the style.
        style: what they are put into, at {prompt}.
        negative_prompt: what not to show, that of the style included.
        left_out: a line for each step of the way that is not taken.

    Raises:
        InputError: words from a node that is not known.
    """

    def __init__(self, graph: Graph, sampler: Node) -> None:
        self._graph = graph
        self.left_out: list[str] = []
        self.style = "{prompt}"
        self.prompt = self._text(self._encoder(sampler, "positive"), "text")
        styled = self.style
        self.negative_prompt = self._text(self._encoder(sampler, "negative"), "text", negative=True)
        self.style = styled

    def _encoder(self, sampler: Node, name: str) -> Node:
        found = self._graph.source(sampler, name)
        if found is None or found.kind != "CLIPTextEncode":
            raise InputError(f"{self._graph.name}: holds no CLIPTextEncode as {name}, {WANTED}")
        return found

    def _text(self, node: Node, name: str, negative: bool = False) -> str:
        origin = self._graph.source(node, name)
        if origin is None or origin.kind == "PrimitiveNode":
            return str(self._graph.value(node, name)).strip()
        if origin.kind == "SDXLPromptStyler":
            return self._styled(origin, negative)
        if origin.kind == "DeepTranslatorTextNode":
            text = self._text(origin, "text")
            if text:
                self.left_out.append(
                    f"the translation at run time ({origin.widgets.get('service', 'a service')}): "
                    f"{text!r} is taken as it is"
                )
            return text
        raise InputError(
            f"{self._graph.name}: the prompt comes from {origin.kind}, which is not known, wanted "
            "SDXLPromptStyler, DeepTranslatorTextNode or words"
        )

    def _styled(self, styler: Node, negative: bool) -> str:
        text = self._text(styler, "text_negative" if negative else "text_positive")
        style = str(self._graph.value(styler, "style"))
        if not self._graph.value(styler, "style_negative" if negative else "style_positive"):
            return text
        if style not in _STYLES:
            if not negative:
                self.left_out.append(f"the style {style!r}, which is not known: only the words act")
            return text
        if negative:
            return ", ".join(part for part in (_STYLES[style][1], text) if part)
        self.style = _STYLES[style][0]
        return text


def parts_left_out(graph: Graph) -> list[str]:
    """Say what else the graph holds and no field here can."""
    lines = [
        f"the mask file {node.first_value!r}, which the graph only names: a cross stands in for it"
        for node in graph.of_kind("LoadImageMask")
    ]
    masked = sum("optional_mask" in node.inputs for node in graph.of_kind("Image Overlay"))
    if masked:
        lines.append(
            f"{masked} overlays under that mask: mode workflow-exact does the same, mode canvas "
            "carries the strips one after the other, which leaves no piece of seam"
        )
    for node in graph.of_kind("IPAdapter"):
        span = [node.widgets.get(name) for name in ("start_at", "end_at")]
        if not node.is_off and span not in ([0, 1], [None, None]):
            lines.append(
                f"the IP-Adapter's steps from {span[0]} to {span[1]} of the way: the picture "
                "speaks all the way here"
            )
    for node in graph.of_kind("IPAdapterUnifiedLoader"):
        lines.append(f"the IP-Adapter's preset {node.first_value!r}: the profile names the file")
    for node in graph.of_kind("AIO_Preprocessor"):
        state = "muted" if node.is_off else "on"
        lines.append(f"{node.first_value} ({state}): the maps step does this")
    for node in graph.of_kind("SaveImage"):
        if node.is_off:
            lines.append(f"the muted output {node.first_value!r}: pack `workflow` writes that name")
    for kind in ("PlaySound|pysssss", "ShowText|pysssss"):
        if any(graph.of_kind(kind)):
            lines.append(f"{kind.partition('|')[0]}: for the editor only")
    return lines
