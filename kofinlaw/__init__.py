"""kofinlaw: build and prove Korean finance and law models on one card.

In: a recipe and a folder of documents. Out: a merged checkpoint, the proof that it
behaves like the model that was trained, its answers before a deadline, and a report.
The rooms are `data`, `models`, `augment`, `trainer`, `rag`, `scoring` and `recipes`.
"""

from __future__ import annotations

from kofinlaw.errors import UserError
from kofinlaw.progress import Progress, silent

__version__ = "0.1.0"

__all__ = ["Progress", "UserError", "__version__", "silent"]
