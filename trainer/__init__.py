"""Supervised fine-tuning that fits and stays exact; merge, convert, export.

In: examples and a base model. Out: an adapter with its record, a merged checkpoint, exports.
"""
