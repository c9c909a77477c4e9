"""Serve a run to programs and people: an OpenAI-compatible server with a chat page."""

__all__: list[str] = []
