"""Benchmarks: what the product costs, against a baseline, in one run."""
