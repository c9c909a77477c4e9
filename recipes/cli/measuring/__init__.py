"""Commands that measure: exams, evaluation sets, scores, studies, and tuning on questions."""

__all__: list[str] = []
