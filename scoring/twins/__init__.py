"""Score pairs of twin questions next to solvers on the same evidence."""

__all__: list[str] = []
