"""Read question files and write submissions."""
