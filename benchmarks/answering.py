"""Measure answering: label scoring against generate-then-parse, and 515 questions within a budget.

    python benchmarks/answering.py choices --work DIR [--questions 120] [--repeats 3]
    python benchmarks/answering.py deadline --work DIR --index INDEX [--budget-minutes 60]

`choices` asks Korean law and tax exams (the unchanged train and dev files of kmmlu_dev) of the
small model without retrieval. It compares two ways, which run in alternation:

- `answer_questions` of kofinlaw. It scores the labels in length-sorted batches with one row of
  the output head per prompt; another row scores the options' texts.
- The usual contest baseline, one question at a time. It writes up to 128 tokens (in another row:
  up to 8) and takes the first number.

`deadline` answers 500 exam questions and 15 free-text questions of the bundled sample with an
index. The last line is JSON.
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from development_data import DATA, require
from outcome import outcome

from kofinlaw.data.prompting.wording import AnswerForm, choice_messages
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.loading import load_model
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import template_for
from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.rag.answer.answer_file import answer_questions
from kofinlaw.rag.answer.journal import Timing
from kofinlaw.rag.answer.run_context import RunContext
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Answer, Question

ROOT = Path(__file__).parents[1]
SUBJECTS = ("Law", "Taxation", "Criminal-Law", "Economics", "Accounting", "Real-Estate")
FIRST_NUMBER = re.compile(r"\D*([1-9][0-9]?)")  # as the contest baseline does


def exam(
    data: Path, subjects: tuple[str, ...], count: int
) -> tuple[list[Question], dict[str, str]]:
    """Return `count` questions, taken from the subjects in turn, and the right label by id."""
    by_subject: list[list[tuple[Question, str]]] = []
    for subject in subjects:
        pairs = []
        for part in ("dev", "train"):
            path = data / "kmmlu_dev" / f"{subject}-{part}.csv"
            if not path.exists():
                continue
            with open(path, encoding="utf-8", newline="") as handle:
                for number, row in enumerate(csv.DictReader(handle)):
                    options = tuple(row[letter].strip() or "-" for letter in "ABCD")
                    question = Question(f"{subject}-{part}-{number}", row["question"], options)
                    pairs.append((question, row["answer"]))
        by_subject.append(pairs)
    mixed = [
        pair
        for level in range(max(map(len, by_subject)))
        for pairs in by_subject
        for pair in pairs[level : level + 1]
    ]
    chosen = mixed[:count]
    return [q for q, _ in chosen], {q.id: label for q, label in chosen}


def by_parsing(
    folder: Path, questions: list[Question], key: dict[str, str], tokens: int
) -> dict[str, Any]:
    """Answer one question at a time with `generate` of transformers and take the first number.

    Writing stops at the model's end token. A number that is not an option counts as invalid.
    """
    import torch

    model, tokenizer, template = load_model(folder), load_tokenizer(folder), template_for(folder)
    right = invalid = 0
    started = time.perf_counter()
    for question in questions:
        prompt = template.render(
            choice_messages(question.question, question.options), add_generation_prompt=True
        )
        ids = torch.tensor([tokenizer.encode(prompt)])
        with torch.inference_mode():
            written = model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens, do_sample=False
            )
        found = FIRST_NUMBER.match(tokenizer.decode(written[0, ids.shape[1] :].tolist()))
        label = found[1] if found else "0"
        invalid += label not in {"1", "2", "3", "4"}
        right += label == key[question.id]
    return figures(len(questions), time.perf_counter() - started, right, invalid)


def by_scoring(
    folder: Path, questions: list[Question], key: dict[str, str], work: Path, form: AnswerForm
) -> dict[str, Any]:
    """Run `answer_questions` with its journal and submission; the model is already loaded."""
    path, out = work / "exam.jsonl", work / f"exam-{form}"
    write_jsonl(path, questions)
    shutil.rmtree(out, ignore_errors=True)
    with open_engine(EngineSettings(), folder) as engine:
        engine.score(["1"], [["1", "2"]])
        started = time.perf_counter()
        answer_questions(
            path,
            out,
            open_engine=lambda: engine,
            template=template_for(folder),
            retriever=None,
            settings=AnswerSettings(answer_form=form, batch_questions=32),
        )
        seconds = time.perf_counter() - started
    answers = list(read_jsonl(out / "answers.jsonl", Answer))
    right = sum(answer.answer == key[answer.id] for answer in answers)
    invalid = sum(a.answer not in {"1", "2", "3", "4"} or a.origin != "model" for a in answers)
    return figures(len(questions), seconds, right, invalid)


def figures(count: int, seconds: float, right: int, invalid: int) -> dict[str, Any]:
    """Return one row of the table."""
    return {
        "questions": count,
        "questions a second": round(count / seconds, 3),
        "accuracy": round(right / count, 4),
        "invalid": invalid,
    }


def choices(given: argparse.Namespace) -> dict[str, Any]:
    """Compare scoring in batches (labels, options' texts) with writing and parsing."""
    folder = quickstart_model()
    questions, key = exam(given.data, ("Law", "Taxation"), given.questions)
    few = questions[: given.baseline]
    result: dict[str, Any] = {}
    runs: dict[str, Callable[[], dict[str, Any]]] = {
        "labels scored": lambda: by_scoring(folder, questions, key, given.work, "label"),
        "option texts scored": lambda: by_scoring(folder, questions, key, given.work, "text"),
        "labels scored, the peers' questions": lambda: by_scoring(
            folder, few, key, given.work, "label"
        ),
        "write 8, then parse": lambda: by_parsing(folder, questions, key, 8),
        "write 128, then parse": lambda: by_parsing(folder, few, key, 128),
    }
    long = {"option texts scored", "write 128, then parse"}  # slow rows: one turn only
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in runs}
    for turn in range(given.repeats):
        for name, run in runs.items():
            if turn == 0 or name not in long:
                turns[name].append(run())
                print({name: turns[name][-1]}, flush=True)
    for name, rows in turns.items():
        rates = [row["questions a second"] for row in rows]
        result[name] = {**rows[0], "questions a second": median(rates), "turns": len(rows)}
    for name, ours in (
        ("write 8, then parse", "labels scored"),
        ("write 128, then parse", "labels scored, the peers' questions"),
    ):
        times = result[ours]["questions a second"] / result[name]["questions a second"]
        result[name]["times slower"] = round(times, 1)
    return result


