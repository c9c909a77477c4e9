"""Choose an option without listing the options: prompts, voters, and their weights."""

__all__: list[str] = []
