"""Define the words of the pages in Korean and English: kinds, reasons, rules, figures, glossary."""

__all__: list[str] = []
