"""Give the links between provisions a type."""

__all__: list[str] = []
