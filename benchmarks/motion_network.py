"""Speed of the motion network: `python -m benchmarks.motion_network [--out FILE]`.

Full size, 8 experts, 22 MB of float32. "Cold" is what a game sees that does other things between
two frames: before each call a buffer larger than the caches is read, before the yardstick (one
thread reading the same 22 MB once) as well. All ways take turns, so that a busy host meets all of
them; the least time counts. A batch also gets its CPU time, which a busy host hardly changes.
The pose difference is between float32 and the smaller storages, on the embedded controller's own
run of a script.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Threads of torch's own operations must sleep, not spin, between uses: spinning is CPU time too.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from assets3d.native import library
from benchmarks.raster import machine
from motion.features import OUTPUT_BONES
from motion.network import Network, Precision, Prediction
from motion.network.native import NativeRunner
from motion.script import roll_out
from motion.script.parser import parse_script
from motion.weights import GATING_441, Weights, embedded_weights, random_weights, write_onnx

RESULTS = Path(__file__).parent / "results" / "motion.json"
FLUSH_BYTES = 640_000_000
BATCH, TORCH_LOOP = 256, 64
SCRIPT = (
    {"walk": "3 s"},
    {"trot": "4 s", "turn": "40 deg/s"},
    {"jump": 1},
    {"canter": "3 s"},
    {"sit": "2 s"},
)
#: Wanted: reading ratio at most; the rest at least, the pose difference at most.
TARGETS = {
    "float32_over_read": 1.3,
    "torch_over_float32": 1.0,
    "onnxruntime_over_float32": 1.0,
    "float32_over_compact": 2.0,
    "torch_loop_over_batch": 15.0,
    "compact_pose_difference_mm": 1.0,
}

PRECISIONS: tuple[Precision, ...] = ("float32", "half", "compact", "sparse")
Way = Callable[[int], object]


def plain_torch(weights: Weights) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the usual formulation: all experts' matrix-vector products, then the blend."""
    gates = [(torch.from_numpy(w), torch.from_numpy(b)) for w, b in weights.gating]
    experts = [(torch.from_numpy(a), torch.from_numpy(b)) for a, b in weights.experts]
    mean, std = torch.from_numpy(weights.input_mean), torch.from_numpy(weights.input_std)
    out_mean, out_std = torch.from_numpy(weights.output_mean), torch.from_numpy(weights.output_std)
    gating = torch.tensor(GATING_441)
    elu = torch.nn.functional.elu

    def forward(x: torch.Tensor) -> torch.Tensor:
        hidden = (x - mean) / std
        shares = hidden[gating]
        for number, (w, b) in enumerate(gates):
            shares = torch.mv(w, shares) + b
            shares = elu(shares) if number < 2 else shares.softmax(0)
        for number, (a, b) in enumerate(experts):
            hidden = shares @ (torch.matmul(a, hidden) + b)
            hidden = elu(hidden) if number < 2 else hidden
        return hidden * out_std + out_mean

    return forward


def least(times: list[float]) -> float:
    """Return the least of times in seconds as milliseconds."""
    return round(1e3 * min(times), 4)


