"""Count the pairs that `fit-retriever` builds from a recipe's documents, and their lengths.

If the stage `data` is complete for these documents and settings, its corpus is counted. Otherwise
the documents are read as for a count of examples: a small corpus whole, of a large one a sample.
The cache holds numbers only.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import sha256_file
from kofinlaw.recipes.pipeline.code_hash import code_sha256
from kofinlaw.recipes.pipeline.planning.dry_count import (
    content_hash,
    documents_key,
    keep,
    sampled_files,
    tokens_per_character,
)
from kofinlaw.recipes.pipeline.run import Run
from kofinlaw.tolerant_files import read_json

__all__ = ["PairCount", "pair_count"]


@dataclass(frozen=True)
class PairCount:
    """What `fit-retriever` trains on.

    - `kinds` counts the pairs by kind, own ones included; `units` are the articles that they name.
    - `characters` is the length of all passages.
    - `query_tokens` and `passage_tokens` are mean lengths after cutting, by an estimated rate.
    - `exact` says whether the whole corpus was counted.
    """

    kinds: dict[str, int]
    units: int
    characters: int
    query_tokens: float
    passage_tokens: float
    exact: bool

    @property
    def pairs(self) -> int:
        """All pairs."""
        return sum(self.kinds.values())


def pair_count(run: Run, progress: Progress = silent) -> PairCount:
    """Count the pairs of a recipe with `data`.

    Raises UserError for documents and own pairs that cannot be read.
    """
    from kofinlaw.data.corpus import build_corpus

    chunks = _finished_chunks(run)
    path = run.cache / "plans" / f"pairs-{content_hash(_key(run, chunks))}.json"
    known = read_json(path)
    if known is not None:
        with contextlib.suppress(KeyError, TypeError):
            return PairCount(**known)
    settings = run.recipe.data
    assert settings is not None  # else there is nothing to count
    if chunks is not None:
        found = _count(run, chunks.parent, 1.0)
    else:
        base = run.recipe_file.path.parent
        sampled, share = sampled_files(settings, base)
        with tempfile.TemporaryDirectory() as work:
            corpus = Path(work) / "data"
            rate = tokens_per_character(run.recipe.model.id)
            build_corpus(
                sampled,
                corpus,
                base=base,
                count_tokens=lambda text: int(rate * len(text)) + 1,
                progress=progress,
            )
            found = _count(run, corpus, share)
    keep(path, asdict(found))
    return found


def _finished_chunks(run: Run) -> Path | None:
    """Return the chunks of the run's folder; None if the stage `data` would run again."""
    from kofinlaw.recipes.pipeline.integrity.fingerprints import is_complete
    from kofinlaw.recipes.pipeline.stages import build_stages

    chunks = run.folder / "data" / "chunks.jsonl"
    if not chunks.is_file() or not is_complete(build_stages(run), "data", run.folder):
        return None
    return chunks


def _key(run: Run, chunks: Path | None) -> dict[str, object]:
    """Return everything that the count depends on."""
    recipe = run.recipe
    holdout = {"holdout_documents", "holdout_share"}
    used = {"kinds", "pairs", "query_tokens", "passage_tokens", "method", "base"}
    own = run.path(recipe.retriever.pairs) if recipe.retriever.pairs else None
    return {
        **documents_key(run),
        "corpus": sha256_file(chunks) if chunks is not None else "",
        "own": sha256_file(own) if own is not None and own.is_file() else "",
        "retriever": recipe.retriever.model_dump(mode="json", include=used),
        "augment": recipe.augment.model_dump(mode="json", include=holdout),
        "seed": recipe.seed,
        "code": [
            code_sha256("kofinlaw.augment"),
            code_sha256("kofinlaw.recipes.pipeline.planning"),
        ],
    }


def _count(run: Run, folder: Path, share: float) -> PairCount:
    """Count the corpus of a folder, which is this share of the whole."""
    from kofinlaw.augment.retrieval.pairs import build_pairs, read_corpus
    from kofinlaw.recipes.pipeline.fitting.retriever_pairs import corpus_of
    from kofinlaw.trainer.retriever.pair_file import numbered_pairs
    from kofinlaw.trainer.retriever.schedule import OWN

    recipe, settings = run.recipe, run.recipe.retriever
    # Held-out titles need not be in a sample.
    corpus = corpus_of(recipe, folder) if share == 1 else read_corpus(folder)
    made = build_pairs(corpus, settings.kinds, seed=recipe.seed)
    kinds = {kind: round(n / share) for kind, n in Counter(pair.kind for pair in made).items()}
    queries = [len(pair.anchor) for pair in made]
    passages = [len(pair.positive) for pair in made]
    units = round(len({pair.unit for pair in made}) / share)
    if settings.pairs:
        own = [pair for _, pair in numbered_pairs(run.path(settings.pairs), OWN)]
        kinds[OWN] = len(own)
        queries += [len(pair.anchor) for pair in own]
        passages += [len(pair.positive) for pair in own if pair.positive]
        units += len({pair.unit for pair in own})
    if not queries:
        raise UserError(
            "there are no pairs to train on",
            where="retriever.kinds",
            remedy="add documents with articles, or name own pairs with retriever.pairs",
        )
    cut = settings.method != "static"
    return PairCount(
        kinds=dict(sorted(kinds.items())),
        units=units,
        characters=round(sum(len(chunk.text) for chunk in corpus.chunks) / share),
        query_tokens=_mean(queries, settings.base, settings.query_tokens if cut else None),
        passage_tokens=_mean(passages, settings.base, settings.passage_tokens if cut else None),
        exact=share == 1,
    )


def _mean(lengths: Sequence[int], model: str, longest: int | None) -> float:
    """Return the mean tokens of texts of so many characters, with the marks around a text."""
    rate = tokens_per_character(model)
    tokens = [rate * length + 2 for length in lengths]
    cut = [min(one, longest) for one in tokens] if longest is not None else tokens
    return round(sum(cut) / max(1, len(cut)), 1)
