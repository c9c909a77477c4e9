"""The parts of `verify_citations.py`."""
