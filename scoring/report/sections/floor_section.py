"""Say in the report which questions the index refuses, and how often it is wrong about that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kofinlaw.rag.abstention.floor import Floor
from kofinlaw.scoring.value_text import Words
from kofinlaw.tolerant_files import read_json

__all__ = ["floor_words", "read_floor"]


def read_floor(run: Path) -> Mapping[str, object] | None:
    """Return the record of the floor of a run's index; None if there is no index or no floor."""
    meta = read_json(run / "index" / "index.json") or {}
    floor = meta.get("floor")
    return floor if isinstance(floor, dict) else None


def floor_words(record: Mapping[str, object] | None, abstain: str) -> Words | None:
    """Return the paragraph on the floor, in Korean and English; None without a floor.

    `abstain` is the recipe's `answer.abstain`: without refusals there is nothing to say.
    """
    floor = Floor.from_record(record) if record is not None else None
    if floor is None or abstain == "never":
        return None
    if floor.assumed:
        return (
            f"기준값 {floor.threshold:.2f}보다 점수가 낮은 질문에는 답하지 않습니다. 문서가 적어 "
            f"질문 {floor.questions}개로는 기준값을 정할 수 없어 가정한 값을 씁니다.",
            f"Questions with a score below {floor.threshold:.2f} are refused. The documents give "
            f"{floor.questions} questions, which is too few to set the floor, so it is assumed.",
        )
    korean = (
        f"점수가 {floor.threshold:.2f}보다 낮은 질문에는 답하지 않습니다. 기준값은 문서에서 "
        f"규칙으로 만든 질문 {floor.questions}개로 정했고, 답이 있는 질문을 거절할 확률의 한도는 "
        f"{floor.rate:.0%}입니다."
    )
    english = (
        f"Questions with a score below {floor.threshold:.2f} are refused. {floor.questions} "
        "questions made from the documents by rule set this floor; the bound on refused answerable "
        f"questions is {floor.rate:.0%}."
    )
    if floor.refused is not None:
        korean += f" 정하는 데 쓰지 않은 절반에서 {floor.refused:.0%}를 거절했습니다."
        english += f" On the half that did not set it, {floor.refused:.0%} are refused."
    if floor.passed is not None:
        korean += f" 답이 있는 문서를 숨겨도 {floor.passed:.0%}가 통과했습니다."
        english += f" With the document that answers hidden, {floor.passed:.0%} pass."
    return (
        f"{korean} 업무와 무관한 질문은 {floor.off_topic:.0%}가 통과했습니다.",
        f"{english} Of questions on other subjects {floor.off_topic:.0%} pass.",
    )
