"""Write an example set and its preference pairs in other forms, and say what was left out.

`OUT/messages.jsonl`, `alpaca.jsonl` and `sharegpt.jsonl` hold the examples, the same names with
`_preferences` the pairs. `dataset_info.json` describes them for LLaMA-Factory. `forms.json` counts
the lines and names everything that a form does not carry. `rejected.jsonl` holds the lines that
cannot be read, with file, line and reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.augment.forms.chat_forms import (
    Form,
    dialogue_line,
    pair_line,
    unusable_turns,
)
from kofinlaw.augment.forms.dataset_info import DatasetEntry, dataset_entry
from kofinlaw.data.prompting.bad_examples import malformed
from kofinlaw.data.prompting.example_forms import FORM_REMEDY, read_example
from kofinlaw.data.prompting.pair_forms import PAIR_REMEDY, read_pair
from kofinlaw.files import dumps, read_json_records, write_json, write_jsonl
from kofinlaw.records import Message, Rejected

__all__ = ["FormFile", "FormsRecord", "write_forms"]

# Fields that every form carries, in addition to its own. A trainer ignores columns that it does not
# know; `id` finds the complete record again, and a teacher's licence must not get lost.
_CARRIED = ("id", "task", "teacher", "teacher_license")
REJECTED = "rejected.jsonl"
_BROKEN = f"they are broken ({REJECTED} has the reasons)"
_READ = {"id", "task", "messages", "prompt", "completion", "text", "chosen", "rejected"}


@dataclass(frozen=True)
class FormFile:
    """One written file.

    Attributes:
        file: Its name.
        lines: Number of lines.
        left_out: Number of records that the form cannot hold, by reason.
        plain_prompts: Number of plain prompts with a completion that became a user's turn and an
            answer. A trainer puts its chat template around them.
        fields_left_out: Fields of the records that the form does not carry.
    """

    file: str
    lines: int
    left_out: dict[str, int] = field(default_factory=dict)
    plain_prompts: int = 0
    fields_left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class FormsRecord:
    """All written files, as `forms.json` keeps them."""

    files: tuple[FormFile, ...]

    def to_record(self) -> dict[str, object]:
        """Return the files by form."""
        return {"files": [asdict(file) for file in self.files]}

    def notes(self) -> list[str]:
        """Return one sentence for each thing that a file does not hold."""
        found = []
        for file in self.files:
            for reason, count in file.left_out.items():
                found.append(f"{file.file}: {count} records left out, {reason}")
            if file.plain_prompts:
                found.append(f"{file.file}: {file.plain_prompts} plain prompts became user turns")
            if file.fields_left_out:
                names = ", ".join(file.fields_left_out)
                found.append(f"{file.file}: no {names}; the record with the same `id` has them")
        return found


@dataclass(frozen=True)
class _Record:
    """A record with its messages, the fields that every form carries, and what is left out."""

    messages: list[Message]
    carried: dict[str, str]
    others: tuple[str, ...]
    problem: str
    chosen: str = ""
    rejected: str = ""
    plain: bool = False


class _BrokenError(ValueError):
    """A record that no form can hold because it is broken."""


def write_forms(
    forms: Sequence[Form], examples: Path, out: Path, *, pairs: Path | None = None
) -> FormsRecord:
    """Write the examples, and the pairs if given, in each form into the folder `out`.

    Args:
        forms: The forms to write.
        examples: JSON Lines of `messages`, of `prompt` and `completion`, or in another form that
            `read_example` reads.
        out: The folder to write to. It is created if it does not exist.
        pairs: JSON Lines of `messages`, `chosen` and `rejected`, as `kofinlaw prefer` reads them.

    Raises:
        UserError: If a file is missing, if a line has a field that would be ignored, or if a form
            can hold no line of a file. Broken lines are left out and listed in `rejected.jsonl`.
    """
    out.mkdir(parents=True, exist_ok=True)
    info: dict[str, DatasetEntry] = {}
    files = []
    rejected: list[Rejected] = []
    sources = [(examples, False)] + ([(pairs, True)] if pairs is not None else [])
    for path, ranked in sources:
        broken: list[Rejected] = []
        records = _read(path, broken, ranked=ranked)
        rejected += broken
        for form in forms:
            name = f"{form}_preferences" if ranked else form
            file = _write(form, records, out / f"{name}.jsonl", ranked=ranked)
            if records and not file.lines:
                reason = max(file.left_out, key=file.left_out.__getitem__)  # of the most records
                remedy = (
                    "a dialogue is user and assistant in turn, after at most one system message"
                )
                if reason == _BROKEN:
                    reason, remedy = broken[0].detail, PAIR_REMEDY if ranked else FORM_REMEDY
                raise UserError(
                    f"the form {form} can hold none of the {len(records)} records: {reason}",
                    where=str(path),
                    remedy=remedy,
                )
            files.append(file)
            entry = dataset_entry(form, file.file, pairs=ranked)
            if entry is not None:
                info[f"kofinlaw_{name}"] = entry
    record = FormsRecord(tuple(files))
    if rejected:
        write_jsonl(out / REJECTED, rejected)
    else:
        (out / REJECTED).unlink(missing_ok=True)
    write_json(out / "dataset_info.json", info)
    write_json(out / "forms.json", {**record.to_record(), "notes": record.notes()})
    return record


def _read(path: Path, rejected: list[Rejected], *, ranked: bool) -> list[_Record]:
    """Return the records of a file; broken ones are added to `rejected` and have a problem."""
    out = []
    for line, row, fault in read_json_records(path):
        if not (why := fault or malformed(row, pair=ranked)):
            try:
                out.append(_record(row, f"{path}:{line}", line, ranked))
                continue
            except _BrokenError as error:
                why = str(error)
        name = str(row.get("id", f"line-{line}"))
        detail = f"{path.name}:{line}: {why}"
        rejected.append(Rejected(name, "forms", "unusable", detail, dumps(row)))
        out.append(_Record([], {}, (), _BROKEN))
    return out


def _record(row: Mapping[str, object], where: str, line: int, ranked: bool) -> _Record:
    """Return a line of the file as a record. Raises UserError for a form or a field that is refused
    for the whole file, and _BrokenError for a record that is broken.
    """
    provenance = row.get("provenance")
    origin = provenance if isinstance(provenance, Mapping) else row
    carried = {name: str(row.get(name, "")) for name in ("id", "task")}
    carried |= {name: str(origin.get(name, "")) for name in ("teacher", "teacher_license")}
    carried["id"] = carried["id"] or f"line-{line}"
    others = tuple(sorted(set(row) - _READ - set(_CARRIED)))
    if ranked:
        pair = read_pair(row, where)
        messages = _checked(pair.messages)
        problem = unusable_turns(messages, last="user")
        return _Record(messages, carried, others, problem, pair.chosen, pair.rejected)
    found = read_example(row, where)
    if found.left_out or found.untrained:
        return _Record([], carried, others, "an answer that is not trained on (`train: false`)")
    if found.form == "text":
        return _Record([], carried, others, "a plain `text` has no turns")
    messages = _checked(found.messages)
    if found.form == "completion":
        messages = [
            {"role": "user", "content": str(row["prompt"])},
            {"role": "assistant", "content": str(row["completion"])},
        ]
    problem = unusable_turns(messages, last="assistant")
    return _Record(messages, carried, others, problem, plain=found.form == "completion")


def _checked(messages: list[Message]) -> list[Message]:
    """Return the messages. Raises _BrokenError for one without a role or content as text."""
    for message in messages:
        if not all(isinstance(message.get(key), str) for key in ("role", "content")):
            raise _BrokenError("a message needs `role` and `content` as texts")
    return messages


def _write(form: Form, records: Sequence[_Record], path: Path, *, ranked: bool) -> FormFile:
    usable = [record for record in records if not record.problem]
    left_out = Counter(record.problem for record in records if record.problem)
    # `datasets` takes the type of a column from the first lines: one with turns before its question
    # comes first, because an empty list has no type.
    longest = max(range(len(usable)), key=lambda n: len(usable[n].messages), default=0)
    ordered = [*usable[longest : longest + 1], *usable[:longest], *usable[longest + 1 :]]
    write_jsonl(path, (_line(form, record, ranked) for record in ordered))
    others = {name for record in usable for name in record.others}
    plain = sum(record.plain for record in usable)
    reasons = dict(sorted(left_out.items()))
    return FormFile(path.name, len(usable), reasons, plain, tuple(sorted(others)))


def _line(form: Form, record: _Record, ranked: bool) -> dict[str, object]:
    own = (
        pair_line(form, record.messages, record.chosen, record.rejected)
        if ranked
        else dialogue_line(form, record.messages)
    )
    return {**record.carried, **own}
