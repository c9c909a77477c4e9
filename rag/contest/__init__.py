"""Write the folder that answers on the contest's machine, offline, with transformers 4 alone."""

__all__: list[str] = []
