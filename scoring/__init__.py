"""Scores one can trust, and a report one would show.

In: questions, keys, answers and the run's records. Out: scores with intervals and paired
tests, the proof of the merge, and the report.
"""

from __future__ import annotations

from kofinlaw.scoring.settings import ScoreSettings

__all__ = ["ScoreSettings"]
