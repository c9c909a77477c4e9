"""Compare what an option says with the provisions, line by line, without a model."""

__all__: list[str] = []
