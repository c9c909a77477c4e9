"""Write a merged checkpoint in other formats: GGUF, 4-bit, GPTQ, AWQ, or a hub repository."""

__all__: list[str] = []
