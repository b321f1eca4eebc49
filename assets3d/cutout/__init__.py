"""Cutting one object out of its picture, and placing it in the middle of a square.

`load_cutter` gives a `Cutter`, which turns a picture into RGBA; `recentre` makes the square that
the views step expects. Importing this package imports neither rembg nor onnxruntime.
"""

from assets3d.cutout.cutter import MODELS, Cutter, load_cutter
from assets3d.cutout.matte import Cleaning
from assets3d.cutout.recentre import recentre

__all__ = ["MODELS", "Cleaning", "Cutter", "load_cutter", "recentre"]
