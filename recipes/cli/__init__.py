"""The command line `kofinlaw`: one file for each group of commands."""
