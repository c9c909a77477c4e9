"""Score answers, evidence and retrieval with published formulas."""
