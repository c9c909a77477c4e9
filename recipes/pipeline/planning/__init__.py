"""Plan a run before it starts: weights and extras at hand, examples, minutes, and start checks."""

__all__: list[str] = []
