"""Compare the contest folder with `answer` on the two development exams.

    python benchmarks/contest_parity.py --work DIR [--lexical bigram] [--answers 60]

The folder searches by bigrams; it has neither Kiwi nor vectors. For each exam the
benchmark searches with the settings of the recipes and one lexical index, exports the folder for
the same corpus and model, and counts the questions with the same set of passages. The untrained
small model then answers `--answers` questions of each exam both ways (0: none, -1: all). The
corpora and indexes of `exams.py --work DIR` are used if they exist.

The last line is JSON.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from development_data import DATA
from exams import EXAMS, answer, index_of
from outcome import outcome

from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.contest.folder import export_contest
from kofinlaw.rag.contest.parity import compare_folder
from kofinlaw.rag.questions.exam_files import exam_rows, read_exam
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Answer

AIM = 0.98


def compare(exam: str, given: argparse.Namespace) -> dict[str, float]:
    """Return the shares of questions with the same passages and the same answers."""
    base = quickstart_model()
    rag = RagSettings(lexical=given.lexical, k=5, evidence_tokens=320, option_passages=2)
    settings = AnswerSettings.model_validate(
        {
            "answer_form": "text",
            "choose_by": "contrast",
            "voters": {"reading": 1.0, "evidence": 0.2},
            "unrelated_voters": {"likelihood": 0.5},
            "engine": EngineSettings(dtype="bfloat16"),
        }
    )
    asked = exam_rows(read_exam(given.data / EXAMS[exam] / "questions.csv"), "all", given.limit)
    index = index_of(exam, given.data, given.work, rag, base)
    retriever = Retriever(index, rag, cache=given.work / "cache")
    found = {
        question.id: [hit.chunk.text for hit in hits]
        for question, hits in zip(asked.questions, retriever.search(asked.questions), strict=True)
    }
    folder = given.work / f"{exam}-contest-{given.lexical}"
    export_contest(
        base,
        given.work / f"{exam}-corpus" / "chunks.jsonl",
        folder,
        template=template_for(base),
        rag=rag,
        answer=settings,
    )
    answers: dict[str, str] = {}
    step = max(1, len(asked.questions) // given.answers) if given.answers > 0 else 1
    few = asked.questions[::step]
    if given.answers:
        questions = given.work / f"{exam}-parity-{given.lexical}-{len(few)}.jsonl"
        write_jsonl(questions, few)
        out = questions.with_suffix("")
        answer(questions, out, base, retriever, settings, 0)
        answers = {row.id: row.answer for row in read_jsonl(out / "answers.jsonl", Answer)}
    parity = compare_folder(folder, asked.questions, found, answers, limit=len(answers))
    print(exam, *parity.lines(), sep="\n  ", flush=True)
    shares = {"same passages": parity.same_passages / parity.questions}
    shares["same best passage"] = parity.same_first / parity.questions
    if parity.answered:
        shares["same answers"] = parity.same_answers / parity.answered
    return shares


def main() -> None:
    """Measure and print; the last line is JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, required=True, help="folder for indexes and answers")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the development data")
    parser.add_argument("--exam", default="dev,hard", help="dev, hard or both (default)")
    parser.add_argument("--lexical", choices=["bigram", "kiwi"], default="bigram")
    parser.add_argument("--limit", type=int, help="at most so many questions of each exam")
    parser.add_argument("--answers", type=int, default=60, help="questions answered; -1: all")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    figures = {exam: compare(exam, given) for exam in given.exam.split(",")}
    targets: dict[str, Any] = {
        f"{exam}, {name}": (shares.get(name), (">=", AIM))
        for exam, shares in figures.items()
        for name in ("same passages", "same answers")
    }
    print(outcome({"lexical": given.lexical, **figures}, targets))


if __name__ == "__main__":
    main()
