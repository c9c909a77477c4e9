"""Train an embedder on pairs: contrastive steps that resume exactly, measured before and after.

The loss is sentence-transformers' MultipleNegativesRankingLoss (Henderson et al. 2017), or its
cached form (Gao et al. 2021) where a step does not fit into one forward pass: the gradient is the
same.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.files import atomic_folder, sha256_text
from kofinlaw.models.embedders import unit_rows
from kofinlaw.models.identity import model_fingerprint
from kofinlaw.models.memory.heap import trim_heap
from kofinlaw.models.policy.trained_from import write_trained_from
from kofinlaw.trainer.retriever.loop import Loop, run_loop
from kofinlaw.trainer.retriever.schedule import JUDGED, TrainingPair, hold_out, schedule
from kofinlaw.trainer.retriever.settings import RetrieverSettings
from kofinlaw.trainer.retriever.trainee import Trainee, open_trainee

__all__ = ["FitResult", "Found", "fit_embedder", "measure"]

_CANDIDATES = 2_000  # passages among which held-out queries search
_QUERIES = 300
_JUDGED = 30  # so many held-out questions of people are enough to be measured alone


@dataclass(frozen=True)
class Found:
    """How well held-out queries find their passage: the shares found at rank 1 and in ten, and the
    mean reciprocal rank. `judged`: the queries are own pairs and court issues, not built ones.
    """

    judged: bool
    queries: int
    passages: int
    at_1: float
    at_10: float
    mrr: float


@dataclass(frozen=True)
class FitResult:
    """Figures of one training. `before` and `after` are None without held-out pairs."""

    pairs: int
    kinds: dict[str, int]
    steps: int
    planned_steps: int
    first_loss: float
    last_loss: float
    seconds: float
    before: Found | None
    after: Found | None

    def to_record(self) -> dict[str, object]:
        """Return the figures as JSON values by name."""
        return asdict(self)


def fit_embedder(
    base: Path,
    pairs: Sequence[TrainingPair],
    settings: RetrieverSettings,
    out: Path,
    *,
    seed: int,
    origin: str = "",
    progress: Progress = silent,
) -> FitResult:
    """Train the embedder in `base` and write it as `out/model`; a killed training continues.

    `origin`: the name of the base in the catalogue, which `out/model` records; empty: its folder.

    A training that is interrupted and continued gives the same weights as one that is not, on the
    same machine with the same number of threads. `budget_minutes` counts the time of earlier
    attempts too.

    Raises UserError if there are no pairs, too few for a batch, or if the loss is not a number.
    """
    if not pairs:
        raise UserError(
            "there are no pairs to train on",
            where="retriever.kinds",
            remedy="add documents with articles, or name own pairs with retriever.pairs",
        )
    train, held_out = hold_out(pairs, settings.held_out_share, seed)
    batches = schedule(
        train,
        steps=settings.steps,
        batch=settings.batch_of(
            min(len({pair.unit for pair in train}), len({pair.anchor for pair in train}))
        ),
        own_share=settings.own_share,
        seed=seed,
    )
    trainee = open_trainee(
        base, settings, seed, [text for p in pairs for text in (p.anchor, p.positive)]
    )
    loop = Loop(
        phase="train",
        section="retriever",
        steps=settings.steps,
        learning_rate=settings.rate,
        seed=seed,
        checkpoint_steps=settings.checkpoint_steps,
        budget_minutes=settings.budget_minutes,
        checkpoints=out / "checkpoints",
        fingerprint=_fingerprint(base, train, settings, seed),
    )
    before = measure(trainee, held_out, pairs, seed) if held_out else None
    done = run_loop(
        loop, trainee.weights, lambda step: _loss(trainee, batches[step], settings), progress
    )
    after = measure(trainee, held_out, pairs, seed) if held_out else None
    trim_heap()  # saving copies the weights into the space of the steps
    with atomic_folder(out / "model") as folder:
        trainee.save(folder)
        write_trained_from(folder, origin or str(base))
    shutil.rmtree(loop.checkpoints, ignore_errors=True)
    kinds: dict[str, int] = {}
    for pair in train:
        kinds[pair.kind] = kinds.get(pair.kind, 0) + 1
    losses = done.losses
    tail = losses[-10:]
    return FitResult(
        pairs=len(train),
        kinds=dict(sorted(kinds.items())),
        steps=len(losses),
        planned_steps=settings.steps,
        first_loss=round(sum(losses[:10]) / len(losses[:10]), 4),
        last_loss=round(sum(tail) / len(tail), 4),
        seconds=round(done.seconds, 1),
        before=before,
        after=after,
    )


def _fingerprint(
    base: Path, pairs: Sequence[TrainingPair], settings: RetrieverSettings, seed: int
) -> str:
    """Return a hash of everything that decides the weights; the budget and the rhythm of
    checkpoints are not among it.
    """
    used = settings.model_dump(
        mode="json", exclude={"budget_minutes", "checkpoint_steps", "base_share", "reranker"}
    )
    texts = [sha256_text("\x1f".join(asdict(pair).values())) for pair in pairs]
    versions = (__version__, torch.__version__, str(torch.get_num_threads()))
    return sha256_text(repr([model_fingerprint(base), texts, sorted(used.items()), seed, versions]))


def _loss(
    trainee: Trainee, batch: Sequence[TrainingPair], settings: RetrieverSettings
) -> torch.Tensor:
    """Return the loss of one step."""
    from sentence_transformers.sentence_transformer.losses import (
        CachedMultipleNegativesRankingLoss,
        MultipleNegativesRankingLoss,
    )

    model, scale = trainee.model, settings.scale
    loss_of = (
        MultipleNegativesRankingLoss(model, scale=scale)
        if settings.pass_pairs >= len(batch) or settings.method == "static"
        else CachedMultipleNegativesRankingLoss(
            model, scale=scale, mini_batch_size=settings.pass_pairs
        )
    )
    model.train()
    columns = _columns(trainee, batch, settings)
    dtype = "float32" if settings.method == "static" else settings.dtype
    with _products(model.device.type, dtype):
        loss: torch.Tensor = loss_of(columns, torch.empty(0))
    return loss


def _products(device: str, dtype: str) -> contextlib.AbstractContextManager[object]:
    half = dtype == "bfloat16"
    return torch.autocast(device, dtype=torch.bfloat16) if half else contextlib.nullcontext()


def _columns(
    trainee: Trainee, batch: Sequence[TrainingPair], settings: RetrieverSettings
) -> list[dict[str, torch.Tensor]]:
    """Return the inputs of the loss: queries, passages and, if the pairs have them, negatives.

    A pair without a negative gets the passage of its neighbour, which is a negative already.
    """
    texts = [[pair.anchor for pair in batch], [pair.positive for pair in batch]]
    if settings.negatives and any(pair.negative for pair in batch):
        others = [*batch[1:], batch[0]]
        pairs = zip(batch, others, strict=True)
        texts.append([pair.negative or other.positive for pair, other in pairs])
    sides = [True, *([False] * (len(texts) - 1))]
    return [_inputs(trainee, part, side, settings) for part, side in zip(texts, sides, strict=True)]


def _inputs(
    trainee: Trainee, texts: Sequence[str], query: bool, settings: RetrieverSettings
) -> dict[str, torch.Tensor]:
    model = trainee.model
    prompts = model.prompts or {}
    prompt = prompts.get("query" if query else "document") or ""
    if settings.method == "static":  # its table reads a text of any length
        return dict(model.preprocess([prompt + text for text in texts]))
    longest = settings.query_tokens if query else settings.passage_tokens
    allowed = model.max_seq_length
    model.max_seq_length = min(longest, allowed or longest)
    try:
        made = model.preprocess([prompt + text for text in texts])
    finally:
        model.max_seq_length = allowed
    return {
        name: value.to(model.device) if isinstance(value, torch.Tensor) else value
        for name, value in made.items()
    }


def measure(
    trainee: Trainee, held_out: Sequence[TrainingPair], pairs: Sequence[TrainingPair], seed: int
) -> Found:
    """Search held-out queries among their passages and passages of other units.

    Own pairs and court issues are measured alone if there are enough of them: real questions
    resemble them more than built ones. At most 300 queries and 2,000 passages, the first by hash,
    so that they do not depend on the order of the pairs.
    """
    judged = [pair for pair in held_out if pair.kind in JUDGED]
    held_out = judged if len(judged) >= _JUDGED else held_out
    queries = sorted(held_out, key=lambda pair: sha256_text(f"{seed}{pair.anchor}"))[:_QUERIES]
    passages = list(dict.fromkeys(pair.positive for pair in queries))
    others = sorted({pair.positive for pair in pairs} - set(passages), key=sha256_text)
    passages += others[: max(0, _CANDIDATES - len(passages))]
    units: dict[str, set[str]] = {}
    for pair in pairs:
        units.setdefault(pair.positive, set()).add(pair.unit)
    encode = trainee.model.encode
    trainee.model.eval()
    with torch.no_grad():
        asked = unit_rows(
            np.asarray(encode([p.anchor for p in queries], prompt_name=_name(trainee, True)))
        )
        held = unit_rows(np.asarray(encode(passages, prompt_name=_name(trainee, False))))
    ranks = []
    for pair, scores in zip(queries, asked @ held.T, strict=True):
        own = [i for i, text in enumerate(passages) if pair.unit in units[text]]
        ranks.append(1 + int((scores > scores[own].max()).sum()))
    count = max(len(ranks), 1)
    return Found(
        judged=held_out is judged,
        queries=len(queries),
        passages=len(passages),
        at_1=round(sum(rank == 1 for rank in ranks) / count, 4),
        at_10=round(sum(rank <= 10 for rank in ranks) / count, 4),
        mrr=round(sum(1 / rank for rank in ranks) / count, 4),
    )


def _name(trainee: Trainee, query: bool) -> str | None:
    name = "query" if query else "document"
    return name if (trainee.model.prompts or {}).get(name) else None
