"""Check the optional packages of kofinlaw from outside: do they install, and do their names exist?

`make check-extras` runs them. They need a package index and up to 15 GB of disk, so they are not
among the tests.
"""
