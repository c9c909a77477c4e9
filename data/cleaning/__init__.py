"""Clean chunks: quality, personal data, duplicates, and overlap with protected texts."""
