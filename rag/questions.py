"""Question files in, submission files out.

Reads the contest's `ID,Question` CSV (byte-order mark, quotes, Windows newlines, CP949) and JSON
Lines; tells multiple choice from free text by the marks of the options.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.data.files import atomic_write, read_json_lines, sha256_file
from kofinlaw.data.records import Question

MOST_OPTIONS = 9
LARGEST_FILE = 256 * 1024 * 1024  # bytes; a question file is a few MB at most
LARGEST_FIELD = 4 * 1024 * 1024  # characters

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_SYLLABLES = "가나다라마바사아자차카타파하"
_LETTERS = "ABCDEFGHIJKL"
# A mark opens a line; each pattern gives the mark and the option's text.
_STYLES = {
    "circled": re.compile(rf"\s*([{_CIRCLED}])\s*(.*)"),
    "bracketed": re.compile(r"\s*[(（](\d{1,2})[)）]\s*(.*)"),
    "dotted": re.compile(r"\s*(\d{1,2})\s*[.)．]\s*(.*)"),
    "bare": re.compile(r"\s*(\d{1,2})(?:\s+(.*)|\s*)$"),
    "syllable": re.compile(rf"\s*[(（]?([{_SYLLABLES}])[.)）]\s*(.*)"),
    "letter": re.compile(rf"\s*[(（]?([{_LETTERS}])[.)）]\s*(.*)"),
}
_ASKS_A_CHOICE = re.compile(
    r"(다음|아래|보기)\s*(중|가운데)|고르|[은는]\s*것은|것을\s*고|[은는]\s*무엇"
)


@dataclass(frozen=True)
class QuestionFile:
    """The questions of a file, with what a submission needs to look like it.

    `columns` and `rows` are the file's own (rows parallel to `questions`); `encoding` and
    `newline` are what the submission will be written with; `sha256` is of the file's bytes.
    """

    path: Path
    questions: tuple[Question, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    id_column: str
    encoding: str
    newline: str
    sha256: str


def read_questions(path: Path) -> QuestionFile:
    """Read `ID,Question` CSV (any case, more columns allowed) or JSON Lines with id and question.

    Raises UserError, with the line and what to do, for a missing, empty, unreadable or over-long
    file, missing columns, a missing or repeated id, a blank row or question, and more than nine
    options.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError("no such question file", where=str(path))
    if path.stat().st_size > LARGEST_FILE:
        raise UserError(
            f"the file holds {path.stat().st_size:,} bytes; a question file has at most "
            f"{LARGEST_FILE:,}",
            where=str(path),
            remedy="is this the right file? split it if it is",
        )
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _read_jsonl(path)
    return _read_csv(path)


