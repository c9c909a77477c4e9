"""Compute intervals, paired tests, slices and trivial baselines."""

__all__: list[str] = []
