"""Read JSONL, CSV and Parquet by record: court decisions by issue, questions with their answers."""

from __future__ import annotations

import csv
import io
import json
import lzma
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kofinlaw import UserError
from kofinlaw.data.readers.tables import column_names
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.decoding import clean_text, clean_value, decode
from kofinlaw.files import parse_json_line
from kofinlaw.records import record_fault
from kofinlaw.units import MIB

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "Form",
    "csv_records",
    "csv_rows",
    "csv_text",
    "has_title",
    "lists_files",
    "record_form",
    "record_text",
    "rows_of",
]

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
_FILE_NAME = re.compile(r"\.(?=\d*[A-Za-z])[A-Za-z0-9]{1,5}\Z")  # not the number `2.25`
_LINE_END = re.compile(r"\r\n?")
_LONGEST_HEADING = 120  # characters of a question that becomes a heading
_ISSUE = re.compile(r"^[^\S\n]*\[(\d+)\]\s*", re.MULTILINE)


def rows_of(path: Path, limits: LimitSettings) -> Iterator[dict[str, str] | UserError]:
    """Yield the records of a JSONL or Parquet file with all values as text; the error of a record
    that is broken.

    Raises UserError if there are more records than `limits.records`.
    """
    name = path.name.lower()
    rows: Iterator[Mapping[object, object] | UserError]
    if name.endswith(".parquet"):
        rows = _parquet(path)
    else:
        rows = _json_lines(_unpacked(path, limits) if name.endswith(".xz") else path.read_bytes())
    for number, row in enumerate(rows, 1):
        if number > limits.records:
            raise UserError(f"more than {limits.records} records")
        if isinstance(row, UserError):
            yield row
            continue
        try:
            record = {_name(str(k)): _text(v) for k, v in row.items() if k is not None}
        except Exception as error:
            yield UserError(record_fault(error))
            continue
        yield {column: text for column, text in record.items() if text is not None}


def csv_rows(path: Path, source: SourceSettings) -> list[list[str]]:
    """Return the rows of a CSV or TSV file that are not blank; cells beyond the header get a name.

    Raises UserError if the file is not text, or is not CSV.
    """
    text, _ = decode(path.read_bytes(), source.encoding, records=True)
    text = _LINE_END.sub("\n", text)
    csv.field_size_limit(1 << 30)
    delimiter = "\t" if path.name.lower().endswith(".tsv") else _delimiter(text)
    try:
        read = csv.reader(io.StringIO(text), delimiter=delimiter)
        rows = [[clean_text(cell) for cell in row] for row in read if any(row)]
    except csv.Error as error:
        raise UserError(f"the CSV file is damaged: {error}") from error
    if rows:
        longest = max(len(row) for row in rows)
        rows[0] += [f"열 {n}" for n in range(len(rows[0]) + 1, longest + 1)]
    return rows


def csv_records(rows: Sequence[Sequence[str]]) -> Iterator[dict[str, str]]:
    """Yield each row below the header `rows[0]` by column name."""
    header = column_names([_name(name) for name in rows[0]])
    for row in rows[1:]:
        yield dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True))


