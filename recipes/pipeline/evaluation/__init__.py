"""Answer the questions of a run: forced evidence, held-out twins."""

__all__: list[str] = []
