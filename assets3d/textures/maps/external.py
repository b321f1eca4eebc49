"""Relief from any network of normals, any of depth, or both, as ONNX files with declared signs.

Networks of normals disagree about axes: a red that points left looks like a bump map and is its
mirror image. So the signs are declared with the file, and the picture's own truth can test them
(`measures.sign_test`). docs/networks.md shows how files and declarations are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError
from assets3d.textures.maps.declared import Fields
from assets3d.textures.maps.network_relief import (
    relief_of_both,
    relief_of_height,
    relief_of_normals,
)
from assets3d.textures.maps.onnx_network import OnnxNetwork, PictureInput, load_network
from assets3d.textures.maps.relief import Relief

#: The field that error messages begin with.
FIELD = "maps.external"

Sense = Literal["depth", "inverse-depth", "height"]

_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
#: Networks that people have, but for their files. `bae`: surface normals by Bae et al. 2021, whose
#: red points left and green up; `midas`: DPT at 384 px (Ranftl et al. 2021).
PRESETS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "bae": {"normals": {**_IMAGENET, "multiple_of": 32, "signs": {"x": -1, "y": 1, "z": 1}}},
    "midas": {"depth": {"range": [-1, 1], "size_px": 384, "sense": "inverse-depth"}},
    "bae+midas": {
        "normals": {**_IMAGENET, "multiple_of": 32, "signs": {"x": -1, "y": 1, "z": 1}},
        "depth": {"range": [-1, 1], "size_px": 384, "sense": "inverse-depth"},
    },
}


@dataclass(frozen=True)
class NormalsNetwork:
    """A network of normals.

    Attributes:
        file: the ONNX file.
        picture: how its input is made.
        channels: which of its channels are x, y and z.
        signs: what x, y and z are multiplied by to point right, up and to the viewer.
        output_range: the values that stand for -1 and 1.
        licence: of the weights, as the person says.
        commercial: may the results be sold; None where the person does not say.
    """

    file: Path
    picture: PictureInput
    channels: tuple[int, int, int]
    signs: tuple[float, float, float]
    output_range: tuple[float, float]
    licence: str = "unverified"
    commercial: bool | None = None


@dataclass(frozen=True)
class DepthNetwork:
    """A network of depth in any unit; `sense` says what more means: farther, nearer, higher."""

    file: Path
    picture: PictureInput
    sense: Sense
    licence: str = "unverified"
    commercial: bool | None = None


@dataclass(frozen=True)
class External:
    """What was declared: a network of normals, one of depth, or both."""

    normals: NormalsNetwork | None = None
    depth: DepthNetwork | None = None

    @property
    def networks(self) -> dict[str, NormalsNetwork | DepthNetwork]:
        """Role -> network."""
        both = {"normals": self.normals, "depth": self.depth}
        return {role: network for role, network in both.items() if network is not None}


@dataclass(frozen=True)
class ExternalNetworks:
    """The networks of a declaration, loaded."""

    declared: External
    normals: OnnxNetwork | None
    depth: OnnxNetwork | None


def read_external(values: Any, field: str = FIELD) -> External:
    """Check a declaration: {preset, normals: {file, ...}, depth: {file, ...}}.

    A preset fills in what is not given; the files are always given.

    Raises:
        InputError: one line with the field, what was found and what was wanted.
    """
    top = Fields(values, field, ("preset", "normals", "depth"))
    name = top.word("preset", None, tuple(PRESETS))
    preset = PRESETS[name] if name is not None else {}
    parts = {
        role: Fields({**preset.get(role, {}), **top.mapping(role)}, f"{field}.{role}", known)
        for role, known in (("normals", _NORMALS), ("depth", _DEPTH))
        if role in top.values or role in preset
    }
    if not parts:
        raise InputError(f"{field}: found neither normals nor depth, wanted one of them, or both")
    return External(
        _read_normals(parts["normals"]) if "normals" in parts else None,
        _read_depth(parts["depth"]) if "depth" in parts else None,
    )


def load_external(declared: External, *, threads: int = 1, field: str = FIELD) -> ExternalNetworks:
    """Load the networks and compare their files with what was declared.

    Raises:
        InputError: see `onnx_network.load_network`.
    """
    normals, depth = declared.normals, declared.depth
    return ExternalNetworks(
        declared,
        None
        if normals is None
        else load_network(
            normals.file,
            normals.picture,
            f"{field}.normals",
            channels=max(normals.channels) + 1,
            threads=threads,
        ),
        None
        if depth is None
        else load_network(depth.file, depth.picture, f"{field}.depth", channels=1, threads=threads),
    )


def predict(networks: ExternalNetworks, picture: NDArray[np.uint8]) -> Relief:
    """Return the relief of a picture (S, S, 3); metric where there are normals."""
    found = []
    if networks.normals is not None:
        side_px = networks.normals.working_px(len(picture))
        found.append(relief_of_normals(lambda w: _normals(networks, w), picture, side_px))
    if networks.depth is not None:
        side_px = networks.depth.working_px(len(picture))
        found.append(relief_of_height(lambda w: _height(networks, w), picture, side_px))
    return found[0] if len(found) == 1 else relief_of_both(*found)


def _normals(networks: ExternalNetworks, window: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return normals (H, W, 3) of length 1 as OpenGL has them."""
    network, declared = networks.normals, networks.declared.normals
    assert network is not None and declared is not None
    low, high = declared.output_range
    answer = network.answer_in_place(window)
    if answer.shape[2] <= max(declared.channels):
        raise InputError(
            f"{network.field}: {network.name} answers with {answer.shape[2]} channels, wanted "
            f"{max(declared.channels) + 1}"
        )
    vectors = (answer[..., list(declared.channels)] - low) * (2.0 / (high - low)) - 1.0
    vectors = vectors * np.array(declared.signs, np.float32)
    length = np.linalg.norm(vectors, axis=2, keepdims=True)
    return (vectors / np.maximum(length, 1e-6)).astype(np.float32)


