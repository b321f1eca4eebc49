"""Gaussian splats: the record, PLY files, the rasteriser, and how they are made."""
