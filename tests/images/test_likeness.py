"""Pictures of one thing have nearly the same bits, pictures of two things have not."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from assets3d.images.likeness import ALIKE_BITS, bits_apart, fingerprint


def scene(seed: int, side: int = 240) -> np.ndarray:
    """Return soft blobs of colour on a plain ground, as photographs of objects have them."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side
    picture = np.full((side, side, 3), rng.uniform(150, 255, 3))
    for _ in range(6):
        row, column = rng.uniform(0.15, 0.85, 2)
        radius = rng.uniform(0.08, 0.3)
        inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
        picture[inside] = rng.uniform(0, 255, 3)
    return picture.astype(np.uint8)


def changed(picture: np.ndarray) -> dict[str, np.ndarray]:
    image = Image.fromarray(picture)
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=40)
    brighter = np.clip(picture.astype(float) * 1.1 + 8, 0, 255)
    return {
        "smaller": np.asarray(image.resize((97, 97))),
        "packed": np.asarray(Image.open(packed)),
        "brighter": brighter.astype(np.uint8),
        "opaque": np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]),
    }


def test_size_compression_and_brightness_change_few_bits():
    for seed in range(8):
        picture = scene(seed)
        bits = fingerprint(picture)
        for name, other in changed(picture).items():
            assert bits_apart(bits, fingerprint(other)) <= ALIKE_BITS, (seed, name)


def test_other_pictures_are_far_apart():
    bits = [fingerprint(scene(seed)) for seed in range(20)]
    apart = [bits_apart(a, b) for i, a in enumerate(bits) for b in bits[:i]]
    assert min(apart) > ALIKE_BITS
    assert 25 < np.mean(apart) < 38
    mirrored = fingerprint(scene(1)[:, ::-1])
    assert bits_apart(bits[1], mirrored) > ALIKE_BITS


def test_plain_pictures_are_alike_and_transparency_is_white():
    plain = [fingerprint(np.full((50, 80, 3), grey, np.uint8)) for grey in (0, 90, 255)]
    assert plain == [0, 0, 0]
    clear = np.zeros((50, 50, 4), np.uint8)
    clear[10:30, 10:30] = (200, 40, 40, 255)
    white = np.full((50, 50, 3), 255, np.uint8)
    white[10:30, 10:30] = (200, 40, 40)
    assert fingerprint(clear) == fingerprint(white)
