"""Judge free-text answers with a local model and rubrics."""

__all__: list[str] = []
