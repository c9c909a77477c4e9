"""Read files that consist of pages: PDF, and pictures of pages by OCR."""

__all__: list[str] = []
