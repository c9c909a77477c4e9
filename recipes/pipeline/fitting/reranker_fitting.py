"""Train the reranker of a run on the pairs of its embedder, with hard negatives from the corpus."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress, UserError
from kofinlaw.recipes.pipeline.fitting import retriever_fitting
from kofinlaw.records import Chunk

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.trainer.retriever.reranker import RankGroup, RerankerResult
    from kofinlaw.trainer.retriever.reranker_settings import RerankerSettings
    from kofinlaw.trainer.retriever.schedule import TrainingPair

__all__ = ["STAGE", "drawn_pairs", "rank_groups", "reranker_stage", "train_reranker"]

STAGE = "reranker"


def reranker_stage(bound: Run) -> Stage:
    """Return the training of `retriever.reranker` as a stage that reads the embedder's pairs.

    Raises UserError if the recipe does not have the section.
    """
    from kofinlaw.recipes.pipeline.code_hash import with_imported_packages
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage

    recipe = bound.recipe
    if recipe.retriever.reranker is None:
        raise UserError("the recipe trains no reranker", where="retriever.reranker")
    base = Path(recipe.retriever.base)
    return Stage(
        STAGE,
        partial(train_reranker, bound),
        settings={
            "reranker": recipe.retriever.reranker.model_dump(mode="json"),
            "base": recipe.retriever.base,
            "lexical": recipe.rag.lexical_kinds,
            "own": [recipe.retriever.pairs, recipe.retriever.own_share],
            "seed": recipe.seed,
        },
        inputs=(
            *((bound.path(recipe.retriever.pairs),) if recipe.retriever.pairs else ()),
            *((base,) if base.is_dir() else ()),
        ),
        packages=with_imported_packages("models", "trainer", "augment"),
        modules=(
            "kofinlaw.recipes.pipeline.run",
            "kofinlaw.recipes.pipeline.fitting.reranker_fitting",
            "kofinlaw.recipes.pipeline.fitting.retriever_pairs",
        ),
        after=("data", retriever_fitting.STAGE),
    )


def train_reranker(bound: Run, out: Path, progress: Progress) -> RerankerResult:
    """Give the pairs of the embedder and own pairs hard negatives, and train the reranker.

    Writes `groups.jsonl` and `model` into `out`. Raises UserError if no pair can be used.
    """
    from kofinlaw.data.korean.morpheme_cache import caching
    from kofinlaw.files import write_jsonl
    from kofinlaw.models.memory.heap import trim_heap
    from kofinlaw.recipes.pipeline.fitting.retriever_pairs import own_pairs, training_corpus
    from kofinlaw.trainer.retriever.pair_file import read_pairs
    from kofinlaw.trainer.retriever.reranker import fit_reranker
    from kofinlaw.trainer.retriever.trained_base import base_folder

    recipe, settings = bound.recipe, bound.recipe.retriever.reranker
    if settings is None:
        raise UserError("the recipe trains no reranker", where="retriever.reranker")
    corpus = training_corpus(bound)
    made = read_pairs(bound.folder / retriever_fitting.STAGE / "pairs.jsonl")
    made += own_pairs(bound, corpus)
    wanted = settings.steps * settings.batch + settings.held_out
    drawn = drawn_pairs(made, wanted, recipe.retriever.own_share, recipe.seed)
    kinds = recipe.rag.lexical_kinds
    with caching(bound.cache / "morphemes.sqlite"):
        groups = rank_groups(
            drawn, corpus.chunks, corpus.citing, settings, kinds, recipe.seed, progress
        )
    write_jsonl(out / "groups.jsonl", groups)
    del corpus, made, drawn
    trim_heap()  # the search for negatives leaves free space
    base = base_folder(recipe.retriever.base, bound.cache, offline=recipe.offline)
    return fit_reranker(
        base,
        groups,
        settings,
        out,
        seed=recipe.seed,
        origin=recipe.retriever.base,
        progress=progress,
    )


def drawn_pairs(
    pairs: Sequence[TrainingPair], wanted: int, own_share: float, seed: int
) -> list[TrainingPair]:
    """Return `wanted` pairs in a random order, `own_share` of them own ones and court issues if
    there are enough.

    Fewer are returned if there are fewer.
    """
    from kofinlaw.trainer.retriever.schedule import JUDGED

    rng = random.Random(f"{seed}:drawn")
    own = [pair for pair in pairs if pair.kind in JUDGED]
    others = [pair for pair in pairs if pair.kind not in JUDGED]
    rng.shuffle(own)
    rng.shuffle(others)
    share = round(own_share * wanted) if others else wanted
    out = own[: max(share, wanted - len(others))]
    out += others[: wanted - len(out)]
    rng.shuffle(out)
    return out


def rank_groups(
    pairs: Sequence[TrainingPair],
    chunks: Sequence[Chunk],
    citing: Sequence[tuple[str, str]],
    settings: RerankerSettings,
    lexical: Sequence[str],
    seed: int,
    progress: Progress,
) -> list[RankGroup]:
    """Return each pair as a query with its passage and hard negatives of the corpus.

    Args:
        pairs: The pairs; a passage may lie outside of the corpus.
        chunks: The corpus.
        citing: Pairs of units: the first one cites the second.
        settings: How many negatives a query gets.
        lexical: The kinds of tokens to search by (`kiwi`, `bigram`).
        seed: Decides the draw of the negatives.
        progress: Called after every hundred queries.
    """
    from kofinlaw.augment.retrieval.negatives import Asked, hard_negatives, lexical_search
    from kofinlaw.rag.index.tokens import tokens_of
    from kofinlaw.trainer.retriever.reranker import RankGroup

    # The check compares with the passage as the pair shows it; it is never found itself.
    template = Chunk("", "", "", "other", "", "", "", "", "", "", "")
    shown = [*chunks, *(replace(template, unit=one.unit, text=one.positive) for one in pairs)]
    asked = [Asked(one.anchor, len(chunks) + number) for number, one in enumerate(pairs)]
    searches = [lexical_search(chunks, partial(tokens_of, kind)) for kind in lexical]
    found = hard_negatives(
        asked, shown, citing, searches, count=settings.negatives, seed=seed, progress=progress
    )
    return [
        RankGroup(one.anchor, (one.positive, *(chunks[row].text for row in got.negatives)))
        for one, got in zip(pairs, found, strict=True)
    ]
