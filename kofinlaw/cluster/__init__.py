"""Share work among processes: this one, several of this machine, or those of a Ray cluster."""

__all__: list[str] = []
