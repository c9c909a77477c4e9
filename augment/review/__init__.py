"""Record what people say about examples, test the rate of wrong ones, and apply corrections."""

__all__: list[str] = []
