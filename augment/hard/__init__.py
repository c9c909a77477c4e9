"""Build hard questions: options that differ in one slot, and words that nobody can look up."""

__all__: list[str] = []
