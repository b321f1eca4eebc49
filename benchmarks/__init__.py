"""Speed and quality, one command each, JSON into benchmarks/results/."""
