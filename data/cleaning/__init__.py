"""Clean chunks: quality, personal data, duplicates, and overlap with protected texts."""

__all__: list[str] = []
