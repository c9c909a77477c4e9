"""Measure how systems answer when their evidence is forced: complete, partial, absent or wrong."""

__all__: list[str] = []
