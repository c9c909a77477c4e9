"""Run the real training step at real shapes without weights, and count the memory that it holds."""

__all__: list[str] = []
