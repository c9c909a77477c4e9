"""Recognise the licence texts that travel with weights."""

from __future__ import annotations

__all__: list[str] = []
