"""Compute intervals, paired tests, slices and trivial baselines."""
