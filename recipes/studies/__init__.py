"""Run a recipe at many points: sweeps over keys and retriever studies."""
