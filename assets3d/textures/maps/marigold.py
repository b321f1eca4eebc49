"""Marigold: normals, depth or appearance of a picture by diffusion, with diffusers' own pipelines.

Its normals are those of a tangent map as OpenGL has it: x right, y up, z to the viewer (Ke et al.
2024 and its journal version 2025). Its depth runs from 0, near, to 1, far, in no unit. It has no
idea of a torus, so the picture is read in rolled windows.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assets3d.errors import InputError, PassingError
from assets3d.textures.maps.network_relief import relief_of_height, relief_of_normals
from assets3d.textures.maps.relief import Relief
from assets3d.textures.maps.windows import blended_values
from assets3d.textures.torus import resized

#: The field that error messages begin with.
FIELD = "maps.network"
#: The side that Marigold was trained at, for a checkpoint that does not say it.
WORKING_PX = 768
DTYPES = ("float32", "float16", "bfloat16")
_KINDS = ("MarigoldNormalsPipeline", "MarigoldDepthPipeline", "MarigoldIntrinsicsPipeline")


def load_marigold(folder: Path, *, device: str = "cpu", dtype: str = "float32") -> Any:
    """Load the pipeline that a folder's model_index.json names.

    Args:
        folder: a diffusers folder of Marigold's normals, depth, or intrinsics (appearance).
        device: "cpu", "cuda", ...
        dtype: one of `DTYPES`; weights stored in another precision are converted.

    Raises:
        InputError: another pipeline, weights that are missing, damaged or pickled.
        PassingError: the memory or the disk failed.
    """
    from assets3d.images.pipeline_files import check_weights, read_index, text_encoders

    if dtype not in DTYPES:
        raise InputError(f"maps.dtype: found {dtype!r}, wanted one of {', '.join(DTYPES)}")
    if not folder.is_dir():
        raise InputError(f"{FIELD}: {folder.name} is no folder, wanted a diffusers folder")
    index = _checked(lambda: read_index(folder))
    kind = index.get("_class_name")
    if kind not in _KINDS:
        raise InputError(f"{FIELD}: {folder.name}/ is a {kind}, wanted one of {', '.join(_KINDS)}")
    import torch

    precision = getattr(torch, dtype)
    variant = _checked(lambda: check_weights(folder, index, set()))
    parts = _checked(lambda: text_encoders(folder, index, precision, variant))
    return _assembled(folder, kind, precision, variant, parts).to(device)


def predict(
    pipeline: Any,
    picture: NDArray[np.uint8],
    *,
    seed: int,
    working_px: int | None = None,
    steps: int | None = None,
) -> Relief:
    """Return the relief of a picture (S, S, 3), and of an intrinsics pipeline flat slopes.

    Args:
        pipeline: of `load_marigold`.
        picture: (S, S, 3), it tiles.
        seed: the noise's; each window starts from the same.
        working_px: the side that the network is shown; by default the checkpoint's own.
        steps: of the sampler; by default the checkpoint's own.
    """
    side_px = working_px or pipeline.default_processing_resolution or WORKING_PX
    kind = type(pipeline).__name__
    if kind == "MarigoldNormalsPipeline":
        return relief_of_normals(_reader(pipeline, seed, steps), picture, side_px)
    if kind == "MarigoldDepthPipeline":
        read = _reader(pipeline, seed, steps)
        # Disparity is more where it is nearer, as height is.
        sign = 1.0 if pipeline.config.prediction_type == "disparity" else -1.0
        return relief_of_height(lambda window: sign * read(window)[..., 0], picture, side_px)
    return _appearance(pipeline, picture, seed, side_px, steps)


def _appearance(
    pipeline: Any, picture: NDArray[np.uint8], seed: int, side_px: int, steps: int | None
) -> Relief:
    """Return albedo, roughness and metal; the slopes are 0, what a surface has is not asked."""
    names = pipeline.target_properties["target_names"]
    if "albedo" not in names or "material" not in names:
        raise InputError(
            f"{FIELD}: a Marigold of {', '.join(names)}, wanted one of albedo and material"
        )
    read = _reader(pipeline, seed, steps)

    def stacked(window: NDArray[np.uint8]) -> NDArray[np.float32]:
        # All targets of one picture, (N, H, W, 3), side by side in the channels.
        return np.concatenate(list(read(window, whole=True)), axis=-1)

    found = resized(blended_values(stacked, resized(picture, side_px)), len(picture))
    albedo, material = (
        np.clip(found[..., 3 * place : 3 * place + 3], 0.0, 1.0)
        for place in (names.index("albedo"), names.index("material"))
    )
    if pipeline.target_properties["albedo"]["prediction_space"] == "linear":
        albedo = np.where(albedo < 0.0031308, 12.92 * albedo, 1.055 * albedo ** (1 / 2.4) - 0.055)
    flat = np.zeros(found.shape[:2], np.float32)
    return Relief(flat, flat, True, material[..., 0], material[..., 1], albedo)


def _reader(pipeline: Any, seed: int, steps: int | None) -> Callable[..., NDArray[np.float32]]:
    """Return a function of one window: (H, W, 3) normals, (H, W, 1) depth, or all as (N, ...)."""
    import torch

    def read(window: NDArray[np.uint8], whole: bool = False) -> NDArray[np.float32]:
        generator = torch.Generator("cpu").manual_seed(seed % 2**63)
        try:
            answer = pipeline(
                window.astype(np.float32) / np.float32(255.0),
                num_inference_steps=steps,
                processing_resolution=0,  # the window has the size that is wanted
                generator=generator,
            ).prediction
        except torch.OutOfMemoryError:
            raise PassingError(
                f"{FIELD}: not enough GPU memory at {len(window)} px, wanted a smaller working_px"
            ) from None
        if not np.isfinite(answer).all():
            raise InputError(f"{FIELD}: Marigold answers with NaN, wanted dtype float32")
        return np.asarray(answer if whole else answer[0], np.float32)

    return read


def _assembled(folder: Path, kind: str, dtype: Any, variant: str | None, parts: Any) -> Any:
    import diffusers

    from assets3d.hub import one_line
    from assets3d.images.text_to_image import _quiet

    _quiet()
    try:
        pipeline = getattr(diffusers, kind).from_pretrained(
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
        raise InputError(f"{FIELD}: {folder.name}/ cannot be loaded ({one_line(error)})") from None
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _checked(look: Callable[[], Any]) -> Any:
    """Say what is wrong with the folder under this step's own field."""
    from assets3d.images.pipeline_files import FIELD as IMAGES

    try:
        return look()
    except InputError as error:
        raise InputError(str(error).replace(IMAGES, FIELD, 1)) from None
