"""Build what a training example asks for: the choice, a reason with citations, or a verdict."""

__all__: list[str] = []
