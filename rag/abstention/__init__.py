"""Decide whether the indexed passages bear on a question, and refuse where they do not."""

__all__: list[str] = []
