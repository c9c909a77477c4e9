"""Answers the contest's questions offline with transformers 4 on Python 3.10 and one card.

    python answer.py --questions test.csv --out submission.csv --budget-minutes 270

Written by `kofinlaw export --contest`; the folder holds model/, index/ and contest.json. The
submission is complete and valid from the first seconds on: rows the model has not answered hold
what shares most with the evidence. Started again after a kill it goes on from answers.jsonl beside
the submission and counts the time that was used, which stands in clock.txt there.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw.data.korean.words import bigrams
from kofinlaw.rag.answer.fallback import FALLBACK_PASSAGES, fallback_answer
from kofinlaw.rag.contest.model import Model
from kofinlaw.rag.questions.option_marks import split_options
from kofinlaw.records import Question

Postings = tuple[list[str], dict[str, int], Any, Any, Any]

HERE = Path(__file__).resolve().parent
BEAT_SECONDS = 2.0  # used time is written this often: a kill forgets no more of it
SHARES = (1.0, 0.5, 0.25, 0.0)  # of the evidence budget, from the best plan to the cheapest


def load_index(folder: Path) -> Postings:
    """The passages' texts and the BM25 weights of each Hangul bigram in them."""
    texts = json.loads((folder / "passages.json").read_text(encoding="utf-8"))
    terms = json.loads((folder / "terms.json").read_text(encoding="utf-8"))
    arrays = np.load(folder / "postings.npz")
    return texts, terms, arrays["starts"], arrays["passages"], arrays["weights"]


def scores_of(index: Postings, query: str) -> Any:
    """BM25 score of every passage for a query."""
    texts, terms, starts, passages, weights = index
    scores = np.zeros(len(texts), dtype=np.float32)
    for token in bigrams(query):
        term = terms.get(token)
        if term is not None:
            part = slice(starts[term], starts[term + 1])
            scores[passages[part]] += weights[part]
    return scores


def search(index: Postings, stem: str, options: Sequence[str], k: int) -> list[str]:
    """The best passages for the stem, and for the stem with its options, fused by min-max."""
    fused = np.zeros(len(index[0]), dtype=np.float64)
    queries = [stem, "\n".join([stem, *options])] if options else [stem]
    for query in queries:
        scores = scores_of(index, query)
        best = np.argsort(-scores, kind="stable")[:50]
        best = best[scores[best] > 0]
        if len(best):
            low, high = scores[best].min(), scores[best].max()
            fused[best] += (scores[best] - low) / (high - low) if high > low else 1.0
    order = np.argsort(-fused, kind="stable")[:k]
    return [index[0][place] for place in order if fused[place] > 0]


def read(path: Path) -> tuple[list[str], list[list[str]], list[Question]]:
    """(header, rows, questions)."""
    with open(path, encoding="utf-8-sig", newline="") as handle:
        header, *rows = [row for row in csv.reader(handle) if any(row)]
    names = [name.strip().lower() for name in header]
    id_at, question_at = names.index("id"), names.index("question")
    questions: list[Question] = []
    for row in rows:
        try:
            stem, options = split_options(row[question_at])
            questions.append(Question(row[id_at], stem, options))
        except Exception:  # more options than there are labels: answered as free text
            questions.append(Question(row[id_at], row[question_at].strip()))
    return header, rows, questions


def write_submission(
    path: Path, header: list[str], rows: list[list[str]], answers: Sequence[str]
) -> None:
    """Whole or not at all, in the question file's columns with `Answer` filled or added."""
    names = [name.strip().lower() for name in header]
    at = names.index("answer") if "answer" in names else len(header)
    columns = header if at < len(header) else [*header, "Answer"]
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        for row, answer in zip(rows, answers, strict=True):
            writer.writerow([*row[:at], answer, *row[at + 1 :]])
    os.replace(new, path)


def answers_before(path: Path) -> dict[str, str]:
    """Answers by id that an earlier start left."""
    known: dict[str, str] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # torn by a kill
                row = json.loads(line)
                known[row["id"]] = row["answer"]
    return known


@contextlib.contextmanager
def counted(path: Path, started: float) -> Iterator[float]:
    """Gives the seconds that earlier starts used, and keeps the file at those used in all."""
    before = 0.0
    with contextlib.suppress(OSError, ValueError):  # none yet, or lost with the machine's power
        before = float(path.read_text(encoding="utf-8"))
    over = threading.Event()

    def beat() -> None:
        new = path.with_suffix(".new")
        while not over.wait(BEAT_SECONDS):
            new.write_text(str(before + time.monotonic() - started), encoding="utf-8")
            os.replace(new, path)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield before
    finally:
        over.set()
        thread.join()


def say(line: str) -> None:
    """A line to the terminal."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Answer a file."""
    started = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    parser.add_argument("--budget-minutes", type=float, default=270.0)
    parser.add_argument("--reserve-minutes", type=float, default=5.0)
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with counted(given.out.with_name("clock.txt"), started) as used:
        end = started + 60 * (given.budget_minutes - given.reserve_minutes) - used
        rows = answer_file(given.questions, given.out, end)
    minutes = (time.monotonic() - started) / 60
    say(f"{rows} rows in {given.out}, {minutes:.1f} minutes")


def answer_file(path: Path, out: Path, end: float) -> int:
    """Answer all that can be by `end` (on the monotonic clock); returns the rows."""
    settings = json.loads((HERE / "contest.json").read_text(encoding="utf-8"))
    header, rows, questions = read(path)
    index = load_index(HERE / "index")
    found = [search(index, asked.question, asked.options, settings["k"]) for asked in questions]
    most = settings["free_max_characters"]
    answers = [
        fallback_answer(asked, passages[:FALLBACK_PASSAGES], max_characters=most).answer
        for asked, passages in zip(questions, found, strict=True)
    ]
    log = out.with_name("answers.jsonl")
    known = answers_before(log)
    answers = [known.get(asked.id, was) for asked, was in zip(questions, answers, strict=True)]
    write_submission(out, header, rows, answers)
    left = [place for place, asked in enumerate(questions) if asked.id not in known]
    left.sort(key=lambda place: not questions[place].options)  # choices first: each is quick
    model = Model(settings, HERE / "model")
    seconds = 0.0
    with open(log, "a", encoding="utf-8") as handle:
        handle.write("\n")  # closes a line that a kill tore
        for done, place in enumerate(left):
            now = time.monotonic()
            if now >= end:
                break
            fits = (end - now) / (len(left) - done) / (seconds / done if done else 1e-9)
            step = next((i for i, share in enumerate(SHARES) if fits >= max(share, 0.25)), 3)
            asked = questions[place]
            answer = ""
            while not answer and step < len(SHARES):
                try:
                    answer = model.answer(asked.question, asked.options, found[place], SHARES[step])
                except Exception as error:  # out of memory above all: less evidence, then none
                    say(f"{asked.id}: {type(error).__name__}: {error}"[:200])
                step += 1
            seconds += time.monotonic() - now
            if not answer:
                continue
            answers[place] = answer
            row = {"id": asked.id, "answer": answer}
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            handle.flush()
            write_submission(out, header, rows, answers)
    write_submission(out, header, rows, answers)
    return len(questions)


if __name__ == "__main__":
    main()
