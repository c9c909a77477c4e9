"""Train a small cross-encoder that scores a query and a passage together.

Each query comes with one passage that answers it and some that do not; the loss is the
cross-entropy of the right one among them (ListNet with one relevant passage, Cao et al. 2007). A
killed training continues from its last checkpoint with the same weights.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from kofinlaw import Progress, UserError, __version__, silent
from kofinlaw.files import atomic_folder, sha256_text
from kofinlaw.models.identity import model_fingerprint
from kofinlaw.models.loading import quiet_bars
from kofinlaw.models.memory.heap import trim_heap
from kofinlaw.models.policy.trained_from import write_trained_from
from kofinlaw.trainer.retriever.loop import Loop, run_loop
from kofinlaw.trainer.retriever.reranker_settings import RerankerSettings

__all__ = ["FirstShare", "RankGroup", "RerankerResult", "fit_reranker"]

_PART = 32  # pairs that are scored in one forward pass when the model is measured


@dataclass(frozen=True, slots=True)
class RankGroup:
    """A query with its passages, of which only the first one answers it."""

    query: str
    passages: tuple[str, ...]


@dataclass(frozen=True)
class FirstShare:
    """How often held-out queries get their passage first; `by_chance` is what a draw would give."""

    queries: int
    at_1: float
    by_chance: float


@dataclass(frozen=True)
class RerankerResult:
    """Figures of one training. `before` and `after` are None without held-out queries."""

    groups: int
    steps: int
    planned_steps: int
    first_loss: float
    last_loss: float
    seconds: float
    before: FirstShare | None
    after: FirstShare | None

    def to_record(self) -> dict[str, object]:
        """Return the figures as JSON values by name."""
        return asdict(self)


def fit_reranker(
    base: Path,
    groups: Sequence[RankGroup],
    settings: RerankerSettings,
    out: Path,
    *,
    seed: int,
    origin: str = "",
    progress: Progress = silent,
) -> RerankerResult:
    """Train a cross-encoder from the body of the encoder in `base`, and write `out/model`.

    `origin`: the name of the base in the catalogue, which `out/model` records; empty: its folder.

    `rag.reranker` takes the folder, and sentence-transformers' `CrossEncoder` loads it alone. The
    same groups, settings, seed, machine and number of threads give the same weights, also if the
    training is interrupted. `budget_minutes` counts the time of earlier attempts too.

    Raises UserError if no group has a passage that does not answer, if the base cannot score pairs,
    or if the loss is not a number.
    """
    usable = [group for group in groups if len(group.passages) > 1]
    train, held_out = _hold_out(usable, settings.held_out, seed)
    if not train:
        raise UserError(
            f"none of the {len(groups)} queries can train a reranker: each needs a passage that "
            "answers it and one that does not",
            where="retriever.reranker",
            remedy="add documents or own pairs, or lower retriever.reranker.held_out",
        )
    model, tokenizer = _open(base, settings, seed)
    before = _measure(model, tokenizer, held_out, settings) if held_out else None
    batches = _schedule(train, settings, seed)
    loop = Loop(
        phase="train reranker",
        section="retriever.reranker",
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        seed=seed,
        checkpoint_steps=settings.checkpoint_steps,
        budget_minutes=settings.budget_minutes,
        checkpoints=out / "checkpoints",
        fingerprint=_fingerprint(base, train, settings, seed),
    )
    weights = {name: w for name, w in model.named_parameters() if w.requires_grad}
    done = run_loop(
        loop, weights, lambda step: _loss(model, tokenizer, batches[step], settings), progress
    )
    after = _measure(model, tokenizer, held_out, settings) if held_out else None
    trim_heap()  # saving copies the weights into the space of the steps
    with atomic_folder(out / "model") as folder, quiet_bars():
        model.save_pretrained(folder, safe_serialization=True)
        tokenizer.save_pretrained(folder)
        write_trained_from(folder, origin or str(base))
    shutil.rmtree(loop.checkpoints, ignore_errors=True)
    return RerankerResult(
        groups=len(train),
        steps=len(done.losses),
        planned_steps=settings.steps,
        first_loss=_mean(done.losses[:10]),
        last_loss=_mean(done.losses[-10:]),
        seconds=round(done.seconds, 1),
        before=before,
        after=after,
    )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4)


def _hold_out(
    groups: Sequence[RankGroup], count: int, seed: int
) -> tuple[list[RankGroup], list[RankGroup]]:
    """Return the groups to train on and those of held-out queries: at most a fifth of the queries.

    All groups of a query and all groups with the same first passage are on one side.
    """
    order = sorted({group.query for group in groups}, key=lambda q: sha256_text(f"{seed}{q}"))
    hidden = set(order[: min(count, len(order) // 5)])
    held = [group for group in groups if group.query in hidden]
    answers = {group.passages[0] for group in held}
    train = [g for g in groups if g.query not in hidden and g.passages[0] not in answers]
    return train, held


def _schedule(
    groups: Sequence[RankGroup], settings: RerankerSettings, seed: int
) -> list[list[RankGroup]]:
    """Return the groups of each step: all of them in a random order, again and again."""
    rng = random.Random(f"{seed}:reranker")
    stream: list[RankGroup] = []
    while len(stream) < settings.steps * settings.batch:
        order = list(groups)
        rng.shuffle(order)
        stream += order
    size = settings.batch
    return [stream[step * size : (step + 1) * size] for step in range(settings.steps)]


def _fingerprint(
    base: Path, groups: Sequence[RankGroup], settings: RerankerSettings, seed: int
) -> str:
    """Return a hash of everything that decides the weights; the budget and the rhythm of
    checkpoints are not among it.
    """
    used = settings.model_dump(mode="json", exclude={"budget_minutes", "checkpoint_steps"})
    texts = [sha256_text("\x1f".join((group.query, *group.passages))) for group in groups]
    versions = (__version__, torch.__version__, str(torch.get_num_threads()))
    return sha256_text(repr([model_fingerprint(base), texts, sorted(used.items()), seed, versions]))


def _open(
    base: Path, settings: RerankerSettings, seed: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the encoder with a new head of one score, and mark the weights that are trained."""
    torch.manual_seed(seed)  # of the head's first weights
    try:
        with quiet_bars(), _without_report():
            tokenizer = AutoTokenizer.from_pretrained(str(base), trust_remote_code=False)
            model = AutoModelForSequenceClassification.from_pretrained(
                str(base), num_labels=1, trust_remote_code=False, dtype=torch.float32
            )
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"this encoder cannot be made a reranker: {error}",
            where=str(base),
            remedy="name a BERT-like encoder, such as intfloat/multilingual-e5-small",
        ) from error
    tokenizer.model_max_length = settings.tokens
    _wake_pooler(model)
    _freeze(model, settings.layers)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return model.to(device), tokenizer


