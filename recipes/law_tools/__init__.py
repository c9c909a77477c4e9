"""Serve a run's law to assistants as tools of the Model Context Protocol."""

__all__: list[str] = []
