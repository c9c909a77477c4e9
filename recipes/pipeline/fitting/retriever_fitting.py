"""Train an embedder on the documents that it will search: a stage after `data`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import Progress

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.trainer.retriever.fit import FitResult

__all__ = ["STAGE", "retriever_stage", "train_retriever"]

STAGE = "retriever"


def retriever_stage(bound: Run) -> Stage:
    """Return the training as a stage: finished work is kept as long as nothing changed."""
    from kofinlaw.recipes.pipeline.code_hash import with_imported_packages
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage

    recipe = bound.recipe
    own = (bound.path(recipe.retriever.pairs),) if recipe.retriever.pairs else ()
    base = Path(recipe.retriever.base)
    return Stage(
        STAGE,
        partial(train_retriever, bound),
        settings={
            "retriever": recipe.retriever.model_dump(mode="json", exclude={"reranker"}),
            "holdout": recipe.augment.model_dump(
                mode="json", include={"holdout_documents", "holdout_share"}
            ),
            "seed": recipe.seed,
        },
        inputs=(*own, *((base,) if base.is_dir() else ())),
        packages=with_imported_packages("models", "trainer", "augment"),
        modules=(
            "kofinlaw.recipes.pipeline.run",
            "kofinlaw.recipes.pipeline.fitting.retriever_fitting",
            "kofinlaw.recipes.pipeline.fitting.retriever_pairs",
        ),
        after=("data",),
    )


def train_retriever(bound: Run, out: Path, progress: Progress) -> FitResult:
    """Build the pairs of a run, train the embedder, and write pairs and model into `out`.

    Documents that are held out from training are held out here too. Raises UserError for a
    mistake in the own pairs, and if they hold an evaluation question.
    """
    from kofinlaw.augment.retrieval.negatives import with_negatives
    from kofinlaw.augment.retrieval.pairs import build_pairs
    from kofinlaw.files import write_jsonl
    from kofinlaw.models.memory.heap import trim_heap
    from kofinlaw.recipes.pipeline.fitting.retriever_pairs import own_pairs, training_corpus
    from kofinlaw.trainer.retriever.fit import fit_embedder
    from kofinlaw.trainer.retriever.joining import join_with_base
    from kofinlaw.trainer.retriever.schedule import TrainingPair
    from kofinlaw.trainer.retriever.trained_base import base_folder

    recipe, settings = bound.recipe, bound.recipe.retriever
    progress("pairs", 0)
    corpus = training_corpus(bound)
    own = own_pairs(bound, corpus)
    made = build_pairs(corpus, settings.kinds, seed=recipe.seed)
    if settings.negatives:
        made = with_negatives(made, corpus, seed=recipe.seed, progress=progress)
    write_jsonl(out / "pairs.jsonl", made)
    pairs = [TrainingPair(p.anchor, p.positive, p.negative, p.kind, p.unit) for p in made] + own
    del corpus, made
    trim_heap()  # the search for negatives leaves free space
    base = base_folder(settings.base, bound.cache, offline=recipe.offline)
    result = fit_embedder(
        base, pairs, settings, out, seed=recipe.seed, origin=settings.base, progress=progress
    )
    passages = [pair.positive for pair in pairs]
    join_with_base(settings.base, out, passages, settings.joined_share, bound.cache)
    return result
