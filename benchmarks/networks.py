"""Speed of LGM and of an ImageDream step: `python -m benchmarks.networks --device cuda`.

Each network runs in several ways that take turns in one process; the least time counts. "reference"
is the plain formulation (attention as two products and a softmax), "ours" what the pipeline runs.
"channels_last" and "compiled" are tried on ours: compiling is worth it only where it wins over a
batch of assets with its own time included. Weights are made by the formula of `benchmarks.golden`.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from assets3d.cameras import four_views
from assets3d.splats.lgm import LGM
from assets3d.splats.lgm_config import LGMConfig, lgm_config
from assets3d.splats.lgm_inference import join_rays
from assets3d.views.cameras import frame_vectors
from assets3d.views.unet import MultiViewUNet
from assets3d.views.unet_config import MultiViewUNetConfig
from benchmarks.golden import golden_network
from benchmarks.motion_network import merge
from benchmarks.raster import machine

RESULTS = Path(__file__).parent / "results" / "networks.json"
ASSETS = 16
WAYS = ("reference", "ours", "channels_last", "compiled")

Run = Callable[[nn.Module], torch.Tensor]


@dataclass(frozen=True)
class Case:
    """One network, how to call it, and how often an asset does."""

    network: nn.Module
    run: Run
    calls_per_asset: int


@contextmanager
def plain_attention() -> Iterator[None]:
    """Let every attention be two products and a softmax while this is open."""
    fused = F.scaled_dot_product_attention

    def plain(
        query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float | None = None
    ) -> torch.Tensor:
        scale = query.shape[-1] ** -0.5 if scale is None else scale
        return (scale * (query @ key.transpose(-1, -2))).softmax(-1) @ value

    F.scaled_dot_product_attention = plain  # type: ignore[assignment]
    try:
        yield
    finally:
        F.scaled_dot_product_attention = fused


def lgm_case(config: LGMConfig, device: str, dtype: torch.dtype) -> Case:
    """Return LGM on four pictures of its size; one call makes an asset."""
    rng = np.random.default_rng(0)
    rgb = rng.uniform(size=(4, config.size_px, config.size_px, 3)).astype(np.float32)
    pictures = join_rays(rgb, four_views(config.size_px)).to(device)
    network = golden_network(lambda: LGM(config)).to(device, dtype)
    return Case(network, lambda net: net(pictures), 1)


def imagedream_case(
    config: MultiViewUNetConfig, device: str, dtype: torch.dtype, size_px: int = 256
) -> Case:
    """Return a guided step of ImageDream: two samples of five frames; an asset takes 30."""
    generator = torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator).to(device, dtype)

    frames, side = 5, size_px // 8
    x = noise(2 * frames, config.in_channels, side, side)
    camera = torch.from_numpy(frame_vectors(image_frame=True)).to(device, dtype).repeat(2, 1)
    conditions = {
        "context": noise(2 * frames, 77, config.context_dim),
        "image_features": noise(2 * frames, 257, config.ip_embedding_dim),
        "image_latent": noise(2, config.in_channels, side, side),
    }
    step = torch.tensor(500.0, device=device)
    network = golden_network(lambda: MultiViewUNet(config)).to(device, dtype)
    return Case(network, lambda net: net(x, step, camera, frames=frames, **conditions), 30)


def measure(case: Case, ways: tuple[str, ...], repeats: int, device: str) -> dict[str, Any]:
    """Return the milliseconds of each way, how far its output is from ours, and what compiling is.

    Args:
        case: what to run.
        ways: of `WAYS`; "ours" is among them.
        repeats: calls of each way that are timed, after one that is not.
        device: what the network is on.
    """
    networks: dict[str, nn.Module] = dict.fromkeys(ways, case.network)
    if "channels_last" in ways:
        other = copy.deepcopy(case.network)
        networks["channels_last"] = other.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if "compiled" in ways:
        networks["compiled"] = torch.compile(case.network)  # type: ignore[assignment]
    first_s, best_s, outputs = {}, dict.fromkeys(ways, float("inf")), {}
    for way in ways:
        first_s[way], outputs[way] = _timed(way, networks[way], case.run, device)
    for _ in range(repeats):
        for way in ways:
            seconds, _output = _timed(way, networks[way], case.run, device)
            best_s[way] = min(best_s[way], seconds)
    ours = outputs["ours"]
    apart = {way: float((output - ours).abs().max()) for way, output in outputs.items()}
    found: dict[str, Any] = {
        "ms": {way: round(1e3 * seconds, 3) for way, seconds in best_s.items()},
        "difference_to_ours": {way: float(f"{value:.3g}") for way, value in apart.items()},
    }
    if "reference" in ways:
        found["reference_over_ours"] = round(best_s["reference"] / best_s["ours"], 3)
    if "compiled" in ways:
        calls = ASSETS * case.calls_per_asset
        with_compiling = first_s["compiled"] + (calls - 1) * best_s["compiled"]
        found["compiling"] = {
            "first_call_s": round(first_s["compiled"], 2),
            "assets": ASSETS,
            "all_calls_s": round(with_compiling, 2),
            "ours_all_calls_s": round(calls * best_s["ours"], 2),
            "worth_it": bool(with_compiling < calls * best_s["ours"]),
        }
    return found


def _timed(way: str, network: nn.Module, run: Run, device: str) -> tuple[float, torch.Tensor]:
    def synchronise() -> None:
        if torch.device(device).type == "cuda":
            torch.cuda.synchronize()

    synchronise()
    start = time.perf_counter()
    with torch.inference_mode():
        if way == "reference":
            with plain_attention():
                output = run(network)
        else:
            output = run(network)
    synchronise()
    return time.perf_counter() - start, output.float().cpu()


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and put the result under the device's name in the results file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.networks", description=__doc__)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--small", action="store_true", help="small networks: does it run at all?")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON to put the result into")
    options = parser.parse_args(arguments)
    device, ways = options.device, tuple(dict.fromkeys(("ours", *options.ways)))
    on_gpu = torch.device(device).type == "cuda"
    dtype = torch.float16 if on_gpu else torch.float32
    lgm = lgm_config("embedded" if options.small else "big")
    unet = MultiViewUNetConfig(ip_dim=16)
    if options.small:
        unet = MultiViewUNetConfig(model_channels=64, context_dim=128, ip_dim=16)
    cases: dict[str, Callable[[], Case]] = {
        "lgm": lambda: lgm_case(lgm, device, dtype),
        "imagedream_step": lambda: imagedream_case(
            unet, device, dtype, 128 if options.small else 256
        ),
    }
    name = torch.cuda.get_device_name() if on_gpu else "cpu"
    result: dict[str, Any] = {"machine": machine(), "dtype": str(dtype).removeprefix("torch.")}
    for case_name, make in cases.items():
        result[case_name] = measure(make(), ways, options.repeats, device)
        print(case_name, result[case_name])
    merge(options.out, f"{name}, small" if options.small else name, result)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
