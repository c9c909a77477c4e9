"""Answer the contest's questions offline with transformers 4 on Python 3.10 and one GPU.

    python answer.py --questions test.csv --out submission.csv --budget-minutes 270

`kofinlaw export --contest` writes this file next to model/, index/ and contest.json. The submission
is complete and valid within seconds: rows that the model has not answered hold what shares most
with the evidence. After a kill it resumes from answers.jsonl in the folder of the submission and
counts the time that was used, which clock.txt in that folder holds.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kofinlaw.data.korean.words import bigrams, normalise
from kofinlaw.data.law.citations import cited_units
from kofinlaw.data.law.former_names import FormerName, with_present_names
from kofinlaw.data.law.supplements import asks_for_supplements
from kofinlaw.data.prompting.claims import claims_of
from kofinlaw.rag.abstention.misspelling import correct_names
from kofinlaw.rag.answer.fallback import FALLBACK_PASSAGES, fallback_answer
from kofinlaw.rag.contest.contest_model import ContestSettings, Model
from kofinlaw.rag.questions.question_csv import column, decoded
from kofinlaw.rag.questions.question_fields import fields_of, question_of
from kofinlaw.records import Question

__all__ = [
    "BEAT_SECONDS",
    "HERE",
    "POOL",
    "SHARES",
    "Postings",
    "answer_file",
    "answers_before",
    "counted",
    "leave",
    "load_index",
    "main",
    "ranked",
    "read",
    "say",
    "scores_of",
    "search",
    "write_submission",
]

HERE = Path(__file__).resolve().parent
POOL = 50  # passages taken from each query before fusion, the default of `rag.pool`
BEAT_SECONDS = 2.0  # used time is written this often: a kill loses no more of it
SHARES = (1.0, 0.5, 0.25, 0.0)  # of the evidence tokens, from the best plan to the cheapest


class Postings(NamedTuple):
    """The passages' texts, and the BM25 weights of each Hangul bigram in them.

    Term t is in `passages[starts[t]:starts[t + 1]]` with these `weights`; `terms` gives t. `rows`
    has the passages of each unit (`전자금융거래법 제9조`), `titles` the documents' titles. `cited`
    is added to the score of a passage whose unit the question cites; 0: no look-up. `supplements`
    are the passages of 부칙, `names` the former names of acts.
    """

    texts: list[str]
    rows: dict[str, list[int]]
    titles: tuple[str, ...]
    cited: float
    supplements: frozenset[int]
    names: tuple[FormerName, ...]
    terms: dict[str, int]
    starts: NDArray[np.int64]
    passages: NDArray[np.int32]
    weights: NDArray[np.float32]


def load_index(folder: Path) -> Postings:
    """Read the index of the folder."""
    texts, terms, units = (
        json.loads((folder / name).read_text(encoding="utf-8"))
        for name in ("passages.json", "terms.json", "units.json")
    )
    arrays = np.load(folder / "postings.npz")
    return Postings(
        texts,
        units["rows"],
        tuple(units["titles"]),
        units["cited"],
        frozenset(units["supplements"]),
        tuple(FormerName(name, tuple(titles), same) for name, titles, same in units["names"]),
        terms,
        arrays["starts"],
        arrays["passages"],
        arrays["weights"],
    )


def scores_of(index: Postings, query: str) -> NDArray[np.float32]:
    """Return the BM25 score of every passage for a query."""
    scores = np.zeros(len(index.texts), dtype=np.float32)
    for token in bigrams(query):
        term = index.terms.get(token)
        if term is not None:
            part = slice(index.starts[term], index.starts[term + 1])
            scores[index.passages[part]] += index.weights[part]
    return scores


def search(
    index: Postings, stem: str, options: Sequence[str], k: int, option_passages: int = 0
) -> list[str]:
    """Return the best passages of a question, without repetition.

    The first `k` are for the stem and for the stem with all options, fused by min-max. Then follow
    the best `option_passages` for each option alone (`claims_of`). Articles that the question
    cites are raised, acts are searched by their present titles, and 부칙 are found only if the
    question asks for them.
    """
    hidden = frozenset() if asks_for_supplements([stem, *options]) else index.supplements
    stem, *options = (
        with_present_names(text, index.names, index.titles).text for text in (stem, *options)
    )
    queries = [stem, "\n".join([stem, *options])] if options else [stem]
    rows = ranked(index, queries, k, hidden)
    claims = claims_of(stem, options)
    for claim in claims.texts if option_passages else ():
        rows += ranked(index, [f"{claims.stem}\n{claim}"], option_passages, hidden)
    return [index.texts[row] for row in dict.fromkeys(rows)]


def ranked(
    index: Postings, queries: Sequence[str], most: int, hidden: frozenset[int] = frozenset()
) -> list[int]:
    """Return the best passages for the queries, whose scores are fused by min-max, at most `most`.

    The last query names everything that the question may cite. Passages in `hidden` are left out.
    """
    fused: dict[int, float] = {}
    for query in queries:
        scores = scores_of(index, query)
        scores[list(hidden)] = 0
        best = np.argsort(-scores, kind="stable")[:POOL]
        best = best[scores[best] > 0]
        if len(best):
            low, high = float(scores[best].min()), float(scores[best].max())
            for row in best.tolist():
                value = (float(scores[row]) - low) / (high - low) if high > low else 1.0
                fused[row] = fused.get(row, 0.0) + value / len(queries)
    if index.cited > 0:
        units = cited_units(correct_names(queries[-1], index.titles), index.titles)
        for row in (row for unit in units for row in index.rows.get(unit, ())):
            if row in hidden:
                continue
            fused[row] = fused.get(row, 0.0) + index.cited
    return sorted(fused, key=lambda row: (-fused[row], row))[:most]


def read(path: Path) -> tuple[list[str], list[list[str]], list[Question]]:
    """Return the header, the rows and the questions of a CSV file."""
    text, _ = decoded(path)
    table = csv.reader(io.StringIO(text, newline=""))
    header, *rows = [row for row in table if any(cell.strip() for cell in row)]
    header = [name.strip() for name in header]
    id_index, question_index = (column(path, header, name) for name in ("ID", "Question"))
    questions: list[Question] = []
    for row in rows:
        try:
            found = question_of(fields_of(header, row, id_index, question_index), "")
            questions.append(Question(row[id_index], found.stem, found.options))
        except Exception:  # more options than there are labels: answered as free text
            questions.append(Question(row[id_index], normalise(row[question_index]).strip()))
    return header, rows, questions


def write_submission(
    path: Path, header: list[str], rows: list[list[str]], answers: Sequence[str]
) -> None:
    """Write the submission atomically: the file's columns, with `Answer` filled or added."""
    names = [name.strip().lower() for name in header]
    answer_index = names.index("answer") if "answer" in names else len(header)
    columns = header if answer_index < len(header) else [*header, "Answer"]
    new = path.with_suffix(".new")
    with open(new, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        for row, answer in zip(rows, answers, strict=True):
            writer.writerow([*row[:answer_index], answer, *row[answer_index + 1 :]])
    os.replace(new, path)


def answers_before(path: Path) -> dict[str, str]:
    """Return the answers of earlier starts, by id."""
    known: dict[str, str] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            with contextlib.suppress(ValueError):  # incomplete after a kill
                row = json.loads(line)
                known[row["id"]] = row["answer"]
    return known


@contextlib.contextmanager
def counted(path: Path, started: float) -> Iterator[float]:
    """Yield the seconds that earlier starts used, and keep the file at those used in total."""
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
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def leave(out: Path) -> None:
    """End the process at once: threads, the model and the GPU are not waited for.

    Nothing is done without a submission.
    """
    if out.exists():
        say(f"the end: {out} is complete")
        os._exit(0)


def main(own_process: bool = False) -> None:
    """Answer a file of questions.

    In a process of its own, the script ends at the deadline even if a step still runs, and does
    not wait for the model's end.
    """
    started = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("submission.csv"))
    parser.add_argument("--budget-minutes", type=float, default=270.0)
    parser.add_argument("--reserve-minutes", type=float, default=5.0)
    given = parser.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with counted(given.out.with_name("clock.txt"), started) as used:
        last = started + 60 * given.budget_minutes - used
        if own_process:
            timer = threading.Timer(max(0.0, last - time.monotonic()), leave, (given.out,))
            timer.daemon = True
            timer.start()
        rows = answer_file(given.questions, given.out, last - 60 * given.reserve_minutes)
    minutes = (time.monotonic() - started) / 60
    say(f"{rows} rows in {given.out}, {minutes:.1f} minutes")
    if own_process:
        leave(given.out)