def split_options(text: str, *, where: str = "") -> tuple[str, tuple[str, ...]]:
    """The stem and the options' texts without their marks (no options: free text).

    Options open their lines with `1`, `1.`, `1)`, `①`, `(1)`, `가.` or `A.`, numbered from one
    without a gap to the end of the text; lines in between continue an option. Circled marks may
    also stand in one line. A stem that asks for a choice and is followed by two to nine unmarked
    lines has those as its options. Raises UserError for ten options or more, or an empty one.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    blocks = [block for style in _STYLES if (block := _last_block(lines, style)) is not None]
    # A numbered list within the stem ends before the options begin, so the latest start wins,
    # unless that list lies between two options of another style.
    blocks.sort(key=lambda block: block[0], reverse=True)
    for at, (start, marks, style) in enumerate(blocks):
        if any(other[0] < start < other[1][-1] for other in blocks[at + 1 :]):
            continue
        stem = "\n".join(lines[:start]).strip()
        if not stem:
            continue
        ends = [*marks[1:], len(lines)]
        options = tuple(
            _option_text(lines[mark:end], style) for mark, end in zip(marks, ends, strict=True)
        )
        return _checked(stem, options, where)
    inline = _inline_circled(text)
    if inline is not None:
        return _checked(*inline, where)
    return _unmarked(text, lines)


def write_submission(
    path: Path, file: QuestionFile, answers: Mapping[str, str], *, sample: Path | None = None
) -> None:
    """Write the answers whole or not at all, one row a question.

    With `sample` (a sample submission) its columns, rows and order are kept and only `Answer`
    filled; else the question file's own columns, `Answer` filled or appended; for JSON Lines
    `ID,Answer`. Raises UserError where the sample names an id that was not asked, or misses one.
    """
    columns, rows, id_at = list(file.columns), [list(row) for row in file.rows], 0
    encoding, newline = file.encoding, file.newline
    id_at = columns.index(file.id_column)
    if sample is not None:
        columns, rows, id_at, encoding, newline = _read_sample(sample, file)
    answer_at = next((i for i, name in enumerate(columns) if name.strip().lower() == "answer"), -1)
    if answer_at < 0:
        answer_at = len(columns)
        columns.append("Answer")
        rows = [[*row, ""] for row in rows]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline)
    writer.writerow(columns)
    for row in rows:
        row[answer_at] = answers[row[id_at]]
        writer.writerow(row)
    with atomic_write(path, "wb") as handle:
        handle.write(text.getvalue().encode(encoding))


def _read_csv(path: Path) -> QuestionFile:
    text, encoding = _decoded(path)
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    header, records = _csv_records(path, text)
    id_at, question_at = (_column(path, header, name) for name in ("ID", "Question"))
    if not records:
        raise UserError(
            "the file has a header and no questions", where=str(path), remedy="add rows below it"
        )
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for line, row in records:
        where = f"{path}:{line}"
        identity = _identity(row[id_at].strip(), seen, line, where)
        questions.append(_question(identity, row[question_at], where))
    return QuestionFile(
        path=path,
        questions=tuple(questions),
        columns=tuple(header),
        rows=tuple(
            tuple(cell.strip() if i == id_at else cell for i, cell in enumerate(row))
            for _, row in records
        ),
        id_column=header[id_at],
        encoding=encoding,
        newline=newline,
        sha256=sha256_file(path),
    )


def _csv_records(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header, and (line number from 1, cells) of each row; empty lines may end the file."""
    csv.field_size_limit(LARGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    records: list[tuple[int, list[str]]] = []
    blank, line = 0, 1
    try:
        for row in reader:
            here, line = line, reader.line_num + 1
            if len(row) <= 1 and not "".join(row).strip():
                blank = blank or here
                continue
            if header and (blank or not any(cell.strip() for cell in row)):
                raise UserError(
                    "a blank row", where=f"{path}:{blank or here}", remedy="delete it or fill it"
                )
            blank = 0
            if not header:
                header = [cell.strip() for cell in row]
            elif len(row) != len(header):
                raise UserError(
                    f"{len(row)} cells where the header has {len(header)}",
                    where=f"{path}:{here}",
                    remedy='put cells that hold commas or line breaks in double quotes ("…")',
                )
            else:
                records.append((here, row))
    except csv.Error as error:
        raise UserError(
            f"not CSV: {error}", where=f"{path}:{line}", remedy="is a double quote missing?"
        ) from error
    if not header:
        raise UserError("the file is empty", where=str(path), remedy="it needs ID,Question rows")
    return header, records


def _read_jsonl(path: Path) -> QuestionFile:
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for line, value in read_json_lines(path):
        where = f"{path}:{line}"
        fields = {name.lower(): item for name, item in value.items()}
        if "id" not in fields or "question" not in fields:
            raise UserError(
                "a question needs `id` and `question`",
                where=where,
                remedy=f"this line has {', '.join(value) or 'no fields'}",
            )
        identity = _identity(
            "" if fields["id"] is None else str(fields["id"]).strip(), seen, line, where
        )
        options = fields.get("options") or ()
        if isinstance(options, str) or not all(isinstance(o, str) for o in options):
            raise UserError("`options` must be a list of texts", where=where)
        questions.append(_question(identity, fields["question"], where, tuple(options)))
    if not questions:
        raise UserError("the file is empty", where=str(path), remedy="one JSON object a line")
    return QuestionFile(
        path=path,
        questions=tuple(questions),
        columns=("ID",),
        rows=tuple((question.id,) for question in questions),
        id_column="ID",
        encoding="utf-8",
        newline="\n",
        sha256=sha256_file(path),
    )


def _read_sample(
    sample: Path, file: QuestionFile
) -> tuple[list[str], list[list[str]], int, str, str]:
    text, encoding = _decoded(Path(sample))
    header, records = _csv_records(Path(sample), text)
    id_at = _column(Path(sample), header, "ID")
    asked = {question.id for question in file.questions}
    for line, row in records:
        row[id_at] = row[id_at].strip()
        if row[id_at] not in asked:
            raise UserError(
                f"the sample names `{row[id_at]}`, which {file.path.name} does not ask",
                where=f"{sample}:{line}",
            )
    missing = asked - {row[id_at] for _, row in records}
    if missing:
        raise UserError(
            f"the sample has no row for `{min(missing)}` and {len(missing) - 1} more",
            where=str(sample),
        )
    newline = "\r\n" if "\r\n" in text[: text.find("\n") + 1] else "\n"
    return header, [row for _, row in records], id_at, encoding, newline


def _decoded(path: Path) -> tuple[str, str]:
    """The text and the encoding to write the submission in.

    CP949 comes from Excel; the submission then goes out as UTF-8 with a mark, which Excel opens.
    """
    if not path.is_file():
        raise UserError("no such file", where=str(path))
    raw = path.read_bytes()
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), "utf-8-sig"
        except UnicodeDecodeError:
            raw = b"\x00"
    if b"\x00" not in raw:
        for encoding in ("utf-8-sig", "cp949"):
            try:
                text = raw.decode(encoding)
            except UnicodeDecodeError:
                continue
            marked = encoding == "cp949" or raw.startswith(b"\xef\xbb\xbf")
            return text, "utf-8-sig" if marked else "utf-8"
    raise UserError(
        "the text is neither UTF-8 nor CP949",
        where=str(path),
        remedy="save it as UTF-8 (Excel: `CSV UTF-8`)",
    )


