"""Where an asset comes from, inside its own file: `asset.extras` and an XMP packet.

`asset.extras` holds what is needed to make it again. `KHR_xmp_json_ld` (ratified by Khronos; XMP is
ISO 16684-1) holds title, description and rights where programs that know XMP look for them, and
IPTC's word for what made it. Neither holds a time or a machine: the same asset has the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assets3d.mesh.glb_builder import packed, unpacked

TOOL = "assets3d"
EXTENSION = "KHR_xmp_json_ld"
_CONTEXT = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
#: IPTC's list of what made a thing (newscodes "digitalsourcetype").
_SOURCES = {
    "network": "trainedAlgorithmicMedia",
    "network on a person's file": "compositeWithTrainedAlgorithmicMedia",
    "formula": "algorithmicMedia",
    "a person's file": "algorithmicallyEnhanced",
}
_SOURCE_LIST = "http://cv.iptc.org/newscodes/digitalsourcetype/"

#: Words with which licences of pictures and sounds keep them from being sold; a word may go on.
_FORBIDDING = (
    *("noncommercial", "non commercial", "not for commercial", "no commercial", "not commercial"),
    *("editorial", "personal use", "personal only", "personal non", "private use", "home use"),
    *("evaluation", "trial", "demo only", "research only", "research use", "research purposes"),
    *("academic use", "educational use", "education only", "not for sale", "not for resale"),
)

#: Whether results may be sold: "unverified" where nobody read a licence.
Commercial = Literal["yes", "no", "unverified"]


@dataclass(frozen=True)
class ModelUse:
    """A model that a step used.

    Attributes:
        step: the step.
        name, source: of the model.
        revision: the commit; for weights that have none, such as those that ship with the project,
            `sha256:` and the first digits of their hash, as the record has it.
        licence: its name.
        commercial: whether results may be sold: yes, no or unverified.
    """

    step: str
    name: str
    source: str
    revision: str | None
    licence: str
    commercial: str


@dataclass(frozen=True)
class Provenance:
    """How an asset was made.

    Attributes:
        asset: its id.
        kind: prop, material or motion.
        words: what it is, for a person.
        prompt: the words that it was drawn from, or "".
        seed: the person's.
        models: what was used, step by step.
        inputs: the person's own files: field -> sha256.
        input_licence: what the person said about these, or None.
        input_commercial: whether that lets results be sold.
    """

    asset: str
    kind: str
    words: str
    prompt: str
    seed: int
    models: tuple[ModelUse, ...]
    inputs: Mapping[str, str]
    input_licence: str | None = None
    input_commercial: Commercial = "yes"

    @property
    def commercial(self) -> Commercial:
        """Whether the asset may be sold, by what it was made with."""
        found = {self.input_commercial, *(model.commercial for model in self.models)}
        if "no" in found:
            return "no"
        return "yes" if found == {"yes"} else "unverified"

    @property
    def licences(self) -> list[str]:
        """The licences of its models and inputs, each once."""
        named = [f"{model.name}: {model.licence}" for model in self.models]
        named += [f"input: {self.input_licence}"] if self.input_licence else []
        return list(dict.fromkeys(named))

    @property
    def made_by(self) -> str:
        """What made it: a network, a formula, a person's file, or both."""
        if self.models:
            return "network on a person's file" if self.inputs else "network"
        return "a person's file" if self.inputs else "formula"


def display_name(asset: str) -> str:
    """Return an id as a person would write it: `red_mushroom` is Red mushroom."""
    text = asset.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def input_verdict(licence: str | None) -> Commercial:
    """Say whether a licence that a person wrote down lets results be sold.

    Without one the file is the person's own to judge. Creative Commons' NC and words such as
    "non-commercial", "personal use", "editorial" or "research only" forbid it; everything else is
    taken as allowing it.
    """
    if licence is None:
        return "yes"
    words = re.findall(r"[a-z]+", licence.lower())
    text = f" {' '.join(words)} "
    forbids = "nc" in words or any(f" {phrase}" in text for phrase in _FORBIDDING)
    return "no" if forbids else "yes"


def extras(provenance: Provenance) -> dict[str, Any]:
    """Return what goes into `asset.extras`."""
    facts = asdict(provenance)
    facts["models"] = [asdict(model) for model in provenance.models]
    facts["inputs"] = dict(provenance.inputs)
    facts |= {"commercial": provenance.commercial, "made_by": provenance.made_by}
    return facts


def xmp_packet(provenance: Provenance) -> dict[str, Any]:
    """Return the XMP packet; languages, lists and sets as the extension asks."""
    models = list(dict.fromkeys(f"{use.name} ({use.step})" for use in provenance.models))
    made = f"Made with {TOOL}" + (f" and {', '.join(models)}" if models else "")
    packet: dict[str, Any] = {
        "@context": _CONTEXT,
        "dc:title": _in_english(display_name(provenance.asset)),
        "dc:description": _in_english(f"{provenance.words}. {made}."),
        "dc:rights": _in_english(_rights(provenance)),
        "dc:format": "model/gltf-binary",
        "dc:type": {"@set": [provenance.kind]},
        "xmp:CreatorTool": TOOL,
        "Iptc4xmpExt:DigitalSourceType": _SOURCE_LIST + _SOURCES[provenance.made_by],
    }
    return packet


def stamped(glb: bytes, provenance: Provenance) -> bytes:
    """Return a GLB with its provenance inside; meshes and textures stay as they are."""
    document, data = unpacked(glb, provenance.asset)
    asset = document["asset"]
    asset["extras"] = asset.get("extras", {}) | extras(provenance)
    asset["extensions"] = asset.get("extensions", {}) | {EXTENSION: {"packet": 0}}
    used: Sequence[str] = document.get("extensionsUsed", [])
    document["extensionsUsed"] = sorted({*used, EXTENSION})
    packets = {"packets": [xmp_packet(provenance)]}
    document["extensions"] = document.get("extensions", {}) | {EXTENSION: packets}
    return packed(document, data)


def _rights(provenance: Provenance) -> str:
    licences = "; ".join(provenance.licences) or "no model was used"
    may = {
        "yes": "may be sold",
        "no": "must not be sold",
        "unverified": "nobody checked whether it may be sold",
    }
    return f"{licences}; {may[provenance.commercial]}"


def _in_english(text: str) -> dict[str, Any]:
    return {"@type": "rdf:Alt", "rdf:_1": {"@language": "en", "@value": text}}
