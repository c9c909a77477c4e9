"""Find the passages for a question: search, fuse, rerank, expand, and restrict by date."""

__all__: list[str] = []