def csv_text(
    record: Mapping[str, str], columns: Mapping[str, str], given: Sequence[str]
) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of a row of CSV, see `record_text`.

    A column that repeats the name of another (in `given`, the header) follows the text as
    `name 3: value`.
    """
    text, meta = record_text(record, columns)
    if record_form(record, columns) == "record" and text.strip():
        known = {_name(name) for name in given}
        text = "\n\n".join([text, *_others(record, [name for name in record if name in known])])
    return text, meta


def _delimiter(text: str) -> str:
    """Return the separator of the first line: a comma, or what Excel writes instead of it."""
    first = text.partition("\n")[0]
    return "," if "," in first else next((mark for mark in "\t;" if mark in first), ",")


def _name(column: str) -> str:
    return clean_text(column).strip()


def _unpacked(path: Path, limits: LimitSettings) -> bytes:
    most_bytes = limits.expanded_mebibytes * MIB
    try:
        with lzma.open(path) as handle:
            data = handle.read(most_bytes + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise UserError(f"the xz file is broken: {error}") from error
    if len(data) > most_bytes:
        raise UserError(f"the xz file unpacks to more than {limits.expanded_mebibytes} MiB")
    return data


def _json_lines(data: bytes) -> Iterator[Mapping[object, object] | UserError]:
    text = _LINE_END.sub("\n", decode(data, records=True)[0])
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = parse_json_line(line)
        except ValueError as error:
            yield UserError(f"line {number} is not JSON: {error}")
            continue
        yield value if isinstance(value, dict) else UserError(f"line {number} is no JSON object")


def _parquet(path: Path) -> Iterator[Mapping[object, object] | UserError]:
    import pyarrow.parquet as parquet
    from pyarrow import ArrowException

    try:
        for batch in parquet.ParquetFile(path).iter_batches(1024):
            try:
                yield from batch.to_pylist()
            except UnicodeDecodeError:
                yield from _one_by_one(batch)
    except (ArrowException, OSError, ValueError) as error:
        raise UserError(f"the Parquet file cannot be read: {error}") from error


def _one_by_one(batch: pyarrow.RecordBatch) -> Iterator[Mapping[object, object] | UserError]:
    """Yield the records of a batch of which one has a text that is not UTF-8."""
    for row in range(batch.num_rows):
        try:
            yield batch.slice(row, 1).to_pylist()[0]
        except UnicodeDecodeError as error:
            yield UserError(f"a text of the record is not UTF-8: {error.reason}")


def _text(value: object) -> str | None:
    """Return a value as text: NaN is empty. None for no value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None if value is None else ""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, (list, dict)):
        return json.dumps(clean_value(value), ensure_ascii=False)
    return str(value)


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


def lists_files(rows: Sequence[Sequence[str]], folder: Path) -> bool:
    """Return whether a column of a table names files below `folder` in at least 80 % of its rows.

    `rows[0]` is the header. A file may lie in a folder that another column of its row names.
    """
    body = rows[1:]
    if not body:
        return False

    def exists(row: Sequence[str], name: str) -> bool:
        places = [folder, *(folder / other for other in row if other and other != name)]
        try:
            return any((place / name).is_file() for place in places)
        except (OSError, ValueError):  # a cell that is not a file name
            return False

    for column in range(len(rows[0])):
        names = [row[column].strip() if column < len(row) else "" for row in body]
        if sum(bool(_FILE_NAME.search(name)) for name in names) < 0.8 * len(body):
            continue
        found = sum(exists(row, name) for row, name in zip(body, names, strict=True) if name)
        if found >= 0.8 * len(body):
            return True
    return False


@lru_cache(1024)
def _key(name: str) -> str:
    return re.sub(r"\s+", "", _name(name)).lower()


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
    mapped = {field: _name(column) for field, column in columns.items()}
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
    """Return a court decision: each issue (판시사항) with its holding
    (판결요지) under its number.
    """
    title = " ".join(filter(None, [row.get("법원명", ""), row.get("사건번호", "")])).strip()
    issues, holdings = _numbered(row.get("판시사항", "")), _numbered(row.get("판결요지", ""))
    lines = [f"# {title}", ""]
    for number in list(dict.fromkeys([*issues, *holdings])):
        lines += [f"## {f'[{number}]' if number else '판시사항'}", ""]
        if issues.get(number):
            lines += [f"판시사항: {issues[number]}", ""]
        if holdings.get(number):
            lines += [f"판결요지: {holdings[number]}", ""]
    for name in ("참조조문", "참조판례"):
        if row.get(name, "").strip():
            lines += [f"## {name}", "", row[name].strip(), ""]
    meta = {"title": title, "date": row.get("선고일자", ""), "사건번호": row["사건번호"]}
    return "\n".join(lines), meta


def _numbered(text: str) -> dict[str, str]:
    """Return the parts `[1] …`, `[2] …` by number; text without a number has the empty number."""
    text = re.sub(r"<br\s*/?>", "\n", text).strip()
    if not text:
        return {}
    parts = _ISSUE.split(text)
    out = {"": parts[0].strip()} if parts[0].strip() else {}
    for number, words in zip(parts[1::2], parts[2::2], strict=True):
        out[number] = words.strip()
    return out
