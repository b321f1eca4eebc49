"""One source of randomness per asset and step, so that no asset depends on another."""

from __future__ import annotations

import hashlib


def step_seed(asset_seed: int, step: str) -> int:
    """Derive the 63-bit seed of one step of one asset; the same pair always gives the same seed."""
    digest = hashlib.sha256(f"{asset_seed}/{step}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1
