"""Tables of annexes: rows with their labels and columns, and parts of few rows."""

__all__: list[str] = []
