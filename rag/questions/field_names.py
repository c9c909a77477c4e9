"""Find the fields of questions, keys and answers under the names that people give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kofinlaw.data.korean.words import normalise

__all__ = [
    "ANSWER_NAMES",
    "GIVEN_NAMES",
    "ID_NAMES",
    "OPTION_NAMES",
    "QUESTION_NAMES",
    "field_named",
    "field_of",
    "text_of_field",
]

# The names of a field in any case, the most common one first.
ID_NAMES = ("id", "question_id", "qid", "번호", "문항번호", "문제번호", "no")
QUESTION_NAMES = ("question", "질문", "문제", "문항", "question_text", "query")
OPTION_NAMES = ("options", "choices", "보기", "선택지", "선지", "답지", "candidates")
# Right answers, and the answers of a system.
ANSWER_NAMES = ("answer", "정답", "답", "정답번호", "answer_key", "correct_answer", "gold", "label")
GIVEN_NAMES = (
    "answer",
    "답",
    "답안",
    "prediction",
    "predicted",
    "pred",
    "예측",
    "응답",
    "정답",
    "output",
)


def field_named(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """Return the first of the wanted names that a row has, as the row spells it; None without."""
    found = {normalise(name).strip().lstrip("\ufeff").casefold(): name for name in names}
    return next((found[name] for name in wanted if name in found), None)


def field_of(row: Mapping[str, object], wanted: Sequence[str]) -> object:
    """Return the value of the first of the wanted fields that a row has; None without."""
    name = field_named(tuple(row), wanted)
    return None if name is None else row[name]


def text_of_field(value: object) -> str:
    """Return a cell or a JSON value as text; empty for none. Whole numbers have no fraction."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
