"""The mode-adaptive network: one forward pass, in NumPy, torch or the C++ kernel."""

from motion.network.forward import (
    BITS,
    GATING_341,
    GATING_441,
    Backend,
    Network,
    Precision,
    Prediction,
)

__all__ = ["BITS", "GATING_341", "GATING_441", "Backend", "Network", "Precision", "Prediction"]
