"""The C++ kernel behind a plain C ABI: Gaussian rasteriser and mesh renderer."""
