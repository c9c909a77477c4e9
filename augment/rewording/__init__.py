"""Write a sentence of the law in other words by rule, with the same meaning."""

__all__: list[str] = []
