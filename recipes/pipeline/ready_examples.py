"""Keep evaluation questions out of ready training examples, the mixture and pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.prompting.contrast import ContrastReference
from kofinlaw.files import dumps, read_json_records, write_jsonl
from kofinlaw.records import Rejected, record_fault

__all__ = [
    "ReadyExamples",
    "check_training_file",
    "choice_texts",
    "copy_examples",
    "texts_of",
    "usable",
]


@dataclass(frozen=True)
class ReadyExamples:
    """How many ready examples were kept and rejected."""

    examples: int
    rejected: int

    def to_record(self) -> dict[str, object]:
        """Return the counts by name."""
        return {"examples": self.examples, "rejected": self.rejected}


def copy_examples(path: Path, protected_texts: Sequence[str], out: Path) -> ReadyExamples:
    """Write `examples.jsonl` and `rejected.jsonl` into `out` from the examples in `path`.

    Args:
        path: JSON Lines of `messages`, `prompt` + `completion`, or `text`.
        protected_texts: Questions with their options; an example that contains one is rejected.
        out: Folder for both files.

    A line that is not JSON, or has no texts, is rejected too. Raises UserError if `path` is missing
    or not UTF-8, or if no example is left.
    """
    lines, rows, texts, unusable = [], [], [], []
    for line, value, fault in read_json_records(path):
        row = {"id": f"line-{line}", **value}
        try:
            if fault:
                raise UserError(fault)
            text = " ".join([*texts_of(row), *choice_texts(row)])
        except Exception as error:
            detail = f"{path.name}:{line}: {record_fault(error)}"
            unusable.append(Rejected(str(row["id"]), "augment", "unusable", detail, dumps(value)))
            continue
        lines.append(line)
        rows.append(row)
        texts.append(text)
    found = _contaminated(texts, protected_texts)
    kept = [row for index, row in enumerate(rows) if index not in found]
    rejected = unusable + [
        Rejected(
            id=str(rows[index]["id"]),
            stage="augment",
            reason="contaminated",
            detail=f"line {lines[index]} holds {share:.0%} of an evaluation question",
            record=dumps(rows[index]),
        )
        for index, share in sorted(found.items())
    ]
    if not kept:
        raise UserError(
            "no example is left to train on",
            where=str(path),
            remedy=f"fix the file: {unusable[0].detail}"
            if unusable
            else "add examples that contain no evaluation question",
        )
    write_jsonl(out / "examples.jsonl", kept)
    write_jsonl(out / "rejected.jsonl", rejected)
    return ReadyExamples(len(kept), len(rejected))


def check_training_file(path: Path, protected_texts: Sequence[str]) -> None:
    """Check that no example of a file that training reads unchanged holds an evaluation question.

    Args:
        path: JSON Lines in the forms of `copy_examples`, or pairs (`messages`, `chosen`).
        protected_texts: Questions with their options, the parts on lines.

    Raises UserError that names the first line that contains one.
    """
    lines, texts = [], []
    for line, row, fault in read_json_records(path):
        if fault or not usable(row):
            continue  # the trainer rejects it with the reason
        lines.append(line)
        texts.append(" ".join((*texts_of(row), *choice_texts(row), str(row.get("chosen", "")))))
    found = _contaminated(texts, protected_texts)
    if found:
        index = min(found)
        raise UserError(
            f"{len(found)} examples of this training file contain an evaluation question, the "
            f"first one {found[index]:.0%} of it",
            where=f"{path}:{lines[index]}",
            remedy="remove them from the file, or the questions from `evaluate`",
        )


def _contaminated(texts: Sequence[str], protected_texts: Sequence[str]) -> dict[int, float]:
    """Return the share of an evaluation question that a text holds, by the index of the text."""
    from kofinlaw.data.cleaning.contamination import overlap
    from kofinlaw.data.cleaning.question_copies import QuestionCopies

    found = {hit.text: hit.share for hit in overlap(texts, protected_texts)}
    copies = QuestionCopies(protected_texts)
    for index, text in enumerate(texts):
        held = copies.held_by(text) if index not in found else None
        if held is not None:
            found[index] = held[1]
    return found


def usable(row: Mapping[str, object]) -> bool:
    """Return whether the texts of an example can be read."""
    try:
        texts_of(row)
        choice_texts(row)
    except Exception as error:
        record_fault(error)
        return False
    return True


def texts_of(row: Mapping[str, object]) -> list[str]:
    """Return the texts of an example in any of the three forms."""
    messages = row.get("messages")
    if isinstance(messages, list):
        return [str(message.get("content", "")) for message in messages]
    return [str(row[name]) for name in ("prompt", "completion", "text") if name in row]


def choice_texts(row: Mapping[str, object], reference: ContrastReference = "none") -> list[str]:
    """Return evidence, question and options of an example's `choice`; nothing without options.

    Where a reference prompt is read too, the options come twice, and with `stem` the question: as
    the trainer reads them under `train.objective: contrast`.
    """
    choice = row.get("choice")
    if not isinstance(choice, Mapping) or not choice.get("options"):
        return []
    options, evidence = choice["options"], choice.get("evidence") or []
    question = choice.get("question", "")
    again = [] if reference == "none" else [*options, *([question] if reference == "stem" else [])]
    texts = [*evidence, question, *options, *again]
    return [str(text) for text in texts]
