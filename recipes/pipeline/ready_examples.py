"""Keep evaluation questions out of ready training examples, the mixture and pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.prompting.bad_examples import malformed
from kofinlaw.data.prompting.contrast import ContrastReference
from kofinlaw.data.prompting.example_forms import FORM_NAMES, OWN_FORMS, read_example
from kofinlaw.data.prompting.pair_forms import read_pair
from kofinlaw.files import dumps, read_json_records, write_jsonl
from kofinlaw.records import Rejected

__all__ = ["ReadyExamples", "check_texts", "check_training_file", "choice_texts", "copy_examples"]

_REMOVE = "remove them from the file, or the questions from `evaluate`"


@dataclass(frozen=True)
class ReadyExamples:
    """How many ready examples were kept and rejected, and how many were read in which form."""

    examples: int
    rejected: int
    forms: dict[str, int] = field(default_factory=dict)

    def to_record(self) -> dict[str, object]:
        """Return the counts by name; `read as …` for lines in the forms of other tools."""
        own = {FORM_NAMES[form] for form in OWN_FORMS}
        read = {f"read as: {name}": n for name, n in self.forms.items() if name not in own}
        return {"examples": self.examples, "rejected": self.rejected, **read}


def copy_examples(path: Path, protected_texts: Sequence[str], out: Path) -> ReadyExamples:
    """Write `examples.jsonl` and `rejected.jsonl` into `out` from the examples in `path`.

    Args:
        path: JSON Lines of `messages`, `prompt` + `completion`, `text`, or another form that
            `read_example` reads; all but plain texts are written as `messages`.
        protected_texts: Questions with their options; an example that contains one is rejected.
        out: Folder for both files.

    A line that is not JSON, or has no texts, is rejected too. Raises UserError if `path` is missing
    or not UTF-8, or if no example is left.
    """
    lines, rows, texts = [], [], []
    forms: Counter[str] = Counter()
    untrained: list[Rejected] = []
    for line, given, fault in read_json_records(path):
        name = str(given.get("id", f"line-{line}"))
        if why := fault or malformed(given):
            detail = f"{path.name}:{line}: {why}"
            untrained.append(Rejected(name, "augment", "unusable", detail, dumps(given)))
            continue
        read = read_example(given, f"{path}:{line}")
        row = {"id": f"line-{line}", **read.row}
        if read.left_out:
            why = f"line {line} says that it is not trained on"
            untrained.append(Rejected(name, "augment", "not_trained", why, dumps(given)))
            continue
        forms[FORM_NAMES[read.form]] += 1
        lines.append(line)
        rows.append(row)
        texts.append(" ".join([*read.texts, *choice_texts(row)]))
    found = _contaminated(texts, protected_texts)
    kept = [row for index, row in enumerate(rows) if index not in found]
    rejected = untrained + [
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
            remedy=f"fix the file: {untrained[0].detail}"
            if untrained
            else "add examples that contain no evaluation question",
        )
    write_jsonl(out / "examples.jsonl", kept)
    write_jsonl(out / "rejected.jsonl", rejected)
    return ReadyExamples(len(kept), len(rejected), dict(forms))


def check_training_file(path: Path, protected_texts: Sequence[str], remedy: str = _REMOVE) -> None:
    """Check that no example of a file that training reads unchanged holds an evaluation question.

    Args:
        path: JSON Lines in the forms of `copy_examples`, or pairs (`messages`, `chosen`).
        protected_texts: Questions with their options, the parts on lines.
        remedy: What the error asks for.

    Raises UserError that names the first line that contains one.
    """
    lines, texts = [], []
    for line, row, fault in read_json_records(path):
        if fault or malformed(row, pair="chosen" in row or "rejected" in row):
            continue  # the trainer rejects it with the reason
        lines.append(line)
        texts.append(" ".join((*_shown_texts(row, f"{path}:{line}"), *choice_texts(row))))
    check_texts(texts, protected_texts, path, lines, remedy)


def check_texts(
    texts: Sequence[str],
    protected_texts: Sequence[str],
    path: Path,
    lines: Sequence[int] | None = None,
    remedy: str = _REMOVE,
) -> None:
    """Check that no training text of a file holds an evaluation question.

    `lines` are the texts' lines in the file; None: one text a line.

    Raises UserError that names the first line that contains one.
    """
    found = _contaminated(texts, protected_texts)
    if found:
        index = min(found)
        raise UserError(
            f"{len(found)} examples of this training file contain an evaluation question, the "
            f"first one {found[index]:.0%} of it",
            where=f"{path}:{lines[index] if lines is not None else index + 1}",
            remedy=remedy,
        )


def _shown_texts(row: Mapping[str, object], where: str) -> list[str]:
    """Return the texts of an example, or the prompt and the chosen answer of a pair."""
    if "chosen" not in row:
        return read_example(row, where).texts
    pair = read_pair(row, where)
    return [*(str(message["content"] or "") for message in pair.messages), pair.chosen]


def _contaminated(texts: Sequence[str], protected_texts: Sequence[str]) -> dict[int, float]:
    """Return the share of an evaluation question that a text holds, by the index of the text."""
    from kofinlaw.data.cleaning.near_copies import near_copies

    return {hit.text: hit.share for hit in near_copies(texts, protected_texts)}


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
