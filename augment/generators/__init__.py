"""Build multiple-choice and free-text questions from the structure of the law."""
