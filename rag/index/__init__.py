"""Build and load the index of passages: tokens, vectors and the tables next to them."""

__all__: list[str] = []
