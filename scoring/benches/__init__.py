"""Figures of evaluation sets: retrieval in the set's own corpus, and the page of a measurement."""

__all__: list[str] = []
