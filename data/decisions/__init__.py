"""Read what court decisions say about the articles that they apply."""

__all__: list[str] = []
