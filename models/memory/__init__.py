"""Plan memory term by term before anything is loaded, and measure it while work runs."""

__all__: list[str] = []
