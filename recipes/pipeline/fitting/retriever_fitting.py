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
            "retriever": recipe.retriever.model_dump(mode="json"),
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
        ),
        after=("data",),
    )


def train_retriever(bound: Run, out: Path, progress: Progress) -> FitResult:
    """Build the pairs of a run, train the embedder, and write pairs and model into `out`.

    Documents that are held out from training are held out here too. Raises UserError if own pairs
    contain an evaluation question.
    """
    from kofinlaw.augment.heldout.holdout_choice import held_out_titles
    from kofinlaw.augment.reading.acts import read_laws
    from kofinlaw.augment.retrieval.negatives import with_negatives
    from kofinlaw.augment.retrieval.pairs import build_pairs, read_corpus
    from kofinlaw.files import read_jsonl, write_jsonl
    from kofinlaw.recipes.pipeline.ready_examples import check_texts
    from kofinlaw.recipes.pipeline.run import protected_examples
    from kofinlaw.records import Article
    from kofinlaw.trainer.retriever.fit import fit_embedder
    from kofinlaw.trainer.retriever.schedule import OWN, read_pairs
    from kofinlaw.trainer.retriever.trainee import base_folder

    recipe, settings = bound.recipe, bound.recipe.retriever
    folder = bound.folder / "data"
    progress("pairs", 0)
    laws = read_laws(read_jsonl(folder / "articles.jsonl", Article))
    left_out = held_out_titles(recipe.augment, laws) if recipe.augment.holds_out else ()
    corpus = read_corpus(folder, left_out)
    made = build_pairs(corpus, settings.kinds, seed=recipe.seed)
    if settings.negatives:
        made = with_negatives(made, corpus, seed=recipe.seed, progress=progress)
    write_jsonl(out / "pairs.jsonl", made)
    pairs = read_pairs(out / "pairs.jsonl")
    if settings.pairs:
        path = bound.path(settings.pairs)
        own = read_pairs(path, OWN)
        check_texts(
            [f"{pair.anchor} {pair.positive}" for pair in own], protected_examples(bound), path
        )
        pairs += own
    base = base_folder(settings.base, bound.cache, offline=recipe.offline)
    return fit_embedder(base, pairs, settings, out, seed=recipe.seed, progress=progress)
