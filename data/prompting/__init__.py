"""Build the text around a question: wording, packed evidence, and the polarity of the stem."""

__all__: list[str] = []
