"""Record what a stage was made from and what it wrote, and compare both later."""

__all__: list[str] = []
