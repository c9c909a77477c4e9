"""Prove that a merged or exported checkpoint behaves like the model that was trained."""
