"""Prepare embedders: convert the weights that a package contains."""

__all__: list[str] = []
