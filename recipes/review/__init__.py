"""Let people read the examples of a run on a local page, and exchange verdicts with other tools."""

__all__: list[str] = []
