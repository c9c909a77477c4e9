"""Let a local model write examples, and accept only those that pass every check."""

__all__: list[str] = []
