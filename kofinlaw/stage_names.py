"""Name the stages of a run in their order, for every package that reads a run's folder."""

from __future__ import annotations

__all__ = ["FIRST_STAGES", "LAST_STAGES", "MAIN_STAGES", "REPORT_STAGE", "TRAINING_STAGES"]

# Before and after the stages that answer, whose names depend on the recipe.
FIRST_STAGES = (
    "data",
    "index",
    "augment",
    "questions",
    "evidence",
    "train",
    "merge",
    "verify",
    "export",
)
LAST_STAGES = ("submission", "score", "exams")
REPORT_STAGE = "report"
TRAINING_STAGES = ("augment", "train", "merge", "verify")
# The stages of a recipe that trains and has test questions.
MAIN_STAGES = ("data", "index", *TRAINING_STAGES, "score")
