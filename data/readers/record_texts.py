"""Write a record as a text: court decisions by issue, questions with their answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal

from kofinlaw import UserError
from kofinlaw.decoding import clean_text

__all__ = ["Form", "clean_column", "csv_text", "has_title", "record_form", "record_text"]

# How the rows of a table are read: one document each (with a text, or with a question and its
# answer), refused as exam questions, or together as one table.
Form = Literal["record", "faq", "exam", "table"]

_DEFAULTS = {
    "text": ("text", "본문", "내용", "content", "body"),
    "title": ("title", "제목", "사건명", "name"),
    "date": ("date", "as_of", "시행일자", "선고일자", "날짜"),
    "license": ("license", "라이선스", "이용조건"),
    "kind": ("kind", "종류"),
}
_QUESTIONS = (
    "질문", "질문내용", "질의", "질의내용", "문의", "문의내용", "물음",
    "question", "questions", "q",
)  # fmt: skip
_ANSWERS = (
    "답변", "답변내용", "회신", "회신내용", "답", "answer", "answers", "a", "response", "reply",
)  # fmt: skip
_OPTIONS = ("options", "choices", "선택지", "보기", "보기1", "선택지1", "option1", "choice1")
_ROW_NUMBERS = ("번호", "순번", "연번", "no", "no.", "id", "idx", "index", "#")
_LONGEST_HEADING = 120  # characters of a question that becomes a heading
_ISSUE = re.compile(r"(?:^|(?<=\]))[^\S\n]*\[(\d+)\]", re.MULTILINE)
_CITED = re.compile(r"\[(\d{1,2})\]")  # the articles of all issues are on one line


def clean_column(column: str) -> str:
    """Return the name of a column as it is compared: clean, without blanks around it."""
    return clean_text(column).strip()


def record_form(names: Iterable[str], columns: Mapping[str, str]) -> Form:
    """Return how rows with these column names are read.

    `columns` are the names that the source maps; with them every row is a record.
    """
    names = list(names)
    if columns or {"판시사항", "사건번호"} <= set(names):
        return "record"
    keys = {_key(name) for name in names}
    question = _find(names, _QUESTIONS)
    if question and ({"a", "b", "c", "d"} <= keys or keys & set(_OPTIONS)):
        return "exam"
    answer, text = _find(names, _ANSWERS), _find(names, _DEFAULTS["text"])
    if (question and (answer or text)) or (answer and has_title(names)):
        return "faq"
    return "record" if text else "table"


def has_title(names: Iterable[str]) -> bool:
    """Return whether one of the column names is that of a title."""
    return bool(_find(names, _DEFAULTS["title"]))


def csv_text(
    record: Mapping[str, str], columns: Mapping[str, str], given: Sequence[str]
) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of a row of CSV, see `record_text`.

    A column that repeats the name of another (in `given`, the header) follows the text as
    `name 3: value`.
    """
    text, meta = record_text(record, columns)
    if record_form(record, columns) == "record" and text.strip():
        known = {clean_column(name) for name in given}
        text = "\n\n".join([text, *_others(record, [name for name in record if name in known])])
    return text, meta


@lru_cache(1024)
def _key(name: str) -> str:
    return re.sub(r"\s+", "", clean_column(name)).lower()


@lru_cache(64)
def _by_key(names: tuple[str, ...]) -> dict[str, str]:
    return {_key(name): name for name in reversed(names)}


def _find(names: Iterable[str], wanted: Iterable[str]) -> str:
    """Return the column with the first of the wanted names; empty if there is none."""
    known = _by_key(tuple(names))
    return next((known[name] for name in wanted if name in known), "")


