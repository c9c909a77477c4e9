"""List the generators of hard questions. The contract is that of `generators.registry`.

Their drafts have `hard=True`. The stage takes them in their own share (`augment.hard_share`), after
it has balanced them against trivial solvers (`augment.hard_items`).
"""

from __future__ import annotations

from kofinlaw.augment.generators.registry import QuestionGenerator
from kofinlaw.augment.hard import (
    combinations,
    concepts,
    deadlines,
    delegated,
    double_sets,
    exception_sets,
    member_sets,
    minimal_sets,
    requirement_sets,
    sanctions,
    shares,
    topic_sets,
)
from kofinlaw.augment.tables import row_sets

__all__ = ["HARD_GENERATORS"]

HARD_GENERATORS: tuple[QuestionGenerator, ...] = (
    QuestionGenerator(minimal_sets.KINDS, minimal_sets.generate),
    QuestionGenerator(exception_sets.KINDS, exception_sets.generate),
    QuestionGenerator(requirement_sets.KINDS, requirement_sets.generate),
    QuestionGenerator(concepts.KINDS, concepts.generate),
    QuestionGenerator(member_sets.KINDS, member_sets.generate),
    QuestionGenerator(topic_sets.KINDS, topic_sets.generate),
    QuestionGenerator(double_sets.KINDS, double_sets.generate),
    QuestionGenerator(combinations.KINDS, combinations.generate),
    QuestionGenerator(delegated.KINDS, delegated.generate),
    QuestionGenerator(sanctions.KINDS, sanctions.generate),
    QuestionGenerator(deadlines.KINDS, deadlines.generate),
    QuestionGenerator(shares.KINDS, shares.generate),
    QuestionGenerator(row_sets.KINDS, row_sets.generate),
)
