"""Answer questions before a deadline, and keep a complete answer file at every moment."""

__all__: list[str] = []