def deadline(given: argparse.Namespace) -> dict[str, Any]:
    """Answer a file of 515 questions with `answer_questions` within a time budget."""
    from kofinlaw.rag.index.index import Index
    from kofinlaw.rag.retrieve.retriever import Retriever

    started = time.monotonic()
    folder = quickstart_model()
    questions, key = exam(given.data, SUBJECTS, 500)
    sample = read_jsonl(ROOT / "data" / "sample" / "questions.jsonl", Question)
    free = [question for question in sample if not question.options]
    free = [Question(f"{q.id}-{n}", q.question) for n in range(2) for q in free][:15]
    path, out = given.work / "contest.csv", given.work / "contest"
    with open(path, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ID", "Question"])
        for question in [*questions, *free]:
            lines = [f"{i} {' '.join(text.split())}" for i, text in enumerate(question.options, 1)]
            writer.writerow([question.id, "\n".join([question.question, *lines])])
    if not given.resume:
        shutil.rmtree(out, ignore_errors=True)
    index = Index.load(given.index)
    lexical = "both" if len(index.meta["lexical"]) == 2 else index.meta["lexical"][0]
    rag = RagSettings(lexical=lexical, evidence_tokens=given.evidence_tokens)
    figures = answer_questions(
        path,
        out,
        open_engine=lambda: open_engine(EngineSettings(), folder),
        template=template_for(folder),
        retriever=Retriever(index, rag),
        settings=AnswerSettings(
            budget_minutes=given.budget_minutes,
            free_max_tokens=64,
            answer_form=given.answer_form,
            permutations=given.permutations,
        ),
        context=RunContext(
            started=started,
            progress=lambda phase, done, total=None, **info: print(
                phase, done, total, info, flush=True
            ),
        ),
    ).to_record()
    figures["minutes"] = round((time.monotonic() - started) / 60, 2)
    with open(out / "submission.csv", encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    labels = {str(n) for n in range(1, 10)}
    figures["rows"] = len(rows)
    figures["valid"] = sum(
        row["Answer"] in labels if row["ID"] in key else bool(row["Answer"].strip()) for row in rows
    )
    right = sum(row["Answer"] == key.get(row["ID"]) for row in rows)
    figures["accuracy"] = round(right / len(key), 4)
    timings = list(read_jsonl(out / "timings.jsonl", Timing))
    for part in ("retrieve", "prefill", "decode"):
        figures[f"seconds_{part}"] = round(sum(getattr(timing, part) for timing in timings), 1)
    return figures


def main() -> None:
    """Run one of the two parts and print its figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=["choices", "deadline"])
    parser.add_argument("--data", type=Path, default=DATA, help="folder with kmmlu_dev")
    parser.add_argument("--work", type=Path, required=True, help="folder for results")
    parser.add_argument("--questions", type=int, default=120)
    parser.add_argument("--baseline", type=int, default=24, help="of these, answered in 128 tokens")
    parser.add_argument("--repeats", type=int, default=3, help="turns; rates are their medians")
    parser.add_argument("--index", type=Path, help="folder of an index (deadline)")
    parser.add_argument("--budget-minutes", type=float, default=60)
    parser.add_argument("--evidence-tokens", type=int, default=600)
    parser.add_argument("--answer-form", choices=["label", "text"], default="label")
    parser.add_argument("--permutations", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="continue an earlier deadline run")
    given = parser.parse_args()
    require(given.data / "kmmlu_dev", "--data")
    if given.part == "deadline" and given.index is None:
        parser.error("deadline needs --index, the folder of an index")
    given.work.mkdir(parents=True, exist_ok=True)
    if given.part == "choices":
        result = choices(given)
        scored = result["labels scored, the peers' questions"]
        targets = {
            f"{name}, times slower": (result[name]["times slower"], (">=", 5))
            for name in ("write 8, then parse", "write 128, then parse")
        }
        targets["invalid answers"] = (scored["invalid"], ("==", 0))
    else:
        result = deadline(given)
        targets = {
            "valid rows of 515": (result["valid"], ("==", 515)),
            "minutes": (result["minutes"], ("<=", given.budget_minutes)),
        }
    print(outcome(result, targets, not_run=["515 questions on a GPU (gpu/answering.py)"]))


if __name__ == "__main__":
    main()
