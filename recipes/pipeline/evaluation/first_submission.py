"""Write a complete submission before anything heavy is imported or read.

Each answer is the fallback without evidence. The answering run replaces it with better ones.
"""

from __future__ import annotations

from pathlib import Path

from kofinlaw.rag.answer.fallback import fallback_answer
from kofinlaw.rag.questions.question_files import read_questions
from kofinlaw.rag.questions.submission import read_sheet, write_submission

__all__ = ["write_first_submission"]


def write_first_submission(
    questions: Path, out: Path, *, sample: Path | None = None, max_characters: int = 160
) -> bool:
    """Write `submission.csv` into the folder `out` if there is none; return whether it was written.

    A submission of an earlier start is left unchanged, because its answers are better.

    Args:
        questions: The question file.
        out: Folder of the run; created where it does not exist.
        sample: A sample submission whose columns and rows are used.
        max_characters: Longest free-text answer.

    Raises UserError for a question file or a sample that cannot be used.
    """
    path = out / "submission.csv"
    if path.exists():
        return False
    file = read_questions(questions)
    sheet = read_sheet(file, sample)
    out.mkdir(parents=True, exist_ok=True)
    answers = (
        fallback_answer(question, (), max_characters=max_characters) for question in file.questions
    )
    write_submission(path, sheet, {answer.id: answer.answer for answer in answers})
    return True
