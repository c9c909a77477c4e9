"""Write a run with everything it needs to answer as one folder, for machines without a network."""

__all__: list[str] = []
