"""Let a local model write examples, and check each one before it counts."""
