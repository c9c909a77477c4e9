"""Build multiple-choice and free-text questions from the structure of the law."""

__all__: list[str] = []
