"""Leave out what can play no part, and put it back: exact both ways."""

from __future__ import annotations

import numpy as np

from assets3d.errors import InputError
from motion.weights.record import EXPERTS, GATING_HIDDEN, HIDDEN, Experts, Linear, Weights

#: Logit bias of an expert that stands in for none: softmax gives it exactly 0.
UNUSED_LOGIT = -1e4


def trimmed(weights: Weights) -> Weights:
    """Drop the last hidden units that are zero in every expert, and the last unused experts.

    A hidden unit with zero weights and bias stays ELU(0) = 0; an expert with zero gating row and
    bias -1e4 gets weight 0. Only what `expanded` writes is dropped, so that it can be restored.
    """
    last, experts = weights.gating[2], weights.experts
    count = weights.expert_count
    while count > 1 and _unused(weights, count - 1):
        count -= 1
    used = [_used_units(experts[0], experts[1]), _used_units(experts[1], experts[2])]
    hidden = max(1, *used)
    first, second, third = experts
    return Weights(
        (*weights.gating[:2], Linear(last.w[:count].copy(), last.b[:count].copy())),
        (
            Experts(first.a[:count, :hidden].copy(), first.b[:count, :hidden].copy()),
            Experts(second.a[:count, :hidden, :hidden].copy(), second.b[:count, :hidden].copy()),
            Experts(third.a[:count, :, :hidden].copy(), third.b[:count].copy()),
        ),
        weights.input_mean,
        weights.input_std,
        weights.output_mean,
        weights.output_std,
    )


def expanded(weights: Weights, *, hidden: int = HIDDEN, experts: int = EXPERTS) -> Weights:
    """Pad with zeros to the sizes of the binary files; the network's function stays the same.

    Raises:
        InputError: the network is larger than asked for.
    """
    gating_hidden = len(weights.gating[0].b)
    found = (weights.hidden, weights.expert_count, gating_hidden)
    if found[0] > hidden or found[1] > experts or found[2] != GATING_HIDDEN:
        raise InputError(
            f"weights: {found[0]} hidden units, {found[1]} experts, {found[2]} gating units, "
            f"wanted at most {hidden} and {experts}, and {GATING_HIDDEN}"
        )
    more_units, more_experts = hidden - found[0], experts - found[1]
    last = weights.gating[2]

    def padded(layer: Experts, units: int, inputs: int) -> Experts:
        return Experts(
            np.pad(layer.a, ((0, more_experts), (0, units), (0, inputs))),
            np.pad(layer.b, ((0, more_experts), (0, units))),
        )

    first, second, third = weights.experts
    return Weights(
        (
            *weights.gating[:2],
            Linear(
                np.pad(last.w, ((0, more_experts), (0, 0))),
                np.pad(last.b, (0, more_experts), constant_values=UNUSED_LOGIT),
            ),
        ),
        (
            padded(first, more_units, 0),
            padded(second, more_units, more_units),
            padded(third, 0, more_units),
        ),
        weights.input_mean,
        weights.input_std,
        weights.output_mean,
        weights.output_std,
    )


def _unused(weights: Weights, number: int) -> bool:
    gating = weights.gating[2]
    if gating.w[number].any() or gating.b[number] != np.float32(UNUSED_LOGIT):
        return False
    return not any(layer.a[number].any() or layer.b[number].any() for layer in weights.experts)


def _used_units(before: Experts, after: Experts) -> int:
    """Return one past the last hidden unit with anything but zeros going in or out."""
    used = before.a.any(axis=(0, 2)) | before.b.any(axis=0) | after.a.any(axis=(0, 1))
    return int(np.flatnonzero(used)[-1]) + 1 if used.any() else 0