def record_text(
    row: Mapping[str, str], columns: Mapping[str, str], *, rest: bool = False
) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of a record: a court decision by issue, a question with its
    answer, else the text column.

    Args:
        row: The record by column name.
        columns: Names of the columns of `text`, `title`, `date`, `license` and `kind`.
        rest: Whether the other columns follow the text as `column: value`. They always follow a
            question and its answer.

    Raises UserError if a mapped column is missing, if there is no text column, or if the columns
    are those of exam questions.
    """
    form = record_form(row, columns)
    if "판시사항" in row and "사건번호" in row and "text" not in columns:
        return _decision(row)
    if form == "exam":
        raise UserError(
            f"the columns {', '.join(row)} are those of exam questions, which are no documents",
            remedy="remove the file from the source",
        )
    mapped = {field: clean_column(column) for field, column in columns.items()}
    missing = [column for column in mapped.values() if column not in row]
    if missing:
        raise UserError(f"no column {', '.join(missing)}; the columns are {', '.join(row)}")
    found = {}
    for field, names in _DEFAULTS.items():
        found[field] = mapped.get(field) or _filled(row, names)
    if form == "faq":
        return _faq(row, found)
    if not found["text"]:
        raise UserError(
            f"no text column; the columns are {', '.join(row)}",
            remedy="name it: columns: {text: COLUMN} in the source",
        )
    text = row[found["text"]]
    if rest and text.strip():
        text = "\n\n".join([text, *_others(row, found.values())])
    return text, _front_matter(row, found)


def _filled(row: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the first of these columns that has a value, else the first that exists."""
    columns = [column for name in names if (column := _find(row, [name]))]
    return next((column for column in columns if row[column]), next(iter(columns), ""))


def _front_matter(row: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    return {
        field: row[column] for field, column in found.items()
        if field != "text" and column and row[column]
    }  # fmt: skip


def _faq(row: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return a question with its answer and the other columns; empty without an answer.

    A question on one line becomes the heading of its answer, so that both stay together and the
    question is not read as an answer.
    """
    question = _find(row, _QUESTIONS) or found["title"]
    answer = _find(row, _ANSWERS) or found["text"]
    if not row[answer].strip():
        return "", {}
    meta = {**found, "title": "" if found["title"] == question else found["title"]}
    asked, reply = row[question].strip(), row[answer].strip()
    if asked and "\n" not in asked and len(asked) <= _LONGEST_HEADING:
        lines = [f"## {asked}", reply]
    else:
        lines = [f"질문: {asked}", f"답변: {reply}"]
    used = [question, answer, *(column for field, column in meta.items() if field != "text")]
    return "\n\n".join([*lines, *_others(row, used)]), _front_matter(row, meta)


def _others(row: Mapping[str, str], used: Iterable[str]) -> Iterator[str]:
    """Yield the other columns with a value as `column: value`, without row numbers."""
    known = set(used)
    for name, value in row.items():
        number = _key(name) in _ROW_NUMBERS and value.strip().isdigit()
        if name not in known and value.strip() and not number:
            yield f"{name}: {value.strip()}"


def _decision(row: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return a court decision: each issue (판시사항) under its number, with its holding (판결요지)
    and the articles that it rests on (참조조문).

    Articles without a number, or with a number that no issue has, get a section of their own.
    """
    title = " ".join(filter(None, [row.get("법원명", ""), row.get("사건번호", "")])).strip()
    issues, holdings = (_numbered(row.get(name, ""), _ISSUE) for name in ("판시사항", "판결요지"))
    numbers = list(dict.fromkeys([*issues, *holdings]))
    cited = _numbered(row.get("참조조문", ""), _CITED)
    if set(cited) <= {""} and len(numbers) == 1:
        cited = dict.fromkeys(numbers, cited.get("", ""))
    lines = [f"# {title}", ""]
    for number in numbers:
        lines += [f"## {f'[{number}]' if number else '판시사항'}", ""]
        for name, texts in (("판시사항", issues), ("판결요지", holdings), ("참조조문", cited)):
            if texts.get(number):
                lines += [f"{name}: {texts[number]}", ""]
    rest = "\n".join(
        f"[{number}] {text}" if number else text
        for number, text in cited.items()
        if number not in numbers and text
    )
    for name, text in (("참조조문", rest), ("참조판례", row.get("참조판례", "").strip())):
        if text:
            lines += [f"## {name}", "", text, ""]
    meta = {"title": title, "date": row.get("선고일자", ""), "사건번호": row["사건번호"]}
    return "\n".join(lines), meta


def _numbered(text: str, mark: re.Pattern[str]) -> dict[str, str]:
    """Return the parts `[1] …`, `[2] …` by number; text without a number has the empty number.

    Numbers that follow each other directly (`[1][2] …`) share the text.
    """
    text = re.sub(r"<br\s*/?>", "\n", text).strip()
    if not text:
        return {}
    parts = mark.split(text)
    out = {"": parts[0].strip()} if parts[0].strip() else {}
    waiting: list[str] = []
    for number, words in zip(parts[1::2], parts[2::2], strict=True):
        waiting.append(number)
        if text := words.strip(" \n,/"):
            for one in waiting:
                out[one] = "\n".join(filter(None, [out.get(one, ""), text]))
            waiting = []
    return out
