"""The CUDA back ends: gsplat (Apache-2.0), and Inria's rasteriser if the user installed it.

Inria's licence is non-commercial, so it is never a dependency, an extra or copied.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from assets3d.errors import InputError

if TYPE_CHECKING:
    from assets3d.splats.rasterise import View

_INRIA_CHANNELS = 3
_FAR = 1000.0


def _view_matrix(view: View, like: torch.Tensor) -> torch.Tensor:
    return torch.tensor([*view.rows, (0.0, 0.0, 0.0, 1.0)], dtype=torch.float32, device=like.device)


def draw_gsplat(
    values: torch.Tensor, features: torch.Tensor, view: View, near: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return features (H, W, C), alpha and depth (H, W) in one call of gsplat.

    Raises:
        InputError: when gsplat is not installed.
    """
    try:
        from gsplat import rasterization
    except ImportError:
        raise InputError("rasterise: backend: found no gsplat, wanted it installed") from None
    from assets3d.splats.rasterise import SEMANTICS

    matrix = [[view.fx, 0.0, view.cx], [0.0, view.fy, view.cy], [0.0, 0.0, 1.0]]
    picture, alpha, _ = rasterization(
        means=values[:, 0:3].contiguous(),
        quats=values[:, 7:11].contiguous(),
        scales=values[:, 4:7].contiguous(),
        opacities=values[:, 3].contiguous(),
        colors=features.contiguous(),
        viewmats=_view_matrix(view, values)[None],
        Ks=torch.tensor([matrix], dtype=torch.float32, device=values.device),
        width=view.width,
        height=view.height,
        near_plane=near,
        eps2d=SEMANTICS.blur_px2,
        render_mode="RGB+D",
        sh_degree=None,
    )
    return picture[0, ..., :-1], alpha[0, ..., 0], picture[0, ..., -1]


def draw_inria(
    values: torch.Tensor, features: torch.Tensor, view: View, near: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return features, alpha and depth from passes of three channels, alpha and depth among them.

    Gaussians are culled at z <= 0.2 inside, whatever `near` is; a larger `near` is applied here.

    Raises:
        InputError: when diff_gaussian_rasterization is not installed.
    """
    try:
        from diff_gaussian_rasterization import (
            GaussianRasterizationSettings,
            GaussianRasterizer,
        )
    except ImportError:
        raise InputError(
            "rasterise: backend: found no diff_gaussian_rasterization, wanted it installed"
        ) from None
    matrix = _view_matrix(view, values)
    depth = values[:, 0:3] @ matrix[2, :3] + matrix[2, 3]
    kept = depth > near
    values, features, depth = values[kept], features[kept], depth[kept]
    settings = GaussianRasterizationSettings(
        image_height=view.height,
        image_width=view.width,
        tanfovx=view.width / (2.0 * view.fx),
        tanfovy=view.height / (2.0 * view.fy),
        bg=torch.zeros(_INRIA_CHANNELS, device=values.device),
        scale_modifier=1.0,
        viewmatrix=matrix.T.contiguous(),
        projmatrix=(_projection(view, values) @ matrix).T.contiguous(),
        sh_degree=0,
        campos=torch.linalg.inv(matrix)[:3, 3].contiguous(),
        prefiltered=False,
        debug=False,
    )
    draw = GaussianRasterizer(settings)
    channels = torch.cat([features, depth[:, None], torch.ones_like(depth)[:, None]], dim=1)
    missing = -channels.shape[1] % _INRIA_CHANNELS
    channels = torch.nn.functional.pad(channels, (0, missing))
    passes = [
        draw(
            means3D=values[:, 0:3].contiguous(),
            means2D=torch.zeros_like(values[:, 0:3]),
            opacities=values[:, 3:4].contiguous(),
            colors_precomp=three.contiguous(),
            scales=values[:, 4:7].contiguous(),
            rotations=torch.nn.functional.normalize(values[:, 7:11], dim=1),
        )[0]
        for three in channels.split(_INRIA_CHANNELS, dim=1)
    ]
    count = features.shape[1]
    picture = torch.cat(passes).permute(1, 2, 0)
    return picture[..., :count], picture[..., count + 1], picture[..., count]


def _projection(view: View, like: torch.Tensor) -> torch.Tensor:
    """Return the (4, 4) projection to clip space, off-centre principal points included."""
    near, far = 0.01, _FAR
    rows = [
        [2.0 * view.fx / view.width, 0.0, 2.0 * view.cx / view.width - 1.0, 0.0],
        [0.0, 2.0 * view.fy / view.height, 2.0 * view.cy / view.height - 1.0, 0.0],
        [0.0, 0.0, far / (far - near), -far * near / (far - near)],
        [0.0, 0.0, 1.0, 0.0],
    ]
    matrix = torch.tensor(rows, dtype=torch.float32, device=like.device)
    if not math.isfinite(float(matrix.sum())):
        raise InputError("rasterise: camera: found intrinsics that are not finite numbers")
    return matrix
