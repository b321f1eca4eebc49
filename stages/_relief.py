"""Which back end reads the maps off a material's picture, and its model."""

from __future__ import annotations

from typing import Any

from stages._models import find_models
from stages._step import Item, Own, Params
from stages.specs import MaterialSpec, Spec

#: The library modules that back ends call.
MODULES = ("assets3d.textures.maps.luminance", "assets3d.textures.maps.small")
#: Parameters that only some materials read.
OWN_PARAMS = ("backend",)
# Back end -> its model, where the profile is for another one.
_MODELS = {"small": "embedded"}


class BackEnds:
    """The networks of the back ends, loaded when they are first needed."""

    def __init__(self, params: Params) -> None:
        self._params = params
        self._loaded: dict[str, Any] = {}

    def relief(self, picture: Any, item: Item) -> Any:
        """Return the `Relief` of a seamless picture (S, S, 3)."""
        from assets3d.textures.maps import luminance, small

        if backend_of(item.spec["maps"], self._params) == "luminance":
            return luminance.predict(picture)
        folder = item.models["backend"].path
        if str(folder) not in self._loaded:
            device = self._params.get("device", "cpu")
            self._loaded[str(folder)] = small.load_small(folder, device)
        return small.predict(self._loaded[str(folder)], picture)


def backend_of(asked: str | None, params: Params) -> str:
    """Return the back end of an entry."""
    return asked or params["backend"]


def own(params: Params, spec: Spec) -> Own:
    """Return the back end's model.

    Raises:
        InputError: a model that is not there.
        PassingError: a download failed.
    """
    if not isinstance(spec, MaterialSpec) or spec.procedural is not None:
        return Own()
    backend = backend_of(spec.maps, params)
    chosen = {"backend": backend}
    if backend not in _MODELS:
        return Own(params=chosen)
    name = params["network"] if backend == params["backend"] else _MODELS[backend]
    models = find_models({"model": "maps"}, {**params, "model": name})
    return Own({"backend": models["model"]}, chosen)
