"""Score answers with intervals, baselines and paired tests, and report the results.

In: questions, keys, answers and the records of a run. Out: scores with intervals, paired tests and
trivial baselines, the figures of a judge, and the report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kofinlaw.lazy import lazy_exports

if TYPE_CHECKING:
    from kofinlaw.scoring.compare import compare_runs, compare_systems
    from kofinlaw.scoring.report.write import write_report
    from kofinlaw.scoring.score import score_answers
    from kofinlaw.scoring.settings import JudgeSettings, ScoreSettings
    from kofinlaw.scoring.stats.paired import mcnemar_exact
    from kofinlaw.scoring.system_scores import score_system

__all__ = [
    "JudgeSettings",
    "ScoreSettings",
    "compare_runs",
    "compare_systems",
    "mcnemar_exact",
    "score_answers",
    "score_system",
    "write_report",
]
_EXPORTS = {
    "JudgeSettings": "kofinlaw.scoring.settings",
    "ScoreSettings": "kofinlaw.scoring.settings",
    "compare_runs": "kofinlaw.scoring.compare",
    "compare_systems": "kofinlaw.scoring.compare",
    "mcnemar_exact": "kofinlaw.scoring.stats.paired",
    "score_answers": "kofinlaw.scoring.score",
    "score_system": "kofinlaw.scoring.system_scores",
    "write_report": "kofinlaw.scoring.report.write",
}

__getattr__, __dir__ = lazy_exports(__name__, _EXPORTS)
