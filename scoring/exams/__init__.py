"""Score exams: systems next to solvers that read the same evidence, with tests over all exams."""

__all__: list[str] = []
