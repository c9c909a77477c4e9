"""Solve multiple-choice questions without a model: by word overlap, look-up or length."""

__all__: list[str] = []
