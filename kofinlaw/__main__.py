"""Run the command line as `python -m kofinlaw`."""

from kofinlaw.recipes.cli.entry import main

__all__: list[str] = []

if __name__ == "__main__":
    main()
