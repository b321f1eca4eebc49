"""The network: one function, whichever way it is computed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assets3d.errors import InputError
from assets3d.native import library
from motion.network import GATING_341, GATING_441, Network
from motion.network.native import _words
from motion.weights import Experts, random_weights

GOLDEN = Path(__file__).parents[3] / "shared" / "parity" / "mann.npz"


@pytest.fixture(scope="module")
def weights():
    return random_weights(3, hidden=70, experts=5)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(4).standard_normal((33, 480)).astype(np.float32)


def oracle(weights, x, gating):
    """The definition, word by word, in float64 and for one vector."""

    def elu(v):
        return np.where(v > 0, v, np.exp(np.minimum(v, 0)) - 1)

    n = (x.astype(np.float64) - weights.input_mean) / weights.input_std
    g = n[list(gating)]
    for number, (w, b) in enumerate(weights.gating):
        g = w.astype(np.float64) @ g + b
        g = elu(g) if number < 2 else np.exp(g) / np.exp(g).sum()
    for number, (a, b) in enumerate(weights.experts):
        n = np.tensordot(g, a.astype(np.float64), 1) @ n + g @ b
        n = elu(n) if number < 2 else n
    return n * weights.output_std + weights.output_mean, g


@pytest.mark.parametrize("backend", ["native", "numpy", "torch"])
@pytest.mark.parametrize("gating", [GATING_441, GATING_341])
def test_backends_follow_the_definition(weights, x, backend, gating):
    network = Network(weights, gating=gating, backend=backend)
    batch = network(x)
    for row in (0, 12, 13, 32):
        output, experts = oracle(weights, x[row], gating)
        single = network(x[row])
        for found in (single, (batch.output[row], batch.experts[row])):
            assert np.abs(found[0] - output).max() < 1e-5
            assert np.abs(found[1] - experts).max() < 1e-6
    assert network.backend == backend


def test_gating_lists_differ(weights, x):
    first, second = (Network(weights, gating=g)(x[0]) for g in (GATING_441, GATING_341))
    assert np.abs(first.experts - second.experts).max() > 1e-3


@pytest.mark.parametrize("isa", sorted(library.instruction_sets()))
@pytest.mark.parametrize("precision", ["float32", "half", "compact", "sparse"])
def test_kernels(weights, x, isa, precision, monkeypatch):
    monkeypatch.setenv(library.ISA_VARIABLE, str(isa))
    wanted = Network(weights, backend="numpy")(x)
    one, two = (Network(weights, backend="native", precision=precision, threads=t) for t in (1, 2))
    found = one(x)
    allowed = {"float32": 1e-5, "half": 5e-4, "compact": 2e-2, "sparse": 2e-2}[precision]
    assert np.abs(found.output - wanted.output).max() < allowed
    assert np.array_equal(found.output, two(x).output), "bits depend on threads"
    assert np.array_equal(found.output, one(x).output), "bits differ between runs"
    single = one(x[20])
    assert np.abs(single.output - wanted.output[20]).max() < allowed
    assert np.array_equal(single.output, two(x[20]).output)
    assert np.abs(found.experts.sum(axis=1) - 1).max() < 1e-6


@pytest.mark.parametrize("precision", ["float32", "half", "compact"])
def test_rows_do_not_see_each_other(weights, x, precision):
    network = Network(weights, backend="native", precision=precision)
    alone = network(x[[7, 8]]).output
    many = np.concatenate([x, np.full((400, 480), 1e3, np.float32), x])
    assert np.array_equal(network(many).output[[7, 8]], alone)
    assert np.array_equal(network(many).output[-33:], network(x).output)


@pytest.mark.parametrize(("bits", "sizes"), [(16, (16, 16)), (11, (11, 11, 10))])
def test_stored_weights_err_by_half_a_step(bits, sizes):
    """Each weight, read as mann.h draws it with the bits that follow it, is the nearest one."""
    most = 1 - 2.0 ** (1 - min(sizes))
    wanted = np.random.default_rng(6).uniform(-most, most, (3, 12, 32))
    wanted[0], wanted[1] = most, -most
    words = _words(wanted, bits)
    shifts = np.cumsum([0, *sizes[:-1]])
    found = [(words << s).astype(np.uint32).view(np.int32) / 2.0**31 for s in shifts]
    if bits == 16:
        parts = [wanted[..., 16:], wanted[..., :16]]
    else:
        parts = [wanted[:, i::3] for i in range(3)]
    for value, part, size in zip(found, parts, sizes, strict=True):
        assert np.abs(value - part).max() <= 2.0**-size


@pytest.mark.parametrize("precision", ["half", "compact"])
def test_rows_of_zeros_stay_zero(weights, x, precision):
    last = weights.experts[2]
    matrix, bias = last.a.copy(), last.b.copy()
    matrix[:, 5], bias[:, 5] = 0, 0
    dead = replace(weights, experts=(*weights.experts[:2], Experts(matrix, bias)))
    found = Network(dead, precision=precision)(x[:3]).output
    assert np.array_equal(found[:, 5], np.repeat(weights.output_mean[5], 3))


def test_sparse_leaves_out_small_experts_only(weights, x):
    network = Network(weights, precision="sparse", sparse_threshold=0.1)
    full = Network(weights, precision="float32")(x).experts
    kept = network(x).experts
    assert np.array_equal(kept > 0, full >= 0.1)
    ratios = (kept / full).max(axis=1, keepdims=True)
    assert np.abs(kept - np.where(full >= 0.1, full * ratios, 0)).max() < 1e-6
    everything = Network(weights, precision="sparse", sparse_threshold=1.0)
    assert np.array_equal((everything(x).experts > 0).sum(axis=1), np.ones(len(x)))


def test_saturated_gating_stays_finite(weights):
    x = np.full(480, 1e4, np.float32)
    for backend in ("native", "numpy", "torch"):
        prediction = Network(weights, backend=backend)(x)
        assert np.isfinite(prediction.output).all()
        assert abs(prediction.experts.sum() - 1) < 1e-5


def test_golden_small():
    """A golden set of our own: float64 results of the definition for weights from a seed."""
    x = np.linspace(-1, 1, 480, dtype=np.float32)
    found = Network(random_weights(11, hidden=40, experts=4))(x)
    assert np.abs(found.output[GOLDEN_PLACES] - GOLDEN_OUTPUT).max() < 1e-4
    assert np.abs(found.experts - GOLDEN_EXPERTS).max() < 1e-5


GOLDEN_PLACES = [0, 100, 200, 300, 362]
GOLDEN_OUTPUT = [-0.080337, -0.146264, 0.003644, -0.070601, -0.082814]
GOLDEN_EXPERTS = [0.239997, 0.267131, 0.325697, 0.167174]


@pytest.mark.skipif(not GOLDEN.exists(), reason="golden numbers are not here")
@pytest.mark.parametrize("backend", ["native", "numpy", "torch"])
def test_published_golden_numbers(backend):
    from benchmarks.parity import check_mann

    rows = list(check_mann(GOLDEN.parent, "", backend=backend))
    assert len(rows) == 4
    assert [row for row in rows if not row.passed] == []


def test_bad_settings(weights):
    with pytest.raises(InputError, match="wanted 19 numbers"):
        Network(weights, gating=range(18))
    with pytest.raises(InputError, match="precision eighth"):
        Network(weights, precision="eighth")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="needs the native backend"):
        Network(weights, precision="half", backend="numpy")
    with pytest.raises(ValueError, match=r"\(479,\)"):
        Network(weights)(np.zeros(479, np.float32))


def test_empty_batch(weights):
    for backend in ("native", "numpy", "torch"):
        prediction = Network(weights, backend=backend)(np.zeros((0, 480), np.float32))
        assert prediction.output.shape == (0, 363)
        assert prediction.experts.shape == (0, 5)
