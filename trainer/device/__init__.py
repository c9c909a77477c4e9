"""Use the device well: copies to and from it, layers kept in its memory, rows without padding."""

__all__: list[str] = []
