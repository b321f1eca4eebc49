"""Heights that tile, for tests: smooth noise and bricks, at any size and seed."""

import numpy as np

from assets3d.textures.torus import blur


def noise_height(size_px=128, seed=0, pixel_m=0.01, finest_px=1.5):
    """Rough rock: slopes up to about one."""
    generator = np.random.default_rng(seed)
    height = np.zeros((size_px, size_px), np.float32)
    for octave in range(4):
        sigma_px = finest_px * 2**octave
        white = generator.standard_normal(height.shape).astype(np.float32)
        height += blur(white, sigma_px) * sigma_px**1.8
    return height / height.std() * np.float32(4.0 * pixel_m)


def brick_height(size_px=128, pixel_m=0.01, offset=(0, 0), courses=8):
    """Bricks with soft edges; the wrap lies anywhere, joints included."""
    course_px = size_px // courses
    y, x = np.mgrid[:size_px, :size_px]
    y, x = y + offset[0], x + offset[1]
    shift = (y // course_px % 2) * course_px
    across = np.abs((x + shift) % (2 * course_px) - course_px)
    down = np.abs(y % course_px - course_px / 2)
    edge = np.minimum(course_px - across, course_px / 2 - down)
    return (np.clip(edge / 3.0, 0.0, 1.0) * 3.0 * pixel_m).astype(np.float32)
