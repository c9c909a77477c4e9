"""Train an embedder on pairs of queries and passages."""

__all__: list[str] = []
