"""Write a first recipe for a folder of documents: survey, model, sizes, text of the recipe."""

__all__: list[str] = []
