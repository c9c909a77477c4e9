"""Answers the contest's questions offline with transformers 4 on Python 3.10 and one card.

    python answer.py --questions test.csv --out submission.csv --budget-minutes 270

Written by `kofinlaw export --contest`; the folder holds model/, index/ and contest.json. The
submission is complete and valid from the first seconds on: rows the model has not answered hold
the option that shares most with the evidence. Started again after a kill it goes on from
answers.jsonl beside the submission and counts the time that was used.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw.data.korean import bigrams
from kofinlaw.data.packing import pack
from kofinlaw.data.prompting import (
    NO_EVIDENCE,
    choice_candidates,
    choice_messages,
    free_messages,
)
from kofinlaw.rag.free_text import tidy
from kofinlaw.rag.options import split_options

Postings = tuple[list[str], dict[str, int], Any, Any, Any]
Asked = tuple[str, str, list[str]]  # id, stem, options

HERE = Path(__file__).resolve().parent
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


def without_model(identity: str, options: Sequence[str], passages: Sequence[str]) -> str:
    """The option that shares most with its best passage, else one by a hash of the id."""
    if not options:
        return NO_EVIDENCE
    found = [set(bigrams(text)) for text in passages[:3]]
    shares = []
    for option in options:
        words = set(bigrams(option))
        shared = max((len(words & passage) for passage in found), default=0)
        shares.append(shared / len(words) if words else 0.0)
    if min(shares) == max(shares):
        digest = hashlib.sha256(identity.encode("utf-8")).digest()
        return str(int.from_bytes(digest[:8], "big") % len(options) + 1)
    return str(shares.index(max(shares)) + 1)


class Model:
    """The merged model; what it writes is greedy, a choice constrained to the choices."""

    def __init__(self, settings: dict[str, Any]) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.settings = settings
        folder = str(HERE / "model")
        cuda = torch.cuda.is_available()
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model = AutoModelForCausalLM.from_pretrained(
            folder,
            torch_dtype=getattr(torch, settings["dtype"]),
            device_map={"": 0} if cuda else None,
            local_files_only=True,
        ).eval()
        self.device = "cuda" if cuda else "cpu"

    def encode(self, text: str) -> list[int]:
        """Token ids; the prompt's frame holds the special tokens already."""
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def count(self, text: str) -> int:
        """Tokens of a text."""
        return len(self.encode(text))

    def prompt(
        self, stem: str, options: Sequence[str], passages: Sequence[str], share: float
    ) -> str:
        """The text to go on from, its evidence within the budget and the whole in the context."""
        settings = self.settings
        budget = int(settings["evidence_tokens"] * share)
        query = " ".join([stem, *options])
        while True:
            evidence = pack(passages, query, budget, self.count) if budget > 0 and passages else []
            if options:
                messages = choice_messages(stem, options, evidence, settings["answer_form"])
            else:
                messages = free_messages(stem, evidence)
            text = settings["before"] + messages[0]["content"] + settings["after"]
            over = self.count(text) + settings["free_max_tokens"] - settings["context_tokens"]
            if over <= 0:
                return text
            if not evidence:
                stem, cut = stem[: max(40, len(stem) - 2 * over)], stem
                if stem == cut:
                    return text
            budget = min(budget, sum(map(self.count, evidence))) - over - 8

    def write(self, text: str, choices: Sequence[str]) -> str:
        """What the model writes after a prompt: one of the choices, or free text."""
        import torch

        ids = torch.tensor([self.encode(text)], device=self.device)
        ends, start = self.settings["stop_ids"], ids.shape[1]
        tails = [self.encode(choice) for choice in choices]

        def allowed(_: int, so_far: Any) -> list[int]:
            written = so_far[start:].tolist()
            begun = [tail for tail in tails if tail[: len(written)] == written]
            return [tail[len(written)] if tail != written else ends[0] for tail in begun] or ends

        longest = max(map(len, tails), default=0) + 1
        with torch.inference_mode():
            out = self.model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=longest if tails else self.settings["free_max_tokens"],
                prefix_allowed_tokens_fn=allowed if tails else None,
                eos_token_id=ends,
                pad_token_id=ends[0],
            )
        # The end of a turn is an ordinary token to some tokenizers: it is cut off here by its id.
        written = out[0, start:].tolist()
        stop = next((place for place, token in enumerate(written) if token in ends), len(written))
        if tails:
            return next((c for c, t in zip(choices, tails, strict=True) if t == written[:stop]), "")
        return str(self.tokenizer.decode(written[:stop], skip_special_tokens=True)).strip()

    def answer(
        self, stem: str, options: Sequence[str], passages: Sequence[str], share: float
    ) -> str:
        """The answer as it is handed in; empty where the model gave nothing valid."""
        form = self.settings["answer_form"]
        choices = choice_candidates(options, form) if options else []
        text = self.write(self.prompt(stem, options, passages, share), choices)
        if not options:
            return tidy(text, self.settings["free_max_characters"])
        return str(choices.index(text) + 1) if text in choices else ""


