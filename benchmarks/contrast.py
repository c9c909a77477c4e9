"""Measure choices by contrast: questions a second, compared with a bare forward pass.

    python benchmarks/contrast.py --work DIR --index INDEX [--questions 48] [--repeats 3]

The questions are those of Korean law and tax exams (the unchanged train and dev files of
kmmlu_dev), with 320 tokens of evidence from the index. Evidence is searched before the clock
starts. These ways run in alternation on the same questions, and the ratio is paired by turn:

- `contrast`: prompts, bare scores and choices as an answering run makes them, with an empty cache
  of bare scores at the start of each turn.
- `contrast and voters`: the same with overlap, look-up and passages.
- `score`: the options are listed and their texts are scored (`choose_by: score`).
- `forward pass`: the decoder reads the same tokens (prompts, options, options without context) in
  batches of the same size, and the head is computed at the positions of the options. There is no
  sharing, no cache and no padding beyond the batch.

The last line is JSON.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import torch
from answering import exam
from development_data import DATA, require
from outcome import outcome

from kofinlaw.models.engines.base import length_batches
from kofinlaw.models.engines.transformers_engine import CPU_SCORE_TOKENS, TransformersEngine
from kofinlaw.models.quickstart import quickstart_model
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.templates import ChatTemplate, template_for
from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.rag.answer.engine_calls import ask_engine, missing_bare_scores
from kofinlaw.rag.answer.prompts import Prompt, Prompter
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.evidence import search_questions
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.rag.settings import RagSettings
from kofinlaw.records import Chunk, Question

BATCH = 16
EVIDENCE_TOKENS = 320
WAYS: dict[str, AnswerSettings] = {
    "contrast": AnswerSettings(choose_by="contrast"),
    "contrast and voters": AnswerSettings(
        choose_by="contrast",
        voters={"contrast": 1.0, "overlap": 0.4},
    ),
    "score": AnswerSettings(choose_by="score", answer_form="text"),
}


def ask(
    engine: TransformersEngine,
    template: ChatTemplate,
    asked: Sequence[tuple[Question, Sequence[Chunk]]],
    settings: AnswerSettings,
) -> list[Prompt]:
    """Choose an option of each question; returns the prompts."""
    prompter = Prompter(template, settings, EVIDENCE_TOKENS, engine.tokenizer.count)
    bare = BareScores()
    made = []
    for start in range(0, len(asked), BATCH):
        prompts = [prompter.build(q, found, FULL) for q, found in asked[start : start + BATCH]]
        if settings.choose_by == "contrast":
            bare.add(missing_bare_scores(engine, prompts, bare))
        seeds = [(0, 0)] * len(prompts)
        replies = ask_engine(
            engine, prompts, seeds, settings, stop=template.stop, plan=FULL, bare=bare
        )
        assert all(reply is not None for reply in replies)
        made += prompts
    return made


def token_rows(
    engine: TransformersEngine, prompts: Sequence[Prompt]
) -> list[tuple[list[int], int]]:
    """Return rows of tokens with the number of scored ones at their end.

    A row holds a prompt and all its options; another holds the bare prompt and the options.
    """
    tokenizer = engine.tokenizer
    rows = []
    for prompt in prompts:
        assert prompt.contrast is not None
        for text in (prompt.text, prompt.contrast.bare):
            tails = [tokenizer.continuation(text, choice) for choice in prompt.choices]
            scored = [token for tail in tails for token in tail]
            rows.append((tokenizer.encode(text) + scored, len(scored)))
    return rows


def forward(engine: TransformersEngine, rows: Sequence[tuple[list[int], int]]) -> None:
    """Read the rows in batches, and compute the head at the scored positions."""
    with torch.inference_mode():
        for batch in length_batches([len(ids) for ids, _ in rows], CPU_SCORE_TOKENS, BATCH):
            hidden = engine.decoder.hidden([rows[i][0] for i in batch])
            states = [
                hidden[number, len(rows[i][0]) - rows[i][1] : len(rows[i][0])]
                for number, i in enumerate(batch)
            ]
            wanted = [[token] for i in batch for token in rows[i][0][-rows[i][1] :]]
            engine.decoder.logprobs_of(torch.cat(states), wanted)


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--questions", type=int, default=48)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    require(given.data / "kmmlu_dev", "--data")
    folder = quickstart_model()
    template = template_for(folder)
    questions, _ = exam(given.data, ("Law", "Taxation"), given.questions)
    index = Index.load(given.index)
    lexical = "both" if len(index.meta["lexical"]) == 2 else index.meta["lexical"][0]
    retriever = Retriever(index, RagSettings(lexical=lexical, evidence_tokens=EVIDENCE_TOKENS))
    found = search_questions(retriever, questions)
    asked = [(q, [hit.chunk for hit in hits]) for q, hits in zip(questions, found, strict=True)]
    engine = TransformersEngine(EngineSettings(), folder)
    ask(engine, template, asked[:BATCH], WAYS["contrast"])  # warms up
    prompts = [
        Prompter(template, WAYS["contrast"], EVIDENCE_TOKENS, engine.tokenizer.count).build(
            q, chunks, FULL
        )
        for q, chunks in asked
    ]
    rows = token_rows(engine, prompts)
    runs: dict[str, Callable[[], object]] = {
        name: (lambda settings=settings: ask(engine, template, asked, settings))
        for name, settings in WAYS.items()
    }
    runs["forward pass"] = lambda: forward(engine, rows)
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(given.repeats):
        names = list(runs)
        for name in names if turn % 2 == 0 else reversed(names):
            started = time.perf_counter()
            runs[name]()
            seconds[name].append(time.perf_counter() - started)
            print({name: round(seconds[name][-1], 2)}, flush=True)
    table: dict[str, Any] = {}
    for name, values in seconds.items():
        ratios = [v / f for v, f in zip(values, seconds["forward pass"], strict=True)]
        table[name] = {
            "questions a second": round(len(asked) / median(values), 2),
            "times a forward pass": round(median(ratios), 2),
            "ratios": [round(ratio, 2) for ratio in ratios],
        }
    tokens = sum(len(ids) for ids, _ in rows)
    fast, ratio = table["contrast"]["questions a second"], table["contrast"]["times a forward pass"]
    figures = {
        "questions": len(asked),
        "tokens": tokens,
        "prompt_tokens": sum(prompt.tokens for prompt in prompts),
        "ways": table,
    }
    for name, row in table.items():
        print(f"{name:22} {row['questions a second']:6.2f} {row['times a forward pass']:6.2f}")
    targets = {
        "questions a second": (fast, (">=", 1.5)),
        "times a forward pass": (ratio, ("<=", 1.35)),
    }
    print(outcome(figures, targets))


if __name__ == "__main__":
    main()
