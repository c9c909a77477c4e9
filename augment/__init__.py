"""Generate training examples and held-out questions from a corpus of law, and check each one.

In: the articles and chunks of a corpus. Out: `examples.jsonl`, held-out questions with their keys,
`rejected.jsonl`, the ledger of a teacher and a data card. `generate_examples` is the entry point.

To add a kind of question, read `kofinlaw.augment.generators.registry`: a generator yields `Draft`s
from a `Law`, and `GROUNDED_GENERATORS` lists all generators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.augment.augment_counts import AugmentCounts
    from kofinlaw.augment.generators.drafts import Draft
    from kofinlaw.augment.generators.registry import (
        QuestionGenerator,
        draft_questions,
    )
    from kofinlaw.augment.reading.acts import Law, Laws, read_laws
    from kofinlaw.augment.settings import AugmentSettings
    from kofinlaw.augment.stage import generate_examples

__all__ = [
    "AugmentCounts",
    "AugmentSettings",
    "Draft",
    "Law",
    "Laws",
    "QuestionGenerator",
    "draft_questions",
    "generate_examples",
    "read_laws",
]

_EXPORTS = {
    "AugmentCounts": "kofinlaw.augment.augment_counts",
    "AugmentSettings": "kofinlaw.augment.settings",
    "Draft": "kofinlaw.augment.generators.drafts",
    "Law": "kofinlaw.augment.reading.acts",
    "Laws": "kofinlaw.augment.reading.acts",
    "QuestionGenerator": "kofinlaw.augment.generators.registry",
    "draft_questions": "kofinlaw.augment.generators.registry",
    "generate_examples": "kofinlaw.augment.stage",
    "read_laws": "kofinlaw.augment.reading.acts",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
