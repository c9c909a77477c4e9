"""Count the training examples and test questions of a corpus by making them in a temporary folder.

The stage `augment` itself is run with the recipe's settings, so the count of a small corpus is the
count of the run. A large corpus is counted on a sample of its documents, and the result is a range.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

from kofinlaw import Progress, silent
from kofinlaw.augment.heldout.holdout_choice import held_out_titles
from kofinlaw.augment.reading.acts import Laws, read_laws
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.files import read_json_lines, read_jsonl, write_jsonl
from kofinlaw.recipes.pipeline.planning.count_record import DryCount, name_order
from kofinlaw.records import Article

__all__ = ["COUNTED_CHARACTERS", "FILES_SPREAD", "SAMPLE_SPREAD", "TOKEN_SPREAD", "count_of_corpus"]

COUNTED_CHARACTERS = 100_000  # text of articles that is counted: some seconds of work
# Half-width of the range of a count, as a share of the count: on a sample of the documents that
# were read, on a sample of the files, and with estimated tokens. docs/benchmarks.md has the
# differences that were measured.
SAMPLE_SPREAD = 0.2
FILES_SPREAD = 0.6
TOKEN_SPREAD = 0.05


def count_of_corpus(
    augment: AugmentSettings,
    corpus: Path,
    *,
    seed: int,
    count_tokens: Callable[[str], int],
    estimated: bool,
    protected: Sequence[str] = (),
    share: float = 1.0,
    progress: Progress = silent,
) -> DryCount:
    """Count what a corpus gives.

    Args:
        augment: The settings of the recipe; a teacher and a student are left out.
        corpus: A folder with `articles.jsonl` and `chunks.jsonl`. Counting a part of a large corpus
            writes a folder next to it.
        seed: The recipe's seed.
        count_tokens: Counts the tokens of a text.
        estimated: Whether `count_tokens` only estimates.
        protected: Evaluation questions, which no example may contain.
        share: The share of the whole corpus that `corpus` is, 0 to 1; below 1 nothing is held out.
        progress: Receives the phases of the work.

    Raises UserError as the stage `augment` does.
    """
    plain = augment.model_copy(
        update={"teacher": None, "preferences": False, "write_as": (), "select": "weights"}
    )
    laws = read_laws(read_jsonl(corpus / "articles.jsonl", Article))
    held = held_out_titles(plain, laws) if share == 1 else ()
    part = _part(laws, frozenset(held))
    counted, scale = corpus, share
    if part is not None or share < 1:
        # Held-out documents give no example, so they do not count in the share of the sample.
        titles, covered = part or (frozenset(laws.titles), 1.0)
        scale = share * covered
        counted = _corpus_of(corpus, titles)
        plain = _without_tests(plain, scale)
    out = corpus.with_name("augment")
    made = generate_examples(
        plain,
        counted,
        out,
        seed=seed,
        count_tokens=count_tokens,
        protected_texts=protected,
        progress=progress,
    )
    lengths = _lengths(out / "examples.jsonl", count_tokens)
    card = json.loads((out / "card.json").read_text(encoding="utf-8"))
    kinds = {str(name): round(n / scale) for name, n in card["examples"].items()}
    examples, spread = round(made.examples / scale), 0.0
    if share < 1:
        spread = FILES_SPREAD
    elif scale < 1:
        spread = SAMPLE_SPREAD
    if estimated:
        spread += TOKEN_SPREAD
    if augment.select != "weights":
        spread += TOKEN_SPREAD
    held_free = (made.heldout_free or 0) if scale == 1 else augment.holdout_free
    return DryCount(
        items=round(made.items / scale),
        examples=examples,
        wanted=augment.items,
        low=math.floor(examples * (1 - spread)),
        high=math.ceil(examples * (1 + spread)),
        tests=made.heldout if scale == 1 else augment.holdout_items + augment.holdout_free,
        free_tests=held_free,
        mean_tokens=round(sum(lengths) / len(lengths)) if lengths else 0,
        longest_tokens=max(lengths, default=0),
        kinds=kinds,
        rejected={str(name): round(n / scale) for name, n in card["rejected"].items()},
        how=_how(scale, estimated=estimated),
        held_out=tuple(held),
    )


def _how(scale: float, *, estimated: bool) -> str:
    """Return in words where a count comes from."""
    how = "counted on your documents, with the run's own settings"
    if scale < 1:
        how = f"counted on a sample of {scale:.1%} of your documents"
    return f"{how}; tokens are estimated, as the tokenizer is not here" if estimated else how


def _without_tests(settings: AugmentSettings, scale: float) -> AugmentSettings:
    """Return the settings for a part of a corpus without its held-out documents."""
    return settings.model_copy(
        update={
            "items": max(1, round(settings.items * scale)),
            "holdout_documents": (),
            "holdout_share": 0.0,
            "holdout_items": 0,
            "holdout_free": 0,
        }
    )


def _part(laws: Laws, held: frozenset[str]) -> tuple[frozenset[str], float] | None:
    """Return the titles of a part of the trainable acts, and its share of their text; None if the
    whole is small enough to be counted.
    """
    sizes = {
        law.title: sum(len(article.text) for article in law.articles)
        for law in laws.acts
        if law.title not in held
    }
    total = sum(sizes.values())
    if sum(len(a.text) for law in laws.acts for a in law.articles) <= COUNTED_CHARACTERS:
        return None
    taken: dict[str, int] = {}
    for title in sorted(sizes, key=name_order):
        if sum(taken.values()) + sizes[title] <= COUNTED_CHARACTERS or not taken:
            taken[title] = sizes[title]
    return frozenset(taken), sum(taken.values()) / max(1, total)


def _corpus_of(corpus: Path, titles: frozenset[str]) -> Path:
    """Write the records of some documents into a folder next to a corpus, and return it."""
    part = corpus.with_name("part")
    for name in ("articles.jsonl", "chunks.jsonl"):
        rows = (row for _, row in read_json_lines(corpus / name) if row["title"] in titles)
        part.mkdir(parents=True, exist_ok=True)
        write_jsonl(part / name, rows)
    return part


def _lengths(examples: Path, count: Callable[[str], int]) -> list[int]:
    """Return the tokens of each example, without those of the chat template."""
    return [
        sum(count(message["content"]) for message in row["messages"])
        for _, row in read_json_lines(examples)
    ]
