"""Build training pairs for a retriever from the corpus that it will search."""

__all__: list[str] = []
