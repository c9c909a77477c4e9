"""Read the files of an evaluation set into questions, keys and gold passages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.korean.words import normalise
from kofinlaw.files import sha256_file
from kofinlaw.rag.benches.forms import BenchSet, Form, Groups, Item, Passage
from kofinlaw.rag.benches.rows import bench_rows
from kofinlaw.rag.benches.sets import BENCH_SETS
from kofinlaw.rag.questions.exam_files import ExamFile, Row, exam_from_rows, row_id
from kofinlaw.rag.questions.field_names import text_of_field
from kofinlaw.records import Key, Question

__all__ = ["BenchFile", "SourceFile", "read_bench", "read_bench_exam"]

_SHOWN_COLUMNS = 20


@dataclass(frozen=True)
class SourceFile:
    """A file that was read: its path, SHA-256, form and number of questions."""

    path: Path
    sha256: str
    form: str
    questions: int


@dataclass(frozen=True)
class BenchFile:
    """The questions of an evaluation set.

    - `kind`: `choice` or `free`; `exam` holds questions and keys (of free text: references);
    - `gold`: by question id, groups of passage ids in the set's corpus;
    - `passages`: by question id, the gold passages that the rows hold;
    - `files`: what was read, the answers in a file of their own included;
    - `left_out`: rows that the set's name leaves out (another domain);
    - `more_references`: questions whose file has further references, which are not used.
    """

    set: BenchSet
    kind: str
    exam: ExamFile
    gold: Mapping[str, Groups]
    passages: Mapping[str, tuple[Passage, ...]]
    files: tuple[SourceFile, ...]
    left_out: int = 0
    more_references: int = 0

    def texts(self) -> list[str]:
        """Return each question as one text with its options on lines of their own."""
        return ["\n".join((one.question, *one.options)) for one in self.exam.questions]


def read_bench(bench: BenchSet, paths: Sequence[Path], key: Path | None = None) -> BenchFile:
    """Read one or more files of an evaluation set, all with choices or all with free text.

    With several files an id gets the name of its file in front (`Law-test/row-0001`).

    Args:
        bench: The set.
        paths: Its files: CSV, JSON (a list, or one object a line), JSON Lines or Parquet.
        key: The answers, where the set keeps them in a file of their own; None: the file with the
            set's usual name next to the questions.

    Raises UserError, with file, line and remedy, for a file that is missing, empty, damaged or in
    another encoding, without the set's columns, with a field that is wrong, an answer that names no
    option, or an id that is used twice; and for no question.
    """
    parts = [_read_file(bench, path, key) for path in paths]
    kinds = {one.kind for one in parts}
    if len(kinds) > 1:
        raise UserError(
            "some of the files are multiple choice, others free text",
            where=", ".join(str(path) for path in paths),
            remedy="measure them one after another",
        )
    if len(parts) == 1:
        return parts[0]
    stems = [path.stem for path in paths]
    if len(set(stems)) < len(stems):
        raise UserError(
            "two of the files have the same name",
            where=", ".join(str(path) for path in paths),
            remedy="rename one of them, or measure them one after another",
        )
    renamed = [_renamed(one, stem) for one, stem in zip(parts, stems, strict=True)]
    first = renamed[0]
    exam = replace(
        first.exam,
        questions=tuple(q for one in renamed for q in one.exam.questions),
        keys=tuple(k for one in renamed for k in one.exam.keys),
        rows=tuple(row for one in renamed for row in one.exam.rows),
        doubts=tuple(doubt for one in renamed for doubt in one.exam.doubts),
    )
    return replace(
        first,
        exam=exam,
        gold={name: groups for one in renamed for name, groups in one.gold.items()},
        passages={name: found for one in renamed for name, found in one.passages.items()},
        files=tuple(file for one in parts for file in one.files),
        left_out=sum(one.left_out for one in parts),
        more_references=sum(one.more_references for one in parts),
    )


def read_bench_exam(bench: BenchSet, path: Path, key: Path | None = None) -> ExamFile:
    """Return the questions of a multiple-choice file of an evaluation set as an exam.

    Raises UserError as `read_bench` does, and for free text.
    """
    found = read_bench(bench, [path], key)
    if found.kind != "choice":
        raise UserError(
            f"this file of {bench.name} is free text, and an exam is multiple choice",
            where=str(path),
            remedy=f"measure it with `kofinlaw bench {bench.name} --file FILE`",
        )
    return found.exam


def _read_file(bench: BenchSet, path: Path, key: Path | None) -> BenchFile:
    rows = list(bench_rows(path))
    if not rows:
        raise UserError(
            "the file has no question", where=str(path), remedy=f"its columns are {_forms(bench)}"
        )
    form = _form_of(bench, rows[0][1], path)
    files = [(path, form.name)]
    answers = _separate_key(bench, form, path, key)
    if answers is not None:
        files.append((answers, "answers"))
        if answers.suffix.lower() not in (".jsonl", ".ndjson"):
            rows = _with_answers(rows, answers, path)
            answers = None
    items: list[tuple[int, Item]] = []
    left_out = 0
    for line, row in rows:
        missing = [name for name in form.columns if name not in row]
        if missing:
            raise UserError(
                f"this row has no `{missing[0]}`",
                where=f"{path}:{line}",
                remedy=f"the form `{form.name}` of {bench.name} has {', '.join(form.columns)}",
            )
        if any(text_of_field(row.get(name)).casefold() != value for name, value in bench.only):
            left_out += 1
            continue
        try:
            items.append((line, form.read(row)))
        except ValueError as error:
            raise UserError(
                str(error),
                where=f"{path}:{line}",
                remedy=f"correct the row; the columns of {bench.name} are known from "
                f"{bench.schema_from}",
            ) from error
    if not items:
        wanted = ", ".join(f"{name} {value}" for name, value in bench.only)
        raise UserError(
            f"the file has no question with {wanted}", where=str(path), remedy="check the name"
        )
    exam = _choices(path, items, answers) if form.kind == "choice" else _free_text(path, items)
    ids = [question.id for question in exam.questions]
    return BenchFile(
        bench,
        form.kind,
        exam,
        {name: item.gold for name, (_, item) in zip(ids, items, strict=True) if item.gold},
        {name: item.passages for name, (_, item) in zip(ids, items, strict=True) if item.passages},
        tuple(
            SourceFile(file, sha256_file(file), name, len(items) if file == path else 0)
            for file, name in files
        ),
        left_out,
        sum(item.unread > 0 for _, item in items),
    )


def _form_of(bench: BenchSet, row: Row, path: Path) -> Form:
    """Return the first form whose columns the file has; raises UserError without one."""
    found = next((form for form in bench.forms if set(form.columns) <= row.keys()), None)
    if found is not None:
        if found.unusable:
            raise UserError(found.unusable, where=str(path), remedy=f"use {bench.forms[0].name}")
        return found
    names = ", ".join(list(row)[:_SHOWN_COLUMNS]) + (", …" if len(row) > _SHOWN_COLUMNS else "")
    others = [
        one.name
        for one in BENCH_SETS.values()
        if one.name != bench.name and any(set(f.columns) <= row.keys() for f in one.forms)
    ]
    like = f"; its columns are those of {' or '.join(others)}" if others else ""
    raise UserError(
        f"the file lacks columns of {bench.name}; it has: {names}",
        where=str(path),
        remedy=f"expected: {_forms(bench)} ({bench.schema_from}, read on {bench.schema_day})"
        f"{like}; a multiple-choice file of your own is measured with `kofinlaw exam`",
    )


def _forms(bench: BenchSet) -> str:
    usable = [form for form in bench.forms if not form.unusable]
    return " | ".join(f"{form.name}: {', '.join(form.columns)}" for form in usable)


def _separate_key(bench: BenchSet, form: Form, path: Path, key: Path | None) -> Path | None:
    """Return the file of the answers of a form that keeps them apart; None for other forms."""
    if not form.separate_key:
        if key is not None:
            raise UserError(
                f"the form `{form.name}` of {bench.name} holds its answers",
                where="--key",
                remedy="leave --key out",
            )
        return None
    near = [path.parent / name for name in bench.key_names]
    found = key or next((file for file in near if file.is_file()), None)
    if found is None:
        raise UserError(
            f"the form `{form.name}` of {bench.name} has its answers in another file",
            where=str(path),
            remedy=f"name it with --key, or put {' or '.join(bench.key_names)} next to this file",
        )
    return found


def _with_answers(
    rows: Sequence[tuple[int, Row]], answers: Path, path: Path
) -> list[tuple[int, Row]]:
    """Return the rows with the answers of another file, row by row."""
    found = list(bench_rows(answers))
    if found and "answer" not in found[0][1]:
        raise UserError(
            "the file of the answers has no column `Answer`",
            where=str(answers),
            remedy=f"its columns are {', '.join(found[0][1])}",
        )
    if len(found) != len(rows):
        raise UserError(
            f"{len(found)} answers for {len(rows)} questions",
            where=str(answers),
            remedy=f"use the answers that belong to {path.name}",
        )
    return [
        (line, {**row, "answer": given.get("answer")})
        for (line, row), (_, given) in zip(rows, found, strict=True)
    ]


def _choices(path: Path, items: Sequence[tuple[int, Item]], key: Path | None) -> ExamFile:
    return exam_from_rows(path, [(line, item.fields) for line, item in items], key)


def _free_text(path: Path, items: Sequence[tuple[int, Item]]) -> ExamFile:
    """Return free-text questions with their references as an exam."""
    questions: list[Question] = []
    keys: list[Key] = []
    lines: dict[str, int] = {}
    for number, (line, item) in enumerate(items, 1):
        fields = item.fields
        name = text_of_field(fields.get("id")) or row_id(number)
        if name in lines:
            raise UserError(
                f"the id `{name}` is used on line {lines[name]} already",
                where=f"{path}:{line}",
                remedy="give each question a unique id",
            )
        lines[name] = line
        slices = fields.get("slices")
        named = [str(one) for one in slices] if isinstance(slices, (list, tuple)) else []
        named.append("rows:odd" if number % 2 else "rows:even")
        keywords = text_of_field(fields.get("keywords")).split(",")
        questions.append(Question(name, normalise(str(fields["question"])).strip()))
        keys.append(
            Key(
                name,
                reference=normalise(str(fields["reference"])).strip(),
                keywords=tuple(word for one in keywords if (word := one.strip())),
                slices=tuple(dict.fromkeys(named)),
            )
        )
    rows = tuple(range(1, len(keys) + 1))
    return ExamFile(path, tuple(questions), tuple(keys), rows, sha256_file(path))


def _renamed(one: BenchFile, stem: str) -> BenchFile:
    """Return the file with `stem/` before each id."""

    def new(name: str) -> str:
        return f"{stem}/{name}"

    exam = replace(
        one.exam,
        questions=tuple(replace(q, id=new(q.id)) for q in one.exam.questions),
        keys=tuple(replace(k, id=new(k.id)) for k in one.exam.keys),
        doubts=tuple(doubt._replace(id=new(doubt.id)) for doubt in one.exam.doubts),
    )
    return replace(
        one,
        exam=exam,
        gold={new(name): groups for name, groups in one.gold.items()},
        passages={new(name): found for name, found in one.passages.items()},
    )
