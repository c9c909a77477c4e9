"""Score answers, evidence and retrieval with published formulas."""

__all__: list[str] = []
