"""The files of a diffusers pipeline folder: found, checked before loading, put together.

diffusers and transformers fill missing tensors with random numbers and go on; here a folder is
either whole or refused in one line that names the file and the tensor.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from assets3d.errors import InputError, PassingError
from assets3d.hub import DIFFUSERS_FILES, hub_file, hub_folder, one_line
from assets3d.weight_files import check_shapes, load_into, read_shapes, safetensors_in

if TYPE_CHECKING:
    import torch

#: The manifest's or profile's field that error messages begin with.
FIELD = "image.model"

# Registries leave these out: the safety checker and what it needs, and SD3's T5 (9 of its 15 GB).
_OPTIONAL = (
    "safety_checker",
    "feature_extractor",
    "image_encoder",
    "text_encoder_3",
    "tokenizer_3",
)


class TextToImagePipeline(Protocol):
    """What we use of diffusers' pipelines; their common base class declares none of it."""

    scheduler: Any

    @property
    def vae_scale_factor(self) -> int:
        """Picture pixels per latent pixel."""

    def set_progress_bar_config(self, *, disable: bool) -> None:
        """Show or hide the bar over the steps."""

    def to(self, device: str) -> Self:
        """Move every network; return the pipeline."""

    def __call__(
        self,
        *,
        prompt: str,
        num_inference_steps: int,
        guidance_scale: float,
        width: int,
        height: int,
        generator: torch.Generator,
        output_type: str,
        **arguments: Any,
    ) -> Any:
        """Draw; the answer holds `images`."""


def local_folder(name: str | Path, revision: str | None, download: bool) -> Path:
    """Return what `name` means: the folder or file itself, or a Hub repository's snapshot."""
    path = Path(name).expanduser()
    if path.is_dir() or path.is_file():
        return path
    if isinstance(name, Path) or name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise InputError(f"{FIELD}: no folder {name}, wanted a diffusers folder or owner/name")
    return hub_folder(FIELD, name, revision, DIFFUSERS_FILES, download=download)


def read_index(folder: Path) -> dict[str, Any]:
    """Read model_index.json: component -> [library, class]."""
    path = folder / "model_index.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"{FIELD}: no model_index.json in {folder.name}/, wanted a diffusers folder"
        ) from None
    except ValueError as error:
        raise InputError(f"{FIELD}: model_index.json is not JSON ({error})") from None


def absent_parts(folder: Path, index: Mapping[str, Any]) -> set[str]:
    """Return the components that a pipeline works without and that are not in its folder."""
    return {part for part in _OPTIONAL if index.get(part) and not (folder / part).exists()}


def check_weights(folder: Path, index: Mapping[str, Any], skip: set[str]) -> str | None:
    """Check every component's weights before any is loaded; return the variant that is stored."""
    variant = None
    for part, origin in sorted(index.items()):
        if not isinstance(origin, list) or None in origin or part in skip:
            continue
        if not (folder / part).is_dir():
            raise InputError(f"{FIELD}: {part}/ is missing in {folder.name}/, wanted it there")
        if not (folder / part / "config.json").is_file():
            continue  # tokenizers, schedulers and image processors have no weights
        files = safetensors_in(folder / part, FIELD)
        if not files:
            raise InputError(f"{FIELD}: {part}/ holds no safetensors file, wanted its weights")
        halves = [f for f in files if f.name.split(".")[1:-1] == ["fp16"] or ".fp16-" in f.name]
        if len(halves) == len(files):
            variant = "fp16"
        files = [f for f in files if f not in halves] or halves
        found = {k: v for file in files for k, v in read_shapes(file, FIELD).items()}
        wanted = _network_shapes(folder / part, str(origin[0]), str(origin[1]))
        if wanted is not None:
            check_shapes(found, wanted, f"{FIELD}: {part}/{files[0].name}")
    return variant


def _network_shapes(folder: Path, library: str, name: str) -> dict[str, tuple[int, ...]] | None:
    """Return names and shapes of a diffusers network, built without memory; None for others.

    Text encoders are left to transformers, which renames tensors of older versions while loading.
    """
    if library != "diffusers":
        return None
    import torch

    kind = getattr(importlib.import_module(library), name, None)
    if kind is None:
        raise InputError(f"{FIELD}: {folder.name}/ wants the class {name}, which diffusers lacks")
    try:
        with torch.device("meta"):
            network = kind.from_config(kind.load_config(folder))
    except (OSError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{FIELD}: {folder.name}/config.json is wrong ({one_line(error)})"
        ) from None
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def text_encoders(
    folder: Path,
    index: Mapping[str, Any],
    dtype: torch.dtype,
    variant: str | None,
    skip: Collection[str] = (),
) -> dict[str, Any]:
    """Load the components that are transformers networks, strictly; return them by name."""
    import transformers

    loaded = {}
    for part, origin in sorted(index.items()):
        has_weights = part not in skip and (folder / part / "config.json").is_file()
        if not isinstance(origin, list) or origin[0] != "transformers" or not has_weights:
            continue
        where = f"{FIELD}: {part}/"
        kind = getattr(transformers, str(origin[1]), None)
        if kind is None:
            raise InputError(f"{where} wants the class {origin[1]}, which transformers lacks")
        try:
            network, report = kind.from_pretrained(
                folder / part,
                dtype=dtype,
                variant=variant,
                use_safetensors=True,
                local_files_only=True,
                ignore_mismatched_sizes=True,  # reported, and refused below in our own words
                output_loading_info=True,
            )
        except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
            raise InputError(f"{where} cannot be loaded ({one_line(error)})") from None
        for key, found, wanted in sorted(report["mismatched_keys"]):
            raise InputError(f"{where} {key} has shape {tuple(found)}, wanted {tuple(wanted)}")
        for key in sorted(report["missing_keys"]):
            raise InputError(f"{where} {key} is missing")
        loaded[part] = network
    return loaded


def other_unet(folder: Path, unet: str | Path, dtype: torch.dtype, download: bool) -> Any:
    """Build the folder's U-Net with the weights of another file."""
    import torch
    from diffusers import UNet2DConditionModel

    path = Path(unet).expanduser()
    if not path.exists() and isinstance(unet, str) and unet.count("/") >= 2:
        owner, name, file = unet.split("/", 2)
        path = hub_file(FIELD, f"{owner}/{name}", file, None, download=download)
    config = UNet2DConditionModel.load_config(folder / "unet")
    # Made on the meta device: random numbers for gigabytes of weights would be drawn for nothing.
    with torch.device("meta"):
        network = UNet2DConditionModel.from_config(config)
    network = network.to(dtype).to_empty(device="cpu")
    load_into(network, path, f"{FIELD}.unet")
    return network.eval()


def assembled(
    folder: Path, dtype: torch.dtype, variant: str | None, parts: Mapping[str, Any]
) -> TextToImagePipeline:
    """Put the pipeline together from its checked folder; `parts` replace components of it."""
    from diffusers import AutoPipelineForText2Image

    try:
        return AutoPipelineForText2Image.from_pretrained(
            folder,
            dtype=dtype,
            variant=variant,
            use_safetensors=True,
            local_files_only=True,
            **parts,
        )
    except MemoryError:
        raise PassingError(f"{FIELD}: not enough memory to load {folder.name}/") from None
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise PassingError(f"{FIELD}: {folder.name}/ could not be read ({error})") from None
        raise InputError(f"{FIELD}: {folder.name}/ cannot be loaded ({one_line(error)})") from None