def read(path: Path) -> tuple[list[str], list[list[str]], list[Asked]]:
    """(header, rows, questions): each question as (id, stem, options)."""
    with open(path, encoding="utf-8-sig", newline="") as handle:
        header, *rows = [row for row in csv.reader(handle) if any(row)]
    names = [name.strip().lower() for name in header]
    id_at, question_at = names.index("id"), names.index("question")
    questions: list[Asked] = []
    for row in rows:
        try:
            stem, options = split_options(row[question_at])
            questions.append((row[id_at], stem, list(options)))
        except Exception:  # more options than there are labels: answered as free text
            questions.append((row[id_at], row[question_at].strip(), []))
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


def answers_before(path: Path) -> tuple[dict[str, str], float]:
    """(answers by id, seconds used) that an earlier start left."""
    known: dict[str, str] = {}
    used = 0.0
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except ValueError:  # torn by a kill
                continue
            known[row["id"]], used = row["answer"], max(used, row["used"])
    return known, used


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
    settings = json.loads((HERE / "contest.json").read_text(encoding="utf-8"))
    header, rows, questions = read(given.questions)
    index = load_index(HERE / "index")
    found = [search(index, stem, options, settings["k"]) for _, stem, options in questions]
    answers = [
        without_model(identity, options, passages)
        for (identity, _, options), passages in zip(questions, found, strict=True)
    ]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    log = given.out.with_name("answers.jsonl")
    known, used = answers_before(log)
    answers = [known.get(asked[0], was) for asked, was in zip(questions, answers, strict=True)]
    write_submission(given.out, header, rows, answers)
    left = [place for place, question in enumerate(questions) if question[0] not in known]
    left.sort(key=lambda place: not questions[place][2])  # choices first: each is quick
    end = 60 * (given.budget_minutes - given.reserve_minutes) - used
    model = Model(settings)
    seconds = 0.0
    with open(log, "a", encoding="utf-8") as handle:
        handle.write("\n")  # closes a line that a kill tore
        for done, place in enumerate(left):
            now = time.monotonic() - started
            if now >= end:
                break
            fits = (end - now) / (len(left) - done) / (seconds / done if done else 1e-9)
            step = next((i for i, share in enumerate(SHARES) if fits >= max(share, 0.25)), 3)
            identity, stem, options = questions[place]
            answer = ""
            while not answer and step < len(SHARES):
                try:
                    answer = model.answer(stem, options, found[place], SHARES[step])
                except Exception as error:  # out of memory above all: less evidence, then none
                    say(f"{identity}: {type(error).__name__}: {error}"[:200])
                step += 1
            seconds += time.monotonic() - started - now
            if not answer:
                continue
            answers[place] = answer
            row = {"id": identity, "answer": answer, "used": used + time.monotonic() - started}
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            handle.flush()
            write_submission(given.out, header, rows, answers)
    write_submission(given.out, header, rows, answers)
    minutes = (time.monotonic() - started) / 60
    say(f"{len(questions)} rows in {given.out}, {minutes:.1f} minutes")


if __name__ == "__main__":
    main()
