"""Render reports and comparison pages, and serve them on this machine."""
