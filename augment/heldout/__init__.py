"""Make the evaluation questions of held-out acts that are not multiple choice."""

__all__: list[str] = []
