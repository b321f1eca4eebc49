"""Splats to a game-ready mesh: fuse, clean, simplify, unwrap, bake, write."""
