"""Render prompts safely: texts of users stay text, and chat templates have a limit of work."""

from __future__ import annotations

__all__: list[str] = []
