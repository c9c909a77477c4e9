"""Generate text and score choices with one interface over several backends."""

__all__: list[str] = []
