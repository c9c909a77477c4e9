"""Read question files and write submissions."""

__all__: list[str] = []
