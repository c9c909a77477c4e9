"""Measure ways to answer free text: generate, the nearest sentence, a choice among sentences.

    kofinlaw index quickstart
    python benchmarks/free_text.py runs/quickstart --generate
    python benchmarks/free_text.py runs/statutes-cpu --heldout --rows even --limit 30

RUN has the stages `data` and `index`; with `--heldout`, `augment` with `augment.holdout_free` too.
The model is the run's base, or `--model`. Nothing is trained. Each question is searched once; the
prompts are those of `kofinlaw answer`. For each way: the contest's score and the share of key
facts. A choice of weights is made with `--rows odd` and reported with `--rows even`.
The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from outcome import outcome

from kofinlaw.files import read_jsonl
from kofinlaw.models.embedders import open_embedder
from kofinlaw.models.engines.factory import open_engine
from kofinlaw.models.templates import template_for
from kofinlaw.rag.answer.deadline import FULL
from kofinlaw.rag.answer.engine_calls import Reply, ask_engine, missing_bare_scores
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.rag.choosing.bare_scores import BareScores
from kofinlaw.rag.choosing.preference import Weights, option_probabilities, preferences
from kofinlaw.rag.index.index import Index
from kofinlaw.rag.retrieve.evidence import search_questions
from kofinlaw.rag.retrieve.retriever import Retriever
from kofinlaw.recipes.pipeline.run import Run, model_folder, reopen
from kofinlaw.records import Key, Question
from kofinlaw.scoring.metrics.fsku import cosines, free_score, keyword_recall
from kofinlaw.scoring.metrics.key_facts import score_facts

WAYS = (
    {"nearest": 1.0},
    {"question": 1.0},
    {"nearest": 1.0, "question": 0.5},
    {"nearest": 1.0, "question": 1.0},
    {"nearest": 1.0, "question": 2.0},
    {"nearest": 1.0, "question": 4.0},
)
MODEL_WAYS = (
    {"contrast": 1.0},
    {"likelihood": 1.0},
    {"evidence": 1.0},
    {"nearest": 1.0, "contrast": 0.5},
    {"nearest": 1.0, "evidence": 0.2},
)


def asked(run: Run, given: argparse.Namespace) -> list[tuple[Question, Key]]:
    """Return the free-text questions with their keys; of odd or even position, as wanted."""
    folder = run.folder / "augment"
    files = (folder / "heldout_questions.jsonl", folder / "heldout_key.jsonl")
    evaluate = run.recipe.evaluate
    if not given.heldout:
        if evaluate is None or evaluate.questions is None or evaluate.key is None:
            raise SystemExit("the recipe names no questions with a key: add --heldout")
        files = (run.path(str(evaluate.questions)), run.path(str(evaluate.key)))
    keys = {key.id: key for key in read_jsonl(files[1], Key)}
    free = [q for q in read_jsonl(files[0], Question) if not q.options]
    start, step = {"all": (0, 1), "even": (0, 2), "odd": (1, 2)}[given.rows]
    return [(q, keys[q.id]) for q in free[start::step]][: given.limit]


def chosen(reply: Reply, voters: dict[str, float]) -> str:
    """Return the sentence that these weights choose from the recorded votes."""
    texts = [quote.text for quote in reply.prompt.quotes]
    preferred = preferences(reply.votes, Weights(voters), negative=False)
    chances = option_probabilities(preferred, texts)
    return texts[chances.index(max(chances))]


def main() -> None:
    """Answer in every way and print the scores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a run's folder")
    parser.add_argument("--heldout", action="store_true", help="the held-out questions of augment")
    parser.add_argument("--rows", choices=["all", "odd", "even"], default="all")
    parser.add_argument("--limit", type=int, default=None, help="most questions")
    parser.add_argument("--model", type=Path, default=None, help="another model's folder")
    parser.add_argument("--generate", action="store_true", help="generate answers as well")
    parser.add_argument("--all-voters", action="store_true", help="also those that read the prompt")
    given = parser.parse_args()
    run = reopen(given.run)
    items = asked(run, given)
    ways = [*WAYS, *(MODEL_WAYS if given.all_voters else ())]
    names = {name for way in ways for name in way}
    base = run.recipe.answer
    choosing = AnswerSettings.model_validate(
        {**base.model_dump(), "free_by": "choose", "free_voters": dict.fromkeys(names, 1.0)}
    )
    generating = AnswerSettings.model_validate({**base.model_dump(), "free_by": "generate"})
    folder = given.model or model_folder(run)
    template = template_for(folder)
    retriever = Retriever(Index.load(run.folder / "index"), run.recipe.rag, cache=run.cache)
    hits = search_questions(retriever, [question for question, _ in items])
    with open_engine(base.engine, folder, seed=run.recipe.seed) as engine:

        def replies(settings: AnswerSettings) -> list[Reply | None]:
            tokens = retriever.settings.evidence_tokens
            prompter = Prompter(template, settings, tokens, engine.tokenizer.count)
            bare = BareScores()
            out: list[Reply | None] = []
            for (question, _), found in zip(items, hits, strict=True):
                prompt = prompter.build(question, [hit.chunk for hit in found], FULL)
                bare.add(missing_bare_scores(engine, [prompt], bare))
                out += ask_engine(
                    engine,
                    [prompt],
                    [(run.recipe.seed, 0)],
                    settings,
                    stop=template.stop,
                    plan=FULL,
                    bare=bare,
                )
            return out

        quoted = replies(choosing)
        written = replies(generating) if given.generate else []
    texts = {"question given back": [question.question for question, _ in items]}
    for way in ways:
        texts[json.dumps(way)] = [
            chosen(reply, way) if reply and reply.votes else "" for reply in quoted
        ]
    if given.generate:
        texts["generate, unusable text replaced"] = [r.text if r else "" for r in written]
    figures = report(items, texts, run.recipe.score.embedder or "multilingual-e5-small", run.cache)
    if given.generate:
        figures["replaced"] = [r.replaced for r in written if r and r.replaced]
    rule, best = figures[json.dumps(WAYS[0])], figures[json.dumps(WAYS[-2])]
    echo = figures["question given back"]["contest"]
    targets = {
        "chosen, contest's score, not below nearest": (best["contest"], (">=", rule["contest"])),
        "chosen, key facts, not below nearest": (best["key_facts"], (">=", rule["key_facts"])),
        "chosen, contest's score, above the question": (best["contest"], (">", echo)),
    }
    print(outcome({"questions": len(items), **figures}, targets))


def report(
    items: Sequence[tuple[Question, Key]],
    texts: dict[str, list[str]],
    embedder: str,
    cache: Path,
) -> dict[str, Any]:
    """Print and return the two scores of each way, and the questions it answers differently."""
    model = open_embedder(embedder, cache=cache)

    def mean(values: Sequence[float]) -> float:
        return round(100 * sum(values) / max(len(values), 1), 1)

    figures: dict[str, Any] = {}
    rule = texts[json.dumps(WAYS[0])]
    for name, answers in texts.items():
        near = cosines(model, answers, [key.reference for _, key in items])
        contest = [
            free_score(cosine, keyword_recall(text, key.keywords))
            for cosine, text, (_, key) in zip(near, answers, items, strict=True)
        ]
        facts = [
            score_facts(question.question, key.reference, text).score
            for text, (question, key) in zip(answers, items, strict=True)
        ]
        figures[name] = {
            "contest": mean(contest),
            "key_facts": mean([fact for fact in facts if fact is not None]),
            "other_than_nearest": sum(a != b for a, b in zip(answers, rule, strict=True)),
        }
        print(f"{name:45} {figures[name]}", flush=True)
    return figures


if __name__ == "__main__":
    main()
