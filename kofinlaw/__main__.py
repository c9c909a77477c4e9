"""Run the command line as `python -m kofinlaw`."""

from kofinlaw.recipes.cli.entry import main

if __name__ == "__main__":
    main()
