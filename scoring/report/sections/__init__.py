"""Build parts of the report: the sections on abstention and twins, and the warnings."""

__all__: list[str] = []
