"""Merge LoRA adapters into their base model, one tensor at a time."""
