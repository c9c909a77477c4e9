"""The command line `kofinlaw`: one file for each group of commands."""

__all__: list[str] = []
