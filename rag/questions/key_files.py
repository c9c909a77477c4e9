"""Read the right answers of questions: JSON Lines of keys, in any form that answers have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.files import read_json_lines
from kofinlaw.rag.questions.answer_labels import key_labels
from kofinlaw.rag.questions.field_names import (
    ANSWER_NAMES,
    ID_NAMES,
    field_named,
    text_of_field,
)
from kofinlaw.records import Key, Question, from_json

__all__ = ["key_answer", "read_keys"]

_ASKS_ALL = re.compile(
    r"모두\s?(?:고르|선택|찾)(?:시오|세요|라|십시오)|전부\s?고르|있는\s?대로\s?(?:고르|선택)"
    r"|(?:all|any)\s+that\s+apply",
    re.IGNORECASE,
)


def read_keys(path: Path, questions: Iterable[Question] = ()) -> list[Key]:
    """Read keys and normalise their answers to labels of the questions' options.

    A line has the fields of `Key`; `id` and `answer` may have other names (`번호`, `정답`). An
    answer is read as `key_labels` reads it. Keys of other questions are kept unchanged.

    Raises UserError, with file and line, for a line that is no key, an id that is used twice, and
    an answer that names no option.
    """
    if not path.is_file():
        raise UserError("the key does not exist", where=str(path), remedy="check the path")
    asked = {question.id: question for question in questions}
    keys: list[Key] = []
    lines: dict[str, int] = {}
    for line, value in read_json_lines(path):
        where = f"{path}:{line}"
        key, answer = _key_of(value, where)
        if key.id in lines:
            raise UserError(
                f"the id `{key.id}` is used on line {lines[key.id]} already",
                where=where,
                remedy="give each key the id of one question",
            )
        lines[key.id] = line
        question = asked.get(key.id)
        if question is not None and question.options:
            key = replace(key, answer=key_answer(answer, question, where))
        keys.append(key)
    return keys


def key_answer(answer: object, question: Question, where: str) -> str:
    """Return the labels of the right options of a question, with commas (`1`, `1,3`).

    Raises UserError, with `where`, if the answer names none, and for several right answers to a
    question that asks for all of them: an answer is one option.
    """
    labels = key_labels(answer, question.options)
    if not labels:
        shown = answer if isinstance(answer, str) else str(answer)
        raise UserError(
            f"the answer {shown!r} names none of the {len(question.options)} options"
            if text_of_field(answer) or isinstance(answer, (list, tuple))
            else "the answer is empty",
            where=where,
            remedy=f"write a number from 1 to {len(question.options)}; several right answers as "
            "`1,3`, of which any one counts",
        )
    if 1 < len(labels) < len(question.options) and _ASKS_ALL.search(question.question):
        raise UserError(
            f"the question asks for all right options, and its key names {len(labels)}: an answer "
            "is one option, so this form cannot be scored",
            where=where,
            remedy="offer the combinations as options (`① ㄱ, ㄷ`), or remove the question",
        )
    return ",".join(labels)


def _key_of(value: Mapping[str, object], where: str) -> tuple[Key, object]:
    """Return a line as a key, and its answer as the line has it."""
    names: Sequence[str] = tuple(value)
    fields = dict(value)
    for wanted, aliases in (("id", ID_NAMES), ("answer", ANSWER_NAMES)):
        name = field_named(names, aliases)
        if wanted not in fields and name is not None:
            fields[wanted] = fields.pop(name)
    answer = fields.get("answer", "")
    fields["answer"] = text_of_field(answer)
    if "id" in fields:
        fields["id"] = text_of_field(fields["id"])
    try:
        return from_json(Key, fields), answer
    except TypeError as error:
        raise UserError(
            f"not a Key record: {error}",
            where=where,
            remedy='write {"id": …, "answer": "1"} in each line',
        ) from error
