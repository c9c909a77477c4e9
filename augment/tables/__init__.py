"""Questions from the tables of annexes: which cells are sure, and the kinds that ask about them."""

__all__: list[str] = []
