"""Search a Weaviate server: its connection, collections, import, filters and searches."""

__all__: list[str] = []
