"""Read the XML and JSON of the law portal."""

__all__: list[str] = []
