"""Read published evaluation sets: their columns, gold passages and corpora."""

__all__: list[str] = []
