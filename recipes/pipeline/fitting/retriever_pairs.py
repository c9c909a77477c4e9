"""Read what `fit-retriever` trains on: the corpus without held-out documents, and own pairs."""

from __future__ import annotations

import difflib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError

if TYPE_CHECKING:
    from kofinlaw.augment.retrieval.pairs import Corpus
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.recipes.pipeline.schema import Recipe
    from kofinlaw.records import Chunk
    from kofinlaw.trainer.retriever.schedule import TrainingPair

__all__ = ["check_fit", "corpus_of", "own_pairs", "training_corpus"]


def check_fit(bound: Run) -> None:
    """Raise UserError for what would stop `fit-retriever` later: documents, packages, base, pairs.

    Nothing is loaded and no document is read.
    """
    from kofinlaw.models.catalogue import lookup_model
    from kofinlaw.models.embedders import require_sentence_transformers
    from kofinlaw.trainer.retriever.pair_file import FORM, numbered_pairs
    from kofinlaw.trainer.retriever.trained_base import check_base

    recipe, settings = bound.recipe, bound.recipe.retriever
    if recipe.data is None:
        raise UserError(
            "an embedder is trained on documents, and this recipe has none",
            where=str(bound.recipe_file.path),
            remedy="name them in data.sources",
        )
    card = lookup_model(settings.base)
    require_sentence_transformers(card.id if card is not None else settings.base)
    check_base(settings.base, offline=recipe.offline)
    if settings.pairs:
        path = bound.path(settings.pairs)
        if next(numbered_pairs(path), None) is None:
            raise UserError(
                "the file of own pairs is empty",
                where=str(path),
                remedy=f"write lines of {FORM}, or leave out retriever.pairs",
            )
        for _ in numbered_pairs(path):
            pass  # every line is checked
    elif not settings.kinds:
        raise UserError(
            "there are no pairs to train on",
            where="retriever.kinds",
            remedy="name kinds of pairs, or own pairs with retriever.pairs",
        )


def training_corpus(bound: Run) -> Corpus:
    """Return the corpus of a run without the documents that are held out from training."""
    return corpus_of(bound.recipe, bound.folder / "data")


def corpus_of(recipe: Recipe, folder: Path) -> Corpus:
    """Return the corpus in a folder without the documents that the recipe holds out."""
    from kofinlaw.augment.heldout.holdout_choice import held_out_titles
    from kofinlaw.augment.reading.acts import read_laws
    from kofinlaw.augment.retrieval.pairs import read_corpus
    from kofinlaw.files import read_jsonl
    from kofinlaw.records import Article

    laws = read_laws(read_jsonl(folder / "articles.jsonl", Article))
    left_out = held_out_titles(recipe.augment, laws) if recipe.augment.holds_out else ()
    return read_corpus(folder, left_out)


def own_pairs(bound: Run, corpus: Corpus) -> list[TrainingPair]:
    """Return the pairs of the user; a pair that names its article gets the article's passage.

    Raises UserError with file and line for a broken line, for an article that the corpus lacks, and
    for a pair that holds an evaluation question.
    """
    from kofinlaw.recipes.pipeline.ready_examples import check_texts
    from kofinlaw.recipes.pipeline.run import protected_examples
    from kofinlaw.trainer.retriever.pair_file import numbered_pairs
    from kofinlaw.trainer.retriever.schedule import OWN

    if not bound.recipe.retriever.pairs:
        return []
    path = bound.path(bound.recipe.retriever.pairs)
    passages: dict[str, list[Chunk]] = {}
    for chunk in corpus.chunks:
        passages.setdefault(chunk.unit, []).append(chunk)
    found = list(numbered_pairs(path, OWN, partial(_passage, passages, path)))
    check_texts(
        [f"{pair.anchor} {pair.positive} {pair.negative}" for _, pair in found],
        protected_examples(bound),
        path,
        [line for line, _ in found],
    )
    return [pair for _, pair in found]


def _passage(passages: dict[str, list[Chunk]], path: Path, unit: str, query: str, line: int) -> str:
    """Return the passage of a unit that shares the most characters with the query, in runs of two.

    Raises UserError for a unit that has no passage.
    """
    if unit not in passages:
        near = difflib.get_close_matches(unit, passages, 1)
        raise UserError(
            f"the documents hold no unit `{unit}`, or it is held out from training",
            where=f"{path}:{line}",
            remedy=(f"did you mean `{near[0]}`? " if near else "")
            + "give the passage as `positive` without `unit`, or remove the line",
        )
    runs = {query[i : i + 2] for i in range(len(query) - 1)}
    return max(passages[unit], key=lambda chunk: sum(run in chunk.text for run in runs)).text
