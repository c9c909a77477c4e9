"""Answer the held-out twin questions of a run from exactly their evidence."""

__all__: list[str] = []
