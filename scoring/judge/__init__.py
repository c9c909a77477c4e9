"""Judge free-text answers with a local model and rubrics."""
