"""Read the parts of an act that questions are made from: clauses, parties, figures, lists."""

__all__: list[str] = []