def _column(path: Path, header: Sequence[str], name: str) -> int:
    found = [i for i, cell in enumerate(header) if cell.lower() == name.lower()]
    if len(found) != 1:
        raise UserError(
            f"{'no' if not found else 'more than one'} column `{name}`",
            where=f"{path}:1",
            remedy=f"the header is {', '.join(header)}; it must have ID and Question once each",
        )
    return found[0]


def _identity(identity: str, seen: dict[str, int], line: int, where: str) -> str:
    if not identity:
        raise UserError("a question without an id", where=where, remedy="give it one of its own")
    if identity in seen:
        raise UserError(
            f"the id `{identity}` stands on line {seen[identity]} already",
            where=where,
            remedy="give each question an id of its own",
        )
    seen[identity] = line
    return identity


def _question(identity: str, question: Any, where: str, options: tuple[str, ...] = ()) -> Question:
    if not isinstance(question, str) or not question.strip():
        raise UserError(f"the question `{identity}` is empty", where=where, remedy="fill it in")
    if options:
        stem, options = _checked(question.strip(), tuple(o.strip() for o in options), where)
    else:
        stem, options = split_options(question, where=where)
    return Question(identity, stem, options)


def _checked(stem: str, options: tuple[str, ...], where: str) -> tuple[str, tuple[str, ...]]:
    if not 2 <= len(options) <= MOST_OPTIONS:
        raise UserError(
            f"{len(options)} option{'s' * (len(options) != 1)}",
            where=where,
            remedy=f"a multiple choice has 2 to {MOST_OPTIONS}",
        )
    for number, option in enumerate(options, 1):
        if not option:
            raise UserError(f"option {number} is empty", where=where, remedy="fill it in")
    return stem, options


def _number(style: str, mark: str) -> int:
    if style == "circled":
        return _CIRCLED.index(mark) + 1
    if style == "syllable":
        return _SYLLABLES.index(mark) + 1
    if style == "letter":
        return _LETTERS.index(mark) + 1
    return int(mark)


def _last_block(lines: Sequence[str], style: str) -> tuple[int, list[int], str] | None:
    """The last run of marks 1, 2, 3 … of one style: its first line, each mark's line, the style."""
    marks: list[int] = []
    best: list[int] = []
    for at, line in enumerate(lines):
        found = _STYLES[style].match(line)
        if not found:
            continue
        number = _number(style, found[1])
        if number == len(marks) + 1:
            marks.append(at)
        elif number == 1:
            marks = [at]
        if len(marks) >= 2:
            best = marks
    return (best[0], best, style) if best else None


def _option_text(lines: Sequence[str], style: str) -> str:
    found = _STYLES[style].match(lines[0])
    first = (found[2] or "") if found else lines[0]
    return " ".join(part for line in (first, *lines[1:]) if (part := line.strip()))


def _inline_circled(text: str) -> tuple[str, tuple[str, ...]] | None:
    """`… 것은? ① 가 ② 나 ③ 다`: marks in order within one line."""
    at = text.rfind("①")
    if at <= 0:
        return None
    pieces = re.split(rf"[{_CIRCLED}]", text[at:])[1:]
    marks = re.findall(rf"[{_CIRCLED}]", text[at:])
    stem = text[:at].strip()
    if not stem or len(marks) < 2 or marks != list(_CIRCLED[: len(marks)]):
        return None
    # A sentence that cites ①, ② is no list of options: those end the text after the question.
    if not re.search(r"[?？.:：)]\s*$", stem):
        return None
    return stem, tuple(" ".join(piece.split()) for piece in pieces)


def _unmarked(text: str, lines: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    filled = [line.strip() for line in lines if line.strip()]
    stem, options = filled[0], tuple(filled[1:])
    asks = stem.endswith(("?", "？", "시오.", "오.")) and _ASKS_A_CHOICE.search(stem)
    if asks and 2 <= len(options) <= MOST_OPTIONS:
        return stem, options
    return text.strip(), ()
