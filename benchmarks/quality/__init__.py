"""Quality of every step against the prop world's ground truth: `python -m benchmarks.quality`."""
