"""Read the open formats of word processors: DOCX, HWPX and ODT, and what they share."""

__all__: list[str] = []
