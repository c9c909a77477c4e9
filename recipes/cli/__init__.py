"""Define the command line `kofinlaw`: one module for each group of commands."""

__all__: list[str] = []
