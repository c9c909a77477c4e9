"""Rate the answers of systems to an exam, and those of solvers on the evidence they were shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.records import Key, Question
from kofinlaw.scoring.answers import read_answers
from kofinlaw.scoring.exams.solver_credit import evidence_credit, evidence_free_credit
from kofinlaw.scoring.metrics.fsku import label_of
from kofinlaw.scoring.shown import shown_texts

__all__ = ["RatedExam", "average_seeds", "rate_exam"]

Credit = Mapping[str, float]  # 0..1 by question id


@dataclass(frozen=True)
class RatedExam:
    """The credit of every system and solver on each question of one exam.

    - `systems`, `solvers`: credit by name and question id;
    - `reads`: by solver, the systems whose evidence it reads;
    - `plans`: by system, how many questions were answered under which plan;
    - `unreadable`: by system, the ids of the questions whose answer names no option;
    - `pooled_slice`: the slice that tests over several exams use (empty: all questions);
    - `seeds`: how many runs the systems' credit averages.
    """

    name: str
    questions: tuple[Question, ...]
    keys: Mapping[str, Key]
    systems: Mapping[str, Credit]
    solvers: Mapping[str, Credit]
    reads: Mapping[str, tuple[str, ...]]
    plans: Mapping[str, Mapping[str, int]]
    pooled_slice: str = ""
    seeds: int = 1
    unreadable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def rate_exam(
    name: str,
    questions: Sequence[Question],
    keys: Sequence[Key],
    answers: Mapping[str, Path],
    *,
    pooled_slice: str = "",
) -> RatedExam:
    """Rate one exam. A missing answer, and one that names no option, counts as wrong.

    Args:
        name: Names the exam.
        questions: Its questions, all with options.
        keys: Their keys.
        answers: By system, its answer folder: `answers.jsonl`, and `plan.jsonl` with the packed
            evidence of each prompt, which the solvers read.
        pooled_slice: The slice that tests over several exams use; empty: all questions.

    Raises UserError for unreadable answers, or if the exam has no question in `pooled_slice`.
    """
    golds = {key.id: key for key in keys}
    if pooled_slice and not any(pooled_slice in golds[q.id].slices for q in questions):
        found = sorted({s for key in keys for s in key.slices})
        raise UserError(
            f"the exam `{name}` has no question in the slice `{pooled_slice}`",
            where="evaluate.exam",
            remedy=f"its slices are {', '.join(found)}",
        )
    systems: dict[str, Credit] = {}
    unreadable: dict[str, tuple[str, ...]] = {}
    solvers = evidence_free_credit(questions, golds)
    reads: dict[str, tuple[str, ...]] = dict.fromkeys(solvers, ())
    by_evidence: list[tuple[dict[str, tuple[str, ...]], list[str]]] = []
    for system, folder in answers.items():
        given = read_answers(folder / "answers.jsonl", [q.id for q in questions]).answers
        labels = {q.id: label_of(given[q.id].answer, q.options) for q in questions if q.id in given}
        systems[system] = {q.id: float(labels.get(q.id) in golds[q.id].labels) for q in questions}
        unreadable[system] = tuple(
            name for name, label in labels.items() if not label and given[name].answer.strip()
        )
        shown = shown_texts(folder)
        if any(shown.values()):
            same = next((names for texts, names in by_evidence if texts == shown), None)
            if same is None:
                by_evidence.append((shown, [system]))
            else:
                same.append(system)
    for shown, names in by_evidence:
        for solver, credit in evidence_credit(questions, golds, shown).items():
            row = solver if len(by_evidence) == 1 else f"{solver}:{names[0]}"
            solvers[row] = credit
            reads[row] = tuple(names)
    plans = {system: _plans(folder) for system, folder in answers.items()}
    return RatedExam(
        name,
        tuple(questions),
        golds,
        systems,
        solvers,
        reads,
        plans,
        pooled_slice,
        unreadable=unreadable,
    )


def average_seeds(rated: RatedExam) -> RatedExam:
    """Return the exam with the systems `NAME#1`, `NAME#2`, … averaged within each question.

    They are seeds of one system, which becomes `NAME`. A solver reads what its first seed reads.
    """
    groups: dict[str, list[str]] = {}
    for name in rated.systems:
        groups.setdefault(name.partition("#")[0], []).append(name)
    first = {names[0]: group for group, names in groups.items()}
    return replace(
        rated,
        systems={
            group: {
                q.id: sum(rated.systems[name][q.id] for name in names) / len(names)
                for q in rated.questions
            }
            for group, names in groups.items()
        },
        reads={
            solver: tuple(first[name] for name in names if name in first)
            for solver, names in rated.reads.items()
        },
        plans={
            group: dict(sum((Counter(rated.plans[name]) for name in names), Counter()))
            for group, names in groups.items()
        },
        seeds=max(map(len, groups.values())),
        unreadable={
            group: tuple(i for name in names for i in rated.unreadable.get(name, ()))
            for group, names in groups.items()
        },
    )


def _plans(folder: Path) -> dict[str, int]:
    """Return how many questions were answered under which plan in their first turn."""
    if not (folder / "plan.jsonl").is_file():
        return {}
    rows = (row for _, row in read_json_lines(folder / "plan.jsonl"))
    first = (row for row in rows if row.get("turn") == 0)
    return dict(Counter("failed" if row.get("failed") else str(row.get("plan")) for row in first))
