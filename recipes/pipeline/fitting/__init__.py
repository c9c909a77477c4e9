"""Fit settings of a run to its own training questions."""

__all__: list[str] = []
