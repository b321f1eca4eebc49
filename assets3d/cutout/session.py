"""A rembg session for an ONNX file anywhere on disk.

rembg's own `u2net_custom` takes only files under its model folder, which an environment variable
names. This session needs neither, and reads its input size from the network.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image
from rembg.sessions.base import BaseSession

from assets3d.errors import InputError

#: ImageNet's mean and deviation, as U²-Net and its kin are trained with.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class OnnxSession(BaseSession):
    """A segmentation network: (1, 3, S, S) normalised picture in, (1, 1, S, S) probability out.

    The picture is squeezed to S x S (Lanczos), divided by its largest value, then normalised by
    `MEAN` and `DEVIATION`: rembg's `normalize`, as for U²-Net. Only the first output is read.
    Unlike in rembg's own sessions the answer is not stretched to 0..1, so that "nothing here" stays
    visible.
    """

    def __init__(
        self, path: Path, options: onnxruntime.SessionOptions, providers: list[str]
    ) -> None:
        # BaseSession.__init__ is passed over: it would look for the file in rembg's own folder.
        if not path.is_file():
            raise InputError(f"cutout: no weight file {path.name}, wanted an ONNX network there")
        self.model_name = path.stem
        try:
            self.inner_session = onnxruntime.InferenceSession(str(path), options, providers)
        except Exception as error:  # onnxruntime's errors share no base class
            cause = " ".join(str(error).split())[:160]
            raise InputError(
                f"cutout: {path.name} cannot be loaded ({cause}), wanted a whole ONNX network"
            ) from None
        self.size_px = self._input_size(path)

    def _input_size(self, path: Path) -> tuple[int, int]:
        """Return (width, height) of the input; free sizes mean U²-Net's 320."""
        shapes = [node.shape for node in self.inner_session.get_inputs()]
        out = self.inner_session.get_outputs()[0].shape
        if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][1] != 3 or len(out) != 4:
            raise InputError(
                f"cutout: {path.name} maps {shapes} to {out}, wanted (1, 3, S, S) to (1, 1, S, S)"
            )
        height, width = shapes[0][2:]
        return (
            width if isinstance(width, int) else 320,
            height if isinstance(height, int) else 320,
        )

    def predict(self, img: Image.Image, *args: object, **kwargs: object) -> list[Image.Image]:
        """Return the mask of `img` in a list: mode L, the picture's size."""
        inputs = self.normalize(img, MEAN, DEVIATION, self.size_px)
        answer = self.inner_session.run(None, inputs)[0][0, 0]
        if not np.isfinite(answer).all():
            raise InputError(f"cutout: {self.model_name} answers with NaN, its weights are damaged")
        mask = Image.fromarray(np.clip(answer, 0.0, 1.0).astype(np.float32))
        mask = mask.resize(img.size, Image.Resampling.BILINEAR)
        return [Image.fromarray(np.round(np.asarray(mask) * 255.0).astype(np.uint8))]
