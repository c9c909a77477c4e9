"""Read the history of acts from a git repository."""

__all__: list[str] = []
