"""Keep the questions of measured evaluation sets out of a run's training, and find overlaps.

`kofinlaw bench` keeps the texts of a file's questions in `RUN/bench/SET/FILE/fence.jsonl`. Training
examples that are made later in that run must not hold one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

from kofinlaw.files import read_json_lines, write_jsonl
from kofinlaw.records import Key, Question

__all__ = ["FENCE", "NearCopyRow", "copies_between", "fence_texts", "fenced_texts", "write_fence"]

FENCE = "fence.jsonl"


class NearCopyRow(TypedDict):
    """A row of another file that repeats a question; `share` is how much of it, 0 to 1."""

    question: str
    file: str
    line: int
    share: float


def fence_texts(questions: Sequence[Question], keys: Sequence[Key]) -> list[str]:
    """Return the texts that no training example may hold: each question with its options, and with
    its right answer or reference alone, which is enough to learn it.
    """
    texts = ["\n".join((one.question, *one.options)) for one in questions]
    for question, key in zip(questions, keys, strict=True):
        right = [question.options[i] for i in key.indices] if question.options else [key.reference]
        texts += [f"{question.question}\n{answer}" for answer in right]
    return texts


def write_fence(folder: Path, texts: Sequence[str], files: Sequence[tuple[str, str]]) -> None:
    """Write the fence of one file, with (name, SHA-256) of what was read."""
    first = {"files": [{"name": name, "sha256": sha256} for name, sha256 in files]}
    write_jsonl(folder / FENCE, [first, *({"text": text} for text in texts)])


def fenced_texts(run: Path) -> list[str]:
    """Return the fenced texts of all sets that were measured in a run's folder.

    Raises UserError for a fence that is damaged.
    """
    return [
        str(row["text"])
        for path in sorted(run.glob(f"bench/*/*/{FENCE}"))
        for _, row in read_json_lines(path)
        if "text" in row
    ]


def copies_between(
    ids: Sequence[str], questions: Sequence[str], others: Sequence[tuple[str, int, str]]
) -> list[NearCopyRow]:
    """Return the rows of other files that hold most of a question.

    Args:
        ids: The ids of the questions.
        questions: Their texts with options, one a line.
        others: The name of the file, the line and the text of each other row.
    """
    from kofinlaw.data.cleaning.near_copies import near_copies

    return [
        {
            "question": ids[hit.question],
            "file": others[hit.text][0],
            "line": others[hit.text][1],
            "share": round(hit.share, 3),
        }
        for hit in near_copies([text for _, _, text in others], questions)
    ]
