"""Convert EXAONE 3.x checkpoints and adapters to the Llama layout and back."""

__all__: list[str] = []