def answer_file(path: Path, out: Path, end: float) -> int:
    """Answer as much as possible before `end` (on the monotonic clock); returns the rows."""
    settings: ContestSettings = json.loads((HERE / "contest.json").read_text(encoding="utf-8"))
    header, rows, questions = read(path)
    limit = settings["free_max_characters"]
    if not out.exists():  # before the index is read: complete from the first second
        blind = [fallback_answer(asked, [], max_characters=limit).answer for asked in questions]
        write_submission(out, header, rows, blind)
    index = load_index(HERE / "index")
    k, added = settings["k"], settings["option_passages"]
    found = [search(index, asked.question, asked.options, k, added) for asked in questions]
    answers = [
        fallback_answer(asked, passages[:FALLBACK_PASSAGES], max_characters=limit).answer
        for asked, passages in zip(questions, found, strict=True)
    ]
    log = out.with_name("answers.jsonl")
    known = answers_before(log)
    answers = [
        known.get(asked.id, answer) for asked, answer in zip(questions, answers, strict=True)
    ]
    write_submission(out, header, rows, answers)
    left = [position for position, asked in enumerate(questions) if asked.id not in known]
    left.sort(key=lambda position: not questions[position].options)  # choices are faster
    model = Model(settings, HERE / "model")
    seconds = 0.0
    with open(log, "a", encoding="utf-8") as handle:
        handle.write("\n")  # ends a line that a kill left incomplete
        for done, position in enumerate(left):
            now = time.monotonic()
            if now >= end:
                break
            fits = (end - now) / (len(left) - done) / (seconds / done if done else 1e-9)
            step = next((i for i, share in enumerate(SHARES) if fits >= max(share, 0.25)), 3)
            asked = questions[position]
            answer = ""
            while not answer and step < len(SHARES):
                try:
                    answer = model.answer(
                        asked.question, asked.options, found[position], SHARES[step]
                    )
                except Exception as error:  # mostly out of memory: less evidence, then none
                    say(f"{asked.id}: {type(error).__name__}: {error}"[:200])
                step += 1
            seconds += time.monotonic() - now
            if not answer:
                continue
            answers[position] = answer
            row = {"id": asked.id, "answer": answer}
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            handle.flush()
            write_submission(out, header, rows, answers)
    write_submission(out, header, rows, answers)
    return len(questions)


if __name__ == "__main__":
    main(own_process=True)
