"""Show the answer to one question, and keep a session of questions open."""

__all__: list[str] = []
