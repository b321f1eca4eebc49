"""The cutter: rembg with a named session, then the cleaning steps of `matte`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assets3d.cutout.colours import SIDE_PX, parted_by_colour
from assets3d.cutout.doubts import HAZY, doubts, is_hazy, is_sure
from assets3d.cutout.matte import (
    Cleaning,
    decontaminated,
    follow_edges,
    keep_components,
    levels,
    off_plain_background,
    small_holes_filled,
)
from assets3d.errors import InputError, PassingError

if TYPE_CHECKING:
    import onnxruntime
    from rembg.sessions.base import BaseSession

#: Networks that may be named. rembg has more; those not listed are non-commercial (bria-rmbg, its
#: own default), send the picture to a remote service, or know people and clothes only.
MODELS = ("embedded", "u2net", "u2netp", "isnet-general-use", "birefnet-general")

_EMBEDDED = Path(__file__).parents[1] / "weights" / "cutout" / "cutout.onnx"

#: Fewer pixels than this at alpha 0.5 or more are noise, not an object.
_MIN_OBJECT_PX = 16


@dataclass(frozen=True)
class Cutter:
    """Cuts objects out; call it with a picture.

    Attributes:
        model: the network's name.
        session: the rembg session; pictures that bring their own alpha never reach it.
        cleaning: the steps after the network.
    """

    model: str
    session: BaseSession = field(repr=False)
    cleaning: Cleaning = field(default_factory=Cleaning)

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Cut the object out of `picture` (H, W, 3|4); return straight RGBA (H, W, 4), same size.

        A picture with alpha is returned as it is. Where alpha is 0 the colour is 0.

        Raises:
            InputError: nothing was found.
        """
        return self.cut(picture)[0]

    def cut(
        self, picture: NDArray[np.uint8], *, field: str = "cutout"
    ) -> tuple[NDArray[np.uint8], list[str]]:
        """Do as `__call__` does; return also what there is to doubt, a line each.

        Args:
            picture: uint8 (H, W, 3|4).
            field: what gave the picture, for the error's line.
        """
        if picture.shape[2] == 4:
            _check_found(picture[..., 3].astype(np.float32) / np.float32(255.0), field)
            return picture.copy(), doubts(picture)
        answer = self.mask(picture)
        alpha = answer
        height, width = alpha.shape
        seen_px = max(getattr(self.session, "size_px", (320, 320)))
        if self.cleaning.by_colour and self.cleaning.background == "any":
            alpha, seen_px = parted_by_colour(alpha, picture), SIDE_PX
        if self.cleaning.follow_edges and max(height, width) > 1.5 * seen_px:
            radius_px = round(2.0 * max(height, width) / seen_px)
            alpha = follow_edges(alpha, picture, radius_px)
        alpha = levels(alpha, self.cleaning.low, self.cleaning.high)
        if self.cleaning.background == "plain":
            alpha = np.maximum(alpha, off_plain_background(picture))
        alpha = keep_components(alpha, self.cleaning.min_component_share)
        alpha = small_holes_filled(alpha, self.cleaning.max_hole_share, self.cleaning.min_hole_haze)
        _check_found(alpha, field)
        if not is_sure(answer) and self.cleaning.background == "any":
            raise InputError(
                f"{field}: nothing in the picture stands out from its background, "
                "wanted one object before a plain or blurred background"
            )
        colour = decontaminated(picture, alpha) if self.cleaning.decontaminate else picture
        rgba = np.dstack([colour, np.round(255.0 * alpha).astype(np.uint8)])
        rgba[rgba[..., 3] == 0] = 0
        unsure = self.cleaning.background == "any" and is_hazy(answer)
        return rgba, doubts(rgba) + ([HAZY] if unsure else [])

    def on_plain_backgrounds(self) -> Cutter:
        """Return the cutter for pictures that a model painted on one colour, without shadows."""
        return replace(self, cleaning=replace(self.cleaning, background="plain"))

    def mask(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the network's own answer for `picture` (H, W, 3) as (H, W) float32 in 0..1."""
        import rembg

        with np.errstate(invalid="ignore"):  # rembg's own sessions divide 0/0 on an empty answer
            mask = rembg.remove(picture, session=self.session, only_mask=True)
        return np.asarray(mask, dtype=np.float32) / 255.0


def _check_found(alpha: NDArray[np.float32], field: str) -> None:
    count = int((alpha >= 0.5).sum())
    if count < _MIN_OBJECT_PX:
        raise InputError(
            f"{field}: no object found in the picture ({count} px are opaque), "
            "wanted one object that stands out from its background"
        )


def load_cutter(
    model: str = "embedded",
    *,
    path: str | Path | None = None,
    threads: int | None = None,
    device: str = "cpu",
    cleaning: Cleaning | None = None,
    download: bool = False,
) -> Cutter:
    """Load the cutter of one network.

    Args:
        model: one of `MODELS`.
        path: an ONNX file of U²-Net's shape instead of the embedded one (with model "embedded").
        threads: onnxruntime's threads within one operator; None lets it choose.
        device: "cpu" or "cuda" (which needs onnxruntime-gpu).
        cleaning: what follows the network; by default the embedded one is helped by the
            picture's colours.
        download: let rembg fetch the file of a model that is not on this machine yet.

    Raises:
        InputError: unknown name, missing or damaged weight file.
        PassingError: the download failed.
    """
    if model not in MODELS:
        near = difflib.get_close_matches(model, MODELS, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise InputError(f"cutout.model: found {model!r}{hint}, wanted one of {', '.join(MODELS)}")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = 1
    if threads is not None:
        options.intra_op_num_threads = threads
    on_gpu = device.startswith("cuda")
    providers = (["CUDAExecutionProvider"] if on_gpu else []) + ["CPUExecutionProvider"]
    if model == "embedded":
        from assets3d.cutout.session import OnnxSession

        session = OnnxSession(Path(path) if path else _EMBEDDED, options, providers)
    else:
        session = _rembg_session(model, options, providers, download)
    return Cutter(model, session, cleaning or Cleaning(by_colour=model == "embedded"))


def _rembg_session(
    model: str, options: onnxruntime.SessionOptions, providers: list[str], download: bool
) -> BaseSession:
    import rembg
    from rembg.sessions import sessions

    kind = sessions[model]
    if not download and kind.resolve_existing(f"{model}.onnx") is None:
        raise InputError(
            f"cutout.model: {model}.onnx is not in {kind.model_dir()}, wanted the file there "
            "(or `download: true`, to let rembg fetch it)"
        )
    try:
        return rembg.new_session(model, options, providers=providers)
    except OSError as error:
        raise PassingError(f"cutout.model: {model} could not be fetched ({error})") from None
    except Exception as error:  # onnxruntime's own errors share no base class
        raise InputError(f"cutout.model: {model}.onnx cannot be loaded ({error})") from None
