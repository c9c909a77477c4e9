"""Write the figures of exams as Markdown tables, and choose what a page shows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.scoring.claims import PLAN_TOLERANCE
from kofinlaw.scoring.exams.exam_record import ExamComparison, ExamRecord, ExamsRecord
from kofinlaw.scoring.markdown import percent
from kofinlaw.scoring.value_text import Words, p_text
from kofinlaw.texts import markdown_text

__all__ = ["exam_notes", "exams_markdown", "other_plans", "shown_rows", "shown_slices", "untested"]

# Slices in this order; then the others by name.
_FIRST = ("positive", "negative", "rows:odd", "rows:even")
_HIDDEN = ("options-", "article-quoted", "numeric")
MOST_SLICES = 16


def exams_markdown(record: ExamsRecord) -> str:
    """Return one table an exam, its slices, the comparisons, and those over all exams."""
    lines: list[str] = []
    for exam in record["exams"]:
        lines += ["", f"### {markdown_text(exam['name'])}", "", *_accuracy_lines(exam), ""]
        lines += [*_slice_lines(exam), "", *_comparison_lines(exam["comparisons"], [exam])]
        lines += [f"\n- {markdown_text(english)}" for _, english in exam_notes(exam)]
    if record["pooled"]:
        lines += ["", "### all exams", "", *_comparison_lines(record["pooled"], record["exams"])]
    return "\n".join(lines).strip() + "\n"


def shown_rows(exam: ExamRecord) -> list[str]:
    """Return the columns of the slice table: every system, and the best solvers."""
    return [row["name"] for row in exam["rows"] if row["kind"] == "system" or row["best"]]


def shown_slices(exam: ExamRecord) -> list[str]:
    """Return the slices that a page shows, at most MOST_SLICES: stems, halves, then the largest."""
    figures = exam["rows"][0]["slices"]
    first = [name for name in _FIRST if name in figures]
    others = [n for n in figures if n not in first and not n.startswith(_HIDDEN)]
    others.sort(key=lambda name: (-exam["slices"][name], name))
    return [*first, *sorted(others[: MOST_SLICES - len(first)])]


def other_plans(exam: ExamRecord) -> list[Words]:
    """Return a sentence (Korean, English) for each system that did not answer every question under
    the full plan.
    """
    notes = []
    for name, plans in exam["plans"].items():
        others = {plan: count for plan, count in plans.items() if plan != FULL.name}
        if others:
            counted = ", ".join(f"{plan} {count}" for plan, count in sorted(others.items()))
            notes.append(
                (
                    f"{name}: full이 아닌 답변 계획으로 답한 문항이 있어({counted}) 같은 조건의 "
                    "비교가 아닙니다",
                    f"{name}: not every question was answered under the full plan ({counted}), so "
                    "the comparison is not under one plan",
                )
            )
    return notes


def exam_notes(exam: ExamRecord) -> list[Words]:
    """Return what a reader must know of an exam's answers: `other_plans`, and how many could not
    be read.
    """
    unread = [
        (
            f"{name}: 어느 보기인지 읽을 수 없어 오답으로 센 답 {count}",
            f"{name}: {count} answers that name no option, counted as wrong",
        )
        for name, count in exam.get("unreadable", {}).items()
        if count
    ]
    return [*other_plans(exam), *unread]


def untested(one: ExamComparison, exams: Sequence[ExamRecord]) -> bool:
    """Return whether two systems were asked under different plans in one of these exams.

    A paired test would then compare the plans, so its result is not shown. A solver reads what its
    system was shown, so it is always asked under the same conditions.
    """
    for exam in exams:
        plans = [exam["plans"][name] for name in (one["a"], one["b"]) if name in exam["plans"]]
        if len(plans) == 2 and _other_items(*plans) > PLAN_TOLERANCE * exam["n"]:
            return True
    return False


def _other_items(first: Mapping[str, int], second: Mapping[str, int]) -> int:
    """Return the fewest questions that must have had different plans, by the counts of each."""
    return max(
        sum(max(count - other.get(plan, 0), 0) for plan, count in plans.items())
        for plans, other in ((first, second), (second, first))
    )


def _accuracy_lines(exam: ExamRecord) -> list[str]:
    lines = ["| system or solver | questions | right % |", "| --- | ---: | --- |"]
    for row in exam["rows"]:
        shown = markdown_text(row["name"])
        name = shown if row["kind"] == "system" else f"*{shown}*"
        lines.append(f"| {name} | {row['all']['n']} | {percent(row['all'])} |")
    return lines


def _slice_lines(exam: ExamRecord) -> list[str]:
    names = shown_rows(exam)
    rows = {row["name"]: row for row in exam["rows"]}
    lines = [
        "| slice | n | " + " | ".join(map(markdown_text, names)) + " |",
        "| --- |" + " ---: |" * (1 + len(names)),
    ]
    for part in shown_slices(exam):
        found = [rows[name]["slices"].get(part) for name in names]
        cells = [f"{100 * figure['value']:.1f}" if figure else "–" for figure in found]
        lines.append(
            f"| {markdown_text(part)} | {exam['slices'][part]} | " + " | ".join(cells) + " |"
        )
    return lines


def _comparison_lines(
    comparisons: Sequence[ExamComparison], exams: Sequence[ExamRecord]
) -> list[str]:
    lines = ["| pair | questions | difference, points | only first | only second | p |"]
    lines.append("| --- | ---: | --- | ---: | ---: | ---: |")
    for one in comparisons:
        part = f" ({one['slice']})" if one["slice"] else ""
        low, high = 100 * one["low"], 100 * one["high"]
        points = f"{100 * one['difference']:+.1f} [{low:+.1f}, {high:+.1f}]"
        cells = [markdown_text(f"{one['a']} → {one['b']}{part}"), str(one["n"]), points]
        tested = p_text(one["p_value"])
        if untested(one, exams):
            cells[-1], tested = f"{100 * one['difference']:+.1f}", "not tested"
        cells += [str(one["only_a"]), str(one["only_b"]), tested]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
