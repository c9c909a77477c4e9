"""Write example sets and preference pairs in the forms that other trainers read."""

__all__: list[str] = []
