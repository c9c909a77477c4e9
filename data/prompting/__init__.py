"""Build the text around a question: wording, packed evidence, and the polarity of the stem."""
