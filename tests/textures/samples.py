"""A small material with relief, several roughnesses, and metal, for tests that need just any."""

import numpy as np

from assets3d.textures.fields import normals_of_slopes, slopes_of_height
from assets3d.textures.material import Material
from assets3d.textures.occlusion import ambient_occlusion
from assets3d.textures.torus import blur


def bumpy(
    size_px: int = 64, tile_m: float = 0.5, relief_m: float = 0.02, seed: int = 0
) -> Material:
    """Return smooth random bumps; all maps are periodic and differ from each other."""
    generator = np.random.default_rng(0)

    def noise() -> np.ndarray:
        field = blur(generator.standard_normal((size_px, size_px)), size_px / 24.0)
        field -= field.min()
        return (field / field.max()).astype(np.float32)

    height_m = relief_m * noise()
    height_m -= height_m.mean()
    pixel_m = tile_m / size_px
    return Material(
        base_colour=np.dstack([noise() for _ in range(3)]),
        height_m=height_m,
        normals=normals_of_slopes(*slopes_of_height(height_m, pixel_m)),
        roughness=noise(),
        occlusion=ambient_occlusion(height_m, pixel_m),
        metallic=(noise() > 0.6).astype(np.float32),
        tile_m=tile_m,
    )
