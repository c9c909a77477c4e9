"""Run a recipe at many points: sweeps over keys and retriever studies."""

__all__: list[str] = []
