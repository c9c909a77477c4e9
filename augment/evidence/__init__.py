"""Change the evidence of held-out questions, to measure answers without good evidence."""

__all__: list[str] = []
