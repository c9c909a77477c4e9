"""Write what a reader must know before relying on the scores, in Korean and English."""

from __future__ import annotations

from typing import Literal

from kofinlaw.scoring.claims import (
    pairs_with_other_plans,
    reduced_plans,
    unequal_plans,
    without_shown_text,
)
from kofinlaw.scoring.report.labels import pair_label, system_label
from kofinlaw.scoring.report.report_record import MergeFigures
from kofinlaw.scoring.report.wording.machine_words import PLANS
from kofinlaw.scoring.scores_record import ScoresRecord
from kofinlaw.scoring.value_text import Words

__all__ = ["FAULTS", "Fault", "merge_warnings", "plan_warnings", "score_warnings"]

Fault = Literal["missing", "unreadable", "duplicates", "foreign"]
FAULTS: dict[Fault, Words] = {
    "missing": ("답이 없어 오답으로 센 문항", "unanswered items, counted as wrong"),
    "unreadable": (
        "어느 보기인지 읽을 수 없어 오답으로 센 답",
        "answers that name no option, counted as wrong",
    ),
    "duplicates": ("두 번 답해 첫 답만 센 문항", "items answered twice, the first answer counts"),
    "foreign": ("묻지 않은 문항에 대한 답(무시함)", "answers to other questions, ignored"),
}


def score_warnings(scores: ScoresRecord) -> list[Words]:
    """Return what a reader must know before relying on the scores."""
    out = []
    for name, system in scores["systems"].items():
        korean, english = system_label(name)
        for field, (ko, en) in FAULTS.items():
            count = len(system[field])
            if count:
                out.append((f"{korean}: {ko} {count}", f"{english}: {count} {en}"))
        if system["fallbacks"]:
            count = system["fallbacks"]
            out.append(
                (
                    f"{korean}: 모델이 아니라 대체 규칙이 쓴 답 {count}",
                    f"{english}: {count} answers by the fallback rule, not by the model",
                )
            )
        if refused := system.get("abstained"):
            out.append(
                (
                    f"{korean}: 답하기를 거절한 주관식 문항 {refused}(answer.abstain). "
                    "거절 문장을 답으로 채점",
                    f"{english}: {refused} free-text questions refused (answer.abstain); the "
                    "refusal is scored as the answer",
                )
            )
    out += plan_warnings(scores)
    unkeyed = scores["counts"].get("without_key")
    if unkeyed:
        out.append(
            (f"정답이 없어 채점하지 않은 문항 {unkeyed}", f"{unkeyed} questions without a key")
        )
    return out


def plan_warnings(scores: ScoresRecord) -> list[Words]:
    """Return where answers had less than the full plan, where two systems were asked differently,
    and where the baselines could not read the shown text.
    """
    out = []
    for name, system in scores["systems"].items():
        reduced = reduced_plans(system)
        if reduced:
            korean, english = system_label(name)
            count, total = sum(reduced.values()), sum(system["plans"].values())
            plans = [(PLANS.get(plan, (plan, plan)), n) for plan, n in reduced.items()]
            in_korean = ", ".join(f"{label[0]} {n}" for label, n in plans)
            in_english = ", ".join(f"{label[1]} {n}" for label, n in plans)
            out.append(
                (
                    f"{korean}: 답 {total}개 가운데 {count}개를 줄인 답변 계획으로 "
                    f"만들었습니다({in_korean})",
                    f"{english}: {count} of {total} answers under a plan other than full "
                    f"({in_english})",
                )
            )
    for pair in pairs_with_other_plans(scores):
        korean, english = pair_label(pair["a"], pair["b"])
        count = pair["other_plans"]
        ko = f"{korean}: 서로 다른 답변 계획으로 물은 문항 {count}, 같은 조건의 비교가 아닙니다"
        en = f"{english}: {count} items asked under different plans, so the comparison is not "
        en += "under equal conditions"
        if unequal_plans(pair):
            ko += ". 그래서 대응 표본 검정 결과를 보이지 않습니다"
            en += "; the paired test is not shown"
        out.append((ko, en))
    for name in without_shown_text(scores):
        korean, english = system_label(name)
        out.append(
            (
                f"{korean}: 프롬프트의 텍스트가 기록되지 않아 기준선이 검색된 청크 전체를 "
                "읽었습니다",
                f"{english}: the text of the prompts is not recorded, so the baselines read whole "
                "retrieved passages",
            )
        )
    return out


def merge_warnings(merge: MergeFigures | None) -> list[Words]:
    """Return a warning if the merge was not proven."""
    result = str((merge or {}).get("verdict", "")).lower()
    if result in {"", "pass", "passed", "ok", "true"}:
        return []
    return [
        ("병합 증명을 통과하지 못했습니다.", "The merge was not proven."),
    ]
