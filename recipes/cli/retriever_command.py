"""Define the command `fit-retriever`: train an embedder on the documents that it will search."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import Progress, UserError
from kofinlaw.recipes.cli.binding import bind_recipe
from kofinlaw.recipes.cli.console import command_line, say, say_next, short_path
from kofinlaw.recipes.cli.options import (
    DEFAULT_RUNS,
    Overrides,
    RecipeName,
    ResumeMode,
    Runs,
    Trust,
    check_resume,
    same_run,
)

if TYPE_CHECKING:
    from kofinlaw.recipes.pipeline.integrity.fingerprints import Stage
    from kofinlaw.recipes.pipeline.run import Run
    from kofinlaw.trainer.retriever.fit import FitResult

__all__ = ["STAGE", "fit_retriever", "retriever_stage", "train_retriever"]

STAGE = "retriever"


def fit_retriever(
    recipe: RecipeName,
    overrides: Overrides = None,
    runs: Runs = DEFAULT_RUNS,
    resume: ResumeMode = "if-possible",
    trust: Trust = False,
) -> None:
    """Train an embedder on the recipe's documents, without labels (section `retriever`)."""
    from kofinlaw.offline import guard
    from kofinlaw.recipes.pipeline.compliance import check_policy
    from kofinlaw.recipes.pipeline.lock import run_lock
    from kofinlaw.recipes.pipeline.runner import run_stages
    from kofinlaw.recipes.pipeline.stages import build_stages

    mode = check_resume(resume)
    bound = bind_recipe(recipe, overrides, runs)
    check_policy(bound.recipe)
    if bound.recipe.data is None:
        raise UserError(
            "an embedder is trained on documents, and this recipe has none",
            where=str(bound.recipe_file.path),
            remedy="name them in data.sources",
        )
    _check_packages()
    documents = [stage for stage in build_stages(bound) if stage.name == "data"]
    stages = [*documents, retriever_stage(bound)]
    reranks = bound.recipe.retriever.reranker is not None
    if reranks:
        from kofinlaw.recipes.pipeline.fitting.reranker_fitting import reranker_stage

        stages.append(reranker_stage(bound, STAGE))
    offline = guard(offline=bound.recipe.offline)
    with run_lock(bound.folder, say), offline:
        outcomes = run_stages(
            stages, bound.folder, resume=mode, trust=trust, say=lambda line: say(f"  {line}")
        )
    for line in _lines(outcomes[len(documents)].record["counts"]):
        say(f"  {line}")
    model = short_path(bound.folder / STAGE / "model")
    options = same_run(overrides, runs)
    if reranks:
        _say_reranker(bound, outcomes[-1].record["counts"])
    say_next(command_line("index", recipe, *options, "--set", f"rag.embedder={model}"))


def _say_reranker(bound: Run, counts: Mapping[str, Any]) -> None:
    """Show the figures of `RerankerResult.to_record`, and how to use the model."""
    say(f"  reranker: {counts['groups']} queries, {counts['steps']} steps")
    for name in ("before", "after"):
        if row := counts[name]:
            say(
                f"  {name}: {row['at_1']:.1%} of {row['queries']} held-out queries get their "
                f"passage first (by chance {row['by_chance']:.1%})"
            )
    folder = short_path(bound.folder / "reranker" / "model")
    say(f"  to try the reranker, set rag.reranker: {folder} and rag.rerank_share: 0.2")


def _lines(counts: Mapping[str, Any]) -> list[str]:
    """Return the figures of `FitResult.to_record` as sentences."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts["kinds"].items())
    steps, planned = counts["steps"], counts["planned_steps"]
    lines = [
        f"{counts['pairs']} pairs: {kinds}",
        f"loss {counts['first_loss']} -> {counts['last_loss']} in {steps} steps",
    ]
    if steps < planned:
        lines.append(f"ended by retriever.budget_minutes after {steps} of {planned} steps")
    for name in ("before", "after"):
        row = counts[name]
        if row:
            lines.append(
                f"{name}: {row['at_1']:.1%} of {row['queries']} held-out queries find their "
                f"passage first, {row['at_10']:.1%} among ten of {row['passages']}"
            )
    return lines


def _check_packages() -> None:
    from importlib.util import find_spec

    if find_spec("sentence_transformers") is None:
        raise UserError(
            "training an embedder needs sentence-transformers",
            remedy="pip install 'kofinlaw[dense]'",
        )


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
        modules=("kofinlaw.recipes.pipeline.run", "kofinlaw.recipes.cli.retriever_command"),
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
