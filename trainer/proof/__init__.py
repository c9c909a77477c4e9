"""Prove that a merged or exported checkpoint behaves like the model that was trained."""

__all__: list[str] = []
