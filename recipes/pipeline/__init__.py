"""Load a recipe, check it, cut it into stages, and run them with resume."""

__all__: list[str] = []
