"""Do materials tile, and are their maps right: `python -m benchmarks.materials [FILES...]`."""
