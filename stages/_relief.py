"""Which back end reads the maps off a material's picture, and its models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from assets3d.errors import InputError
from assets3d.models import ModelFiles
from assets3d.models.licences import check_commercial
from stages._models import EMBEDDED_ROOT, find_models
from stages._step import Item, Own, Params
from stages.specs import MaterialSpec, Spec

#: The library modules that back ends call.
MODULES = (
    "assets3d.textures.maps.depth",
    "assets3d.textures.maps.external",
    "assets3d.textures.maps.luminance",
    "assets3d.textures.maps.marigold",
    "assets3d.textures.maps.relief",
    "assets3d.textures.maps.small",
)
#: Parameters that only some materials read.
OWN_PARAMS = ("backend", "network", "surface", "working_px", "steps", "dtype", "external")
# Back end -> its network, where the profile names none for it.
_NETWORKS = {
    "small": "embedded",
    "marigold": "marigold-normals",
    "depth-anything-v2-small": "depth-anything-v2-small",
    "midas": "midas",
}
_BACKENDS = ("luminance", *_NETWORKS, "external")
# Of which back ends the size of the picture that the network is shown, and so on, are chosen.
_READS: Mapping[str, tuple[str, ...]] = {
    "marigold": ("working_px", "steps", "dtype"),
    "depth-anything-v2-small": ("working_px", "dtype"),
    "midas": ("working_px", "dtype"),
}
# What gives roughness, metal and colour where the back end sees relief only; the appearance is a
# Marigold of its own.
_SURFACES = {"small": "embedded", "marigold-appearance": "marigold-appearance", "luminance": None}


class BackEnds:
    """The networks of the back ends, loaded when they are first needed."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._loaded: dict[tuple[str, str], Any] = {}

    def relief(self, picture: Any, item: Item) -> Any:
        """Return the `Relief` of a seamless picture (S, S, 3)."""
        from assets3d.textures.maps.relief import completed

        backend = backend_of(item.spec["maps"], self._params)
        found = self._seen(backend, picture, item, "backend")
        surface = surface_of(backend, self._params)
        if surface is None:
            return found
        return completed(found, self._seen(surface, picture, item, "surface"))

    def _seen(self, backend: str, picture: Any, item: Item, role: str) -> Any:
        from assets3d.textures.maps import depth, external, luminance, marigold, small

        if backend == "luminance":
            return luminance.predict(picture)
        params = self._params
        device = params.get("device", "cpu")
        if backend == "external":
            networks = self._once(
                "external",
                "",
                lambda: external.load_external(
                    external.read_external(params["external"]), threads=params["threads"]
                ),
            )
            return external.predict(networks, picture)
        folder = item.models[role].path
        if backend == "small":
            network = self._once("small", folder, lambda: small.load_small(folder, device))
            return small.predict(network, picture, item.spec["light_deg"])
        dtype = params.get("dtype") or ("float32" if device == "cpu" else "float16")
        size = {"working_px": params.get("working_px")}
        if backend.startswith("marigold"):
            pipeline = self._once(
                "marigold",
                folder,
                lambda: marigold.load_marigold(folder, device=device, dtype=dtype),
            )
            steps = params.get("steps")
            return marigold.predict(pipeline, picture, seed=item.seed, steps=steps, **size)
        model = self._once(
            "depth", folder, lambda: depth.load_depth(folder, device=device, dtype=dtype)
        )
        return depth.predict(model, picture, **size)

    def _once(self, kind: str, folder: Path | str, load: Any) -> Any:
        key = (kind, str(folder))
        if key not in self._loaded:
            self._loaded[key] = load()
        return self._loaded[key]


def backend_of(asked: str | None, params: Params) -> str:
    """Return the back end of an entry.

    Raises:
        InputError: the profile names an unknown one.
    """
    found = asked or params["backend"]
    if found not in _BACKENDS:
        raise InputError(f"maps.backend: found {found!r}, wanted one of {', '.join(_BACKENDS)}")
    return found


def surface_of(backend: str, params: Params) -> str | None:
    """Return what gives roughness, metal and colour; None where the back end does it itself.

    Raises:
        InputError: the profile names an unknown one.
    """
    if backend in ("small", "luminance"):
        return None
    found = params.get("surface")
    if found is None:
        return "small" if (EMBEDDED_ROOT / "maps/maps.safetensors").is_file() else "luminance"
    if found not in _SURFACES:
        raise InputError(f"maps.surface: found {found!r}, wanted one of {', '.join(_SURFACES)}")
    return found


def own(params: Params, spec: Spec) -> Own:
    """Return the models of the back end, and what of the profile it reads.

    Raises:
        InputError: a model that is not there, a declaration that is wrong, a licence.
        PassingError: a download failed.
    """
    if not isinstance(spec, MaterialSpec) or spec.procedural is not None:
        return Own()
    backend = backend_of(spec.maps, params)
    surface = surface_of(backend, params)
    chosen: dict[str, Any] = {"backend": backend}
    models: dict[str, ModelFiles] = {}
    if backend == "external":
        models, chosen["external"] = _external(params)
    elif backend != "luminance":
        # The profile's network is for the profile's back end.
        name = params.get("network") if backend == params["backend"] else None
        models["backend"] = _found("network", name or _NETWORKS[backend], params)
    if surface is not None:
        chosen["surface"] = surface
        name = _SURFACES[surface]
        if name is not None:
            models["surface"] = _found("surface", name, params)
    for reader in (backend, "marigold" if surface == "marigold-appearance" else ""):
        chosen |= {n: params[n] for n in _READS.get(reader, ()) if params.get(n) is not None}
    return Own(models, chosen)


def _found(role: str, name: str, params: Params) -> ModelFiles:
    models = find_models({role: "maps"}, {**params, role: name})
    if role not in models:
        raise InputError(f"maps.{role}: found {name!r}, wanted the name of a network")
    return models[role]


def _external(params: Params) -> tuple[dict[str, ModelFiles], dict[str, Any]]:
    """Return role -> the person's file, and the declaration without the places of the files."""
    from assets3d.textures.maps.external import read_external

    given = params.get("external")
    declared = read_external(given)
    assert isinstance(given, Mapping)
    models: dict[str, ModelFiles] = {}
    parts: dict[str, Any] = {"preset": given.get("preset")}
    for role, network in declared.networks.items():
        # The person says what may be sold, not the registry.
        looking = {**params, "commercial": False, role: str(network.file)}
        word = {True: "yes", False: "no", None: "unverified"}[network.commercial]
        models[role] = replace(
            find_models({role: "maps"}, looking)[role], licence=network.licence, commercial=word
        )
        if params.get("commercial", False):
            check_commercial(models[role], f"maps.external.{role}")
        parts[role] = {name: value for name, value in given[role].items() if name != "file"}
    return models, parts
