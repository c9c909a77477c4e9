"""Render reports and comparison pages, and serve them on this machine."""

__all__: list[str] = []
