"""Parts of `attack.py`: each part attacks one side of the product and returns its counts."""
