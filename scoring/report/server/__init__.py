"""Build the pages of the report server: the list of runs, a run at work, documents, errors."""

__all__: list[str] = []