def _height(networks: ExternalNetworks, window: NDArray[np.uint8]) -> NDArray[np.float32]:
    network, declared = networks.depth, networks.declared.depth
    assert network is not None and declared is not None
    found = network.answer_in_place(window)[..., 0]
    return -found if declared.sense == "depth" else found


_PICTURE = (
    *("file", "licence", "commercial", "size_px", "multiple_of"),
    *("colours", "layout", "range", "mean", "std", "output"),
)
_NORMALS = (*_PICTURE, "channels", "signs", "output_range")
_DEPTH = (*_PICTURE, "sense")


def _read_normals(fields: Fields) -> NormalsNetwork:
    channels = tuple(int(c) for c in fields.numbers("channels", (0, 1, 2), whole=True))
    if len(set(channels)) != 3 or min(channels) < 0:
        raise InputError(
            f"{fields.field}.channels: found {list(channels)}, wanted three different places "
            "from 0 on, those of x, y and z"
        )
    signs = Fields(fields.mapping("signs"), f"{fields.field}.signs", ("x", "y", "z"))
    read = tuple(signs.number(axis, 1.0, one_of=(-1.0, 1.0)) for axis in ("x", "y", "z"))
    low, high = fields.numbers("output_range", (-1.0, 1.0))
    if low == high:
        raise InputError(f"{fields.field}.output_range: found {low:g} twice, wanted two values")
    return NormalsNetwork(
        fields.file("file"),
        read_picture_input(fields),
        (channels[0], channels[1], channels[2]),
        (read[0], read[1], read[2]),
        (low, high),
        fields.word("licence", "unverified"),
        fields.truth("commercial"),
    )


def _read_depth(fields: Fields) -> DepthNetwork:
    sense: Any = fields.word("sense", None, ("depth", "inverse-depth", "height"))
    if sense is None:
        raise InputError(
            f"{fields.field}.sense: found none, wanted depth (more is farther), inverse-depth "
            "(more is nearer) or height"
        )
    return DepthNetwork(
        fields.file("file"),
        read_picture_input(fields),
        sense,
        fields.word("licence", "unverified"),
        fields.truth("commercial"),
    )


def read_picture_input(fields: Fields) -> PictureInput:
    """Return how a network wants its pictures, of the fields of a declaration.

    Raises:
        InputError: naming the field.
    """
    mean, std = (
        fields.numbers(name, (usual,) * 3) for name, usual in (("mean", 0.0), ("std", 1.0))
    )
    if min(std) <= 0.0:
        raise InputError(f"{fields.field}.std: found {list(std)}, wanted numbers above 0")
    black, white = fields.numbers("range", (0.0, 1.0))
    if black == white:
        raise InputError(f"{fields.field}.range: found {black:g} twice, wanted two values")
    colours: Any = fields.word("colours", "rgb", ("rgb", "bgr"))
    layout: Any = fields.word("layout", "nchw", ("nchw", "nhwc"))
    return PictureInput(
        size_px=fields.whole("size_px", None, 16, 8192),
        multiple_of=fields.whole("multiple_of", 1, 1, 1024) or 1,
        colours=colours,
        layout=layout,
        range=(black, white),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        output=fields.word("output", None),
    )
