"""Check the references of a text against a corpus: provisions, headings, quotations, decisions."""

__all__: list[str] = []
