"""Merge a LoRA adapter into its base model, or combine several adapters into one."""

__all__: list[str] = []
