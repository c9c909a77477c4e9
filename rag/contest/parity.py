"""Compare a contest folder with the run that it was exported from: passages and answers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from kofinlaw import Progress, silent
from kofinlaw.rag.contest.contest_model import ContestSettings, Model
from kofinlaw.rag.contest.script import load_index, search
from kofinlaw.records import Question

__all__ = ["Parity", "compare_folder"]


@dataclass(frozen=True)
class Parity:
    """How many of `questions` get the same passages (as a set), the same best passage, and, of
    `answered` questions, the same answer. Free text is compared only if it is chosen.
    """

    questions: int
    same_passages: int
    same_first: int
    answered: int
    same_answers: int

    def lines(self) -> list[str]:
        """Return the figures as sentences; the loss is what is missing to 100 %."""
        out = []
        if self.questions:
            out.append(
                f"passages: the same set for {self.same_passages} of {self.questions} questions "
                f"({self.same_passages / self.questions:.1%}), the same best one for "
                f"{self.same_first} ({self.same_first / self.questions:.1%})"
            )
        if self.answered:
            out.append(
                f"answers: {self.same_answers} of {self.answered} are the same "
                f"({self.same_answers / self.answered:.1%})"
            )
        return out


def compare_folder(
    folder: Path,
    questions: Sequence[Question],
    passages: Mapping[str, Sequence[str]],
    answers: Mapping[str, str],
    *,
    limit: int = 0,
    progress: Progress = silent,
) -> Parity:
    """Search, and answer up to `limit` questions, as the folder's script does.

    They are multiple choice, and free text if it is chosen among sentences of the evidence.

    Args:
        folder: The contest folder.
        questions: The questions that the run answered.
        passages: Texts of the passages that the run found, best first, by question id.
        answers: The run's answers by question id.
        limit: How many questions the model of the folder answers; 0: none.
        progress: Called with the questions answered.
    """
    settings = cast(
        "ContestSettings", json.loads((folder / "contest.json").read_text(encoding="utf-8"))
    )
    index = load_index(folder / "index")
    known = [question for question in questions if question.id in passages]
    k, added = settings["k"], settings["option_passages"]
    found = {q.id: search(index, q.question, q.options, k, added) for q in known}
    wanted = {q.id: list(passages[q.id]) for q in known}
    chosen = settings["free_by"] == "choose"
    asked = [q for q in known if (q.options or chosen) and q.id in answers][:limit]
    same = 0
    if asked:
        model = Model(settings, folder / "model")
        for number, question in enumerate(asked, 1):
            answer = model.answer(question.question, question.options, found[question.id], 1.0)
            same += answer == answers[question.id]
            progress("compare", number, len(asked))
    return Parity(
        questions=len(known),
        same_passages=sum(set(found[q.id]) == set(wanted[q.id]) for q in known),
        same_first=sum(found[q.id][:1] == wanted[q.id][:1] for q in known),
        answered=len(asked),
        same_answers=same,
    )