def take_turns(
    ways: dict[str, Way], rounds: int, between: Callable[[], object]
) -> dict[str, float]:
    """Return the least milliseconds of each way; `between` runs before each call, untimed."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for number in tqdm(range(rounds), desc="rounds", leave=False):
        for name, way in ways.items():
            between()
            start = time.perf_counter()
            way(number)
            times[name].append(time.perf_counter() - start)
    return {name: least(values) for name, values in times.items()}


def one_character(weights: Weights, x: NDArray[np.float32], rounds: int) -> dict[str, object]:
    """Time one character on one thread in every way, cold and warm."""
    import onnxruntime

    torch.set_num_threads(1)
    kernel, isa = library.kernel(), library.instruction_set()
    flush = np.ones(FLUSH_BYTES // 4, np.float32)
    networks = {name: Network(weights, backend="native", precision=name) for name in PRECISIONS}
    plain, rows = plain_torch(weights), torch.from_numpy(x)
    experts = np.ones(sum(layer.a.size + layer.b.size for layer in weights.experts), np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_onnx(Path(folder) / "mann.onnx", weights)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(Path(folder) / "mann.onnx"), options, providers=["CPUExecutionProvider"]
        )
    ways: dict[str, Way] = {
        "read_22_mb": lambda i: kernel.a3d_read_loop(experts.ctypes.data, experts.size, isa)
    }
    ways |= {name: lambda i, n=network: n(x[i]) for name, network in networks.items()}  # type: ignore[misc]
    numpy_network = Network(weights, backend="numpy")
    torch_network = Network(weights, backend="torch")
    ways["numpy"] = lambda i: numpy_network(x[i])
    ways["torch_plain"] = lambda i: plain(rows[i])
    ways["torch_one_product"] = lambda i: torch_network(x[i])
    ways["onnxruntime"] = lambda i: session.run(["y"], {"x": x[i : i + 1]})
    with torch.inference_mode():
        for way in ways.values():
            way(0)
        cold = take_turns(
            ways, rounds, lambda: kernel.a3d_read_loop(flush.ctypes.data, flush.size, isa)
        )
        warm: dict[str, float] = {}
        for name, way in ways.items():
            warm |= take_turns({name: way}, 4 * rounds, lambda: None)
    stored = {name: network_bytes(network) for name, network in networks.items()}
    return {"stored_bytes": stored, "cold_ms": cold, "warm_ms": warm, "ratios": _ratios(cold)}


def network_bytes(network: Network) -> int:
    """Return the bytes of the experts as the kernel reads them."""
    runner = network.runner
    assert isinstance(runner, NativeRunner)
    return runner.memory.nbytes


def _ratios(cold: dict[str, float]) -> dict[str, float]:
    best_torch = min(cold["torch_plain"], cold["torch_one_product"])
    return {
        "float32_over_read": round(cold["float32"] / cold["read_22_mb"], 3),
        "torch_over_float32": round(best_torch / cold["float32"], 2),
        "onnxruntime_over_float32": round(cold["onnxruntime"] / cold["float32"], 2),
        "float32_over_half": round(cold["float32"] / cold["half"], 2),
        "float32_over_compact": round(cold["float32"] / cold["compact"], 2),
    }


def batch_of_characters(weights: Weights, x: NDArray[np.float32], rounds: int) -> dict[str, object]:
    """Time 256 characters at once on one and two threads, and torch's loop over them."""
    plain, rows = plain_torch(weights), torch.from_numpy(x)
    times: dict[str, tuple[list[float], list[float]]] = {}

    def measure(name: str, run: Callable[[], object], factor: float = 1.0) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        kept = times.setdefault(name, ([], []))
        kept[0].append(factor * (time.perf_counter() - wall))
        kept[1].append(factor * (time.process_time() - cpu))

    def torch_loop() -> None:
        with torch.inference_mode():
            for row in rows[:TORCH_LOOP]:
                plain(row)

    networks = {threads: Network(weights, backend="native", threads=threads) for threads in (1, 2)}
    outputs = [network(x).output for network in networks.values()]
    for _ in tqdm(range(rounds), desc="batches", leave=False, delay=2):
        for threads, network in networks.items():
            measure(f"native_threads_{threads}", lambda n=network: n(x))  # type: ignore[misc]
        for threads in (1, 2):
            torch.set_num_threads(threads)
            measure(f"torch_loop_threads_{threads}", torch_loop, BATCH / TORCH_LOOP)
    torch.set_num_threads(1)
    wall = {name: least(values[0]) for name, values in times.items()}
    cpu = {name: least(values[1]) for name, values in times.items()}
    work = 2.0 * BATCH * sum(layer.a.size for layer in weights.experts)
    return {
        "characters": BATCH,
        "wall_ms": wall,
        "cpu_ms": cpu,
        "native_gflops_per_cpu_second": round(work / cpu["native_threads_1"] / 1e6, 1),
        "torch_loop_over_batch": round(wall["torch_loop_threads_1"] / wall["native_threads_2"], 2),
        "torch_loop_on_two_threads_over_batch": round(
            wall["torch_loop_threads_2"] / wall["native_threads_2"], 2
        ),
        "torch_loop_over_batch_cpu_time": round(
            cpu["torch_loop_threads_1"] / cpu["native_threads_1"], 2
        ),
        "same_bits_on_1_and_2_threads": bool((outputs[0] == outputs[1]).all()),
    }


def pose_differences() -> dict[str, object]:
    """Run the embedded controller and predict each of its frames with the smaller storages."""
    weights = embedded_weights()
    network = Network(weights)
    seen: list[NDArray[np.float32]] = []

    def recording(x: NDArray[np.floating]) -> Prediction:
        seen.append(np.array(x, np.float32))
        return network(x)

    roll_out(recording, parse_script(SCRIPT))
    x = np.stack(seen)
    exact = network(x)
    places = _places(exact.output)
    result: dict[str, object] = {"frames": len(x)}
    for name in PRECISIONS[1:]:
        found = _places(Network(weights, precision=name)(x).output)
        apart = 1e3 * np.linalg.norm(found - places, axis=-1)
        result[f"{name}_pose_difference_mm"] = round(float(apart.max()), 4)
        result[f"{name}_mean_pose_difference_mm"] = round(float(apart.mean()), 4)
    result["experts_above_0.001_mean"] = round(float((exact.experts > 1e-3).sum(1).mean()), 2)
    return result


def _places(output: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the bones' places (T, 27, 3) in metres."""
    return output[:, OUTPUT_BONES].reshape(len(output), -1, 12)[:, :, :3]


def merge(path: Path, key: str, value: object) -> None:
    """Put `value` under `key` of a JSON file, leaving its other keys as they are."""
    kept = json.loads(path.read_text()) if path.is_file() else {}
    kept[key] = value
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(kept, indent=1) + "\n")
    partial.replace(path)


def main() -> None:
    """Measure, print, and put the result under "network" of the results file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON to put the result into")
    parser.add_argument("--rounds", type=int, default=30)
    arguments = parser.parse_args()
    weights = random_weights(0)
    x = np.random.default_rng(0).standard_normal((BATCH, 480)).astype(np.float32)
    result: dict[str, object] = {
        "machine": machine(),
        "one_character_one_thread": one_character(weights, x, arguments.rounds),
        "batch": batch_of_characters(weights, x, arguments.rounds),
        "pose": pose_differences(),
        "targets": TARGETS,
    }
    print(json.dumps(result, indent=1))
    merge(arguments.out, "network", result)


if __name__ == "__main__":
    main()