@contextlib.contextmanager
def _without_report() -> Iterator[None]:
    """Hide the report of transformers that the head's weights are new, as they must be."""
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _wake_pooler(model: PreTrainedModel) -> None:
    """Set a pooler without weights to the identity: from zero, no gradient passes through it."""
    pooler = getattr(model.base_model, "pooler", None)
    dense = getattr(pooler, "dense", None)
    if dense is not None and not bool(dense.weight.any()):
        with torch.no_grad():
            dense.weight.copy_(torch.eye(*dense.weight.shape))


def _freeze(model: PreTrainedModel, layers: int | None) -> None:
    """Let only the head and the upper `layers` learn; token embeddings never do."""
    embeddings = model.get_input_embeddings()
    for weight in embeddings.parameters():
        weight.requires_grad_(False)
    blocks = getattr(getattr(model.base_model, "encoder", None), "layer", None)
    if layers is None or blocks is None or layers >= len(blocks):
        return
    whole = getattr(model.base_model, "embeddings", embeddings)
    for part in (whole, *blocks[: len(blocks) - layers]):
        for weight in part.parameters():
            weight.requires_grad_(False)


def _loss(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    groups: Sequence[RankGroup],
    settings: RerankerSettings,
) -> Tensor:
    """Return the mean over the queries of the cross-entropy of the passage that answers."""
    model.train()
    scores = _scores(model, tokenizer, groups, settings)
    widths = [len(group.passages) for group in groups]
    table = torch.full((len(groups), max(widths)), -torch.inf, device=scores.device)
    rows = torch.repeat_interleave(torch.arange(len(groups)), torch.tensor(widths))
    columns = torch.cat([torch.arange(width) for width in widths])
    table = table.index_put((rows.to(scores.device), columns.to(scores.device)), scores)
    return functional.cross_entropy(
        table, torch.zeros(len(groups), dtype=torch.long).to(table.device)
    )


def _scores(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    groups: Sequence[RankGroup],
    settings: RerankerSettings,
) -> Tensor:
    """Return one score for each passage of each query, in order."""
    inputs = tokenizer(
        [group.query for group in groups for _ in group.passages],
        [passage for group in groups for passage in group.passages],
        padding=True,
        truncation="longest_first",
        max_length=settings.tokens,
        return_tensors="pt",
    ).to(model.device)
    half = settings.dtype == "bfloat16"
    products = torch.autocast(model.device.type, dtype=torch.bfloat16)
    with products if half else contextlib.nullcontext():
        logits: Tensor = model(**inputs).logits[:, 0]
    return logits.float()


def _measure(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    groups: Sequence[RankGroup],
    settings: RerankerSettings,
) -> FirstShare:
    """Return how often the passage that answers gets the highest score; a tie is no success."""
    model.eval()
    first = 0
    size = max(1, _PART // max(len(group.passages) for group in groups))
    with torch.inference_mode():
        for start in range(0, len(groups), size):
            part = groups[start : start + size]
            scores = _scores(model, tokenizer, part, settings).split(
                [len(group.passages) for group in part]
            )
            first += sum(bool((one[0] > one[1:]).all()) for one in scores)
    chance = sum(1 / len(group.passages) for group in groups) / len(groups)
    return FirstShare(len(groups), round(first / len(groups), 4), round(chance, 4))
