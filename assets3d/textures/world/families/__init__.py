"""The families; each module has paint functions `name(size_px, generator)` and its records."""
