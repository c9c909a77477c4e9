"""A stage's result for tests."""


class Counts:
    """Any figures by name."""

    def __init__(self, **figures: object) -> None:
        self.figures = figures

    def to_record(self) -> dict[str, object]:
        return self.figures
