"""What follows from a study for each goal, in plain words, and what may not be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# A judge that calls a reference better than a stranger's this seldom says nothing: 0.5 is chance.
LEAST_AUC = 0.7
Words = tuple[str, str]


def judge_note(scores: Mapping[str, Any]) -> dict[str, str] | None:
    """Whether the judge can tell a reference from a stranger's, with its unreadable share."""
    judge = scores.get("judge")
    if not judge:
        return None
    auc = {name: one["auc"] for name, one in judge["controls"].items()}
    cells = [one for by in judge["criteria"].values() for one in by.values()]
    asked = sum(one["verdicts"] for one in cells)
    unreadable = sum(one["unreadable"] for one in cells) / asked if asked else 0.0
    said = ", ".join(f"{name} {'–' if a is None else f'{a:.2f}'}" for name, a in auc.items())
    trusted = knows(scores)
    return {
        "ko": f"심판 {judge['judge']}: 모범 답과 남의 모범 답을 가려낸 정도(AUC, 0.5는 우연) "
        f"{said}; 읽을 수 없는 판정 {100 * unreadable:.0f}%. "
        + ("" if trusted else "가려내지 못하므로 판정 점수는 결론에 쓰지 않았습니다."),
        "en": f"Judge {judge['judge']}: references told from strangers' (AUC, 0.5 is chance) "
        f"{said}; {100 * unreadable:.0f}% of the verdicts unreadable. "
        + ("" if trusted else "It cannot tell them apart, so no conclusion rests on it."),
    }


def knows(scores: Mapping[str, Any]) -> bool:
    """Whether the judge of correctness tells references from strangers'."""
    controls = ((scores.get("judge") or {}).get("controls") or {}).get("correctness") or {}
    return (controls.get("auc") or 0.0) >= LEAST_AUC


def conclude(
    cells: Sequence[Mapping[str, Any]], scores: Mapping[str, Any]
) -> list[tuple[str, Words]]:
    """(goal, (Korean, English)) for each goal, kept apart: few are best in all of them."""
    out: list[tuple[str, Words]] = []
    for goal, field, what in (
        ("choice", "choice", ("객관식", "multiple choice")),
        ("free text", "free", ("주관식", "free text")),
    ):
        rows = [cell for cell in cells if cell[field]]
        if rows:
            out.append((goal, best_of(rows, field, what, scores)))
    if knows(scores):
        rows = [c for c in cells if ((c["judged"].get("correctness") or {}).get("figure"))]
        best = max(rows, key=lambda c: c["judged"]["correctness"]["figure"]["value"])
        share = 100 * best["judged"]["correctness"]["figure"]["value"]
        out.append(
            (
                "judged correctness",
                (
                    f"심판이 가장 옳다고 본 것은 {best['system']} ({share:.0f}점)입니다.",
                    f"The judge finds {best['system']} most correct ({share:.0f}).",
                ),
            )
        )
    timed = [cell for cell in cells if cell["p50"] is not None and cell["choice"]]
    if timed:
        out.append(("time", quickest(timed, scores)))
    priced = [cell for cell in cells if cell["tokens"] is not None and cell["choice"]]
    if priced:
        least = min(priced, key=lambda c: c["tokens"])
        most = max(priced, key=lambda c: c["tokens"])
        out.append(
            (
                "tokens",
                (
                    f"토큰을 가장 적게 쓰는 것은 {least['system']} "
                    f"(문항마다 {least['tokens']:.0f}), 가장 많이 "
                    f"쓰는 것은 {most['system']} ({most['tokens']:.0f})입니다.",
                    f"{least['system']} uses fewest tokens ({least['tokens']:.0f} a question), "
                    f"{most['system']} most ({most['tokens']:.0f}).",
                ),
            )
        )
    return out


def best_of(
    rows: Sequence[Mapping[str, Any]], field: str, what: Words, scores: Mapping[str, Any]
) -> Words:
    """The best by one figure, and which others cannot be told from it with these questions."""
    best = max(rows, key=lambda cell: cell[field]["value"])
    near = [
        cell["system"]
        for cell in rows
        if cell is not best and not differs(cell["system"], best["system"], field, scores)
    ]
    share = 100 * best[field]["value"]
    if len(near) == len(rows) - 1:
        return (
            f"{what[0]}에서 가장 높은 것은 {best['system']} ({share:.1f})이지만, 이만한 문항으로는 "
            "나머지 모두와 차이를 말할 수 없습니다.",
            f"{best['system']} is highest in {what[1]} ({share:.1f}), but with so few questions no "
            "other can be said to differ from it.",
        )
    told = len(rows) - 1 - len(near)
    korean = f"{what[0]}은 {best['system']} ({share:.1f})이 가장 높고 {told}개보다 분명히 낫습니다."
    english = f"{best['system']} is best in {what[1]} ({share:.1f}), beyond chance above {told}."
    if near:
        korean += f" 차이를 말할 수 없는 것: {', '.join(near)}."
        english += f" Not told from it: {', '.join(near)}."
    return korean, english


def differs(one: str, other: str, field: str, scores: Mapping[str, Any]) -> bool:
    """Whether two systems differ beyond chance: exact McNemar after Holm for multiple choice, a
    paired bootstrap interval without 0 for free text."""
    for pair in scores["pairs"]:
        if {pair["a"], pair["b"]} == {one, other}:
            if field == "choice":
                return bool(pair["p_holm"] < scores["settings"]["alpha"])
            low, high = pair["free_low"], pair["free_high"]
            return low is not None and (low > 0 or high < 0)
    return False


def quickest(rows: Sequence[Mapping[str, Any]], scores: Mapping[str, Any]) -> Words:
    """The quickest of those that cannot be told from the best in multiple choice."""
    best = max(rows, key=lambda cell: cell["choice"]["value"])
    as_good = [
        cell
        for cell in rows
        if cell is best or not differs(cell["system"], best["system"], "choice", scores)
    ]
    fast = min(as_good, key=lambda cell: cell["p50"])
    slow = max(rows, key=lambda cell: cell["p50"])
    return (
        f"객관식에서 가장 나은 것과 차이를 말할 수 없는 것 가운데 가장 빠른 것은 {fast['system']} "
        f"(P50 {fast['p50']:.2f}초)이고, 가장 느린 것은 {slow['system']} "
        f"({slow['p50']:.2f}초)입니다.",
        f"Of those not told from the best in multiple choice {fast['system']} is quickest "
        f"(P50 {fast['p50']:.2f} s); {slow['system']} is slowest ({slow['p50']:.2f} s).",
    )
