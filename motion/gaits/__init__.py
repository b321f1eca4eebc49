"""Procedural quadruped motion: gaits, postures, jumps and turns from a seed, for training."""

from motion.gaits.clips import GaitClip, make_gaits, random_gaits

__all__ = ["GaitClip", "make_gaits", "random_gaits"]
