"""Measure a model on given tokens: distributions, losses, greedy continuations and choices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

__all__ = ["KeptRows", "Measured", "Probe", "RowFigures", "RowsSeen", "measure", "spread_rows"]

# Gets a text's index and its log-probabilities (compared rows, vocabulary), float32 on the CPU.
RowsSeen = Callable[[int, torch.Tensor], None]


@dataclass
class Probe:
    """The token ids that every compared model is run on.

    Attributes:
        texts: compared at every position.
        answer_starts: the position in each text where its answer begins.
        kl_rows: the positions in each text whose whole distribution is compared.
        openings: prompts that are continued greedily.
        greedy_tokens: most tokens of a continuation.
        stops: token ids that end a continuation.
        choices: (prompt, candidate continuations).
        passages: how many texts, at the end of `texts`, are passages without a chat template.
    """

    texts: list[list[int]]
    answer_starts: list[int]
    kl_rows: list[list[int]]
    openings: list[list[int]]
    greedy_tokens: int
    stops: list[int]
    choices: list[tuple[list[int], list[list[int]]]]
    passages: int = 0


@dataclass
class Measured:
    """The predictions of one model for a probe.

    Attributes:
        argmax: for each text, the most likely next token at each position but the last.
        losses: for each text, the loss in nats at the same positions.
        greedy: the continuations, as token ids.
        choice_scores: for each question, the log-probability of each candidate.
        seconds_per_token: time of the greedy continuations.
    """

    argmax: list[NDArray[np.int64]] = field(default_factory=list)
    losses: list[NDArray[np.float32]] = field(default_factory=list)
    greedy: list[list[int]] = field(default_factory=list)
    choice_scores: list[list[float]] = field(default_factory=list)
    seconds_per_token: float = 0.0

    @property
    def mean_loss(self) -> float:
        """Mean loss over all compared tokens, in nats."""
        return float(np.concatenate(self.losses).mean())

    def answer_loss(self, probe: Probe) -> float | None:
        """Return the mean loss over the answers' tokens, in nats;
        None where no text has an answer.
        """
        kept = [
            losses[start - 1 :]
            for losses, start in zip(self.losses, probe.answer_starts, strict=True)
        ]
        found = np.concatenate(kept)
        return float(found.mean()) if found.size else None


@dataclass(frozen=True, slots=True)
class RowFigures:
    """The predictions of a model at the probe's `kl_rows`, for models in llama.cpp and torch alike.

    Attributes:
        argmax: the most likely next token at each row.
        losses: the loss in nats at each row; None where it is not known.
        choices: the index of the picked candidate of each question; None where it is not known.
        tokens_per_second: speed of the greedy continuations.
        tokens: for a model with its own vocabulary, the token ids of each text to compare.
        rendered: for a model with its own chat template, the text of each dialogue to compare;
            empty where it refuses one.
    """

    argmax: list[int]
    losses: list[float | None]
    choices: list[int | None]
    tokens_per_second: float
    tokens: list[list[int]] = field(default_factory=list)
    rendered: list[str] = field(default_factory=list)


def spread_rows(lengths: Sequence[int], total: int) -> list[list[int]]:
    """Return about `total` positions, spread evenly over texts of these lengths in tokens.

    The last position of a text is never chosen: the token it predicts is not known.
    """
    positions = [(text, row) for text, length in enumerate(lengths) for row in range(length - 1)]
    step = max(1, -(-len(positions) // total))
    rows: list[list[int]] = [[] for _ in lengths]
    for text, row in positions[::step]:
        rows[text].append(row)
    return rows


def measure(
    model: torch.nn.Module, probe: Probe, rows_seen: RowsSeen, *, tick: Callable[[], None]
) -> Measured:
    """Run a causal language model over the probe.

    `rows_seen` gets the log-probabilities of each text's compared rows. `tick` is called after
    each text, question and continuation.
    """
    device = next(model.parameters()).device
    out = Measured()
    with torch.inference_mode():
        for index, ids in enumerate(probe.texts):
            tokens = torch.tensor([ids], device=device)
            logits = model(input_ids=tokens, use_cache=False).logits[0].float()
            log_probs = torch.log_softmax(logits[:-1], dim=-1)
            losses = -log_probs.gather(1, tokens[0, 1:, None])[:, 0]
            out.argmax.append(logits[:-1].argmax(dim=-1).cpu().numpy())
            out.losses.append(losses.cpu().numpy())
            rows_seen(index, log_probs[probe.kl_rows[index]].cpu())
            tick()
        for prompt, candidates in probe.choices:
            out.choice_scores.append(_score(model, prompt, candidates, device))
            tick()
        seconds, tokens_made = 0.0, 0
        for opening in probe.openings:
            began = time.monotonic()
            out.greedy.append(_continue(model, opening, probe, device))
            seconds += time.monotonic() - began
            tokens_made += len(out.greedy[-1])
            tick()
        out.seconds_per_token = seconds / tokens_made if tokens_made else 0.0
    return out


def _score(
    model: torch.nn.Module,
    prompt: list[int],
    candidates: list[list[int]],
    device: torch.device,
) -> list[float]:
    """Return the log-probability of each candidate after the prompt."""
    if all(len(candidate) == 1 for candidate in candidates):
        tokens = torch.tensor([prompt], device=device)
        last = model(input_ids=tokens, use_cache=False, logits_to_keep=1).logits[0, -1].float()
        scores = torch.log_softmax(last, dim=-1)
        return [float(scores[candidate[0]]) for candidate in candidates]
    totals = []
    for candidate in candidates:
        tokens = torch.tensor([[*prompt, *candidate]], device=device)
        keep = len(candidate) + 1
        logits = model(input_ids=tokens, use_cache=False, logits_to_keep=keep).logits[0].float()
        scores = torch.log_softmax(logits[:-1], dim=-1)
        wanted = torch.tensor(candidate, device=device)[:, None]
        totals.append(float(scores.gather(1, wanted).sum()))
    return totals


def _continue(
    model: torch.nn.Module, opening: list[int], probe: Probe, device: torch.device
) -> list[int]:
    """Return the greedy continuation of an opening, up to a stop token."""
    tokens = torch.tensor([opening], device=device)
    cache, made = None, []
    for _ in range(probe.greedy_tokens):
        step = model(input_ids=tokens, past_key_values=cache, use_cache=True, logits_to_keep=1)
        token = int(step.logits[0, -1].argmax())
        made.append(token)
        if token in probe.stops:
            break
        cache, tokens = step.past_key_values, torch.tensor([[token]], device=device)
    return made


class KeptRows:
    """Keeps the reference's distributions and compares other models with them.

    Texts are named by their index in the probe; log-probabilities are (rows, vocabulary).
    """

    def __init__(self) -> None:
        self.rows: dict[int, torch.Tensor] = {}
        self.divergences: list[NDArray[np.float32]] = []

    def keep(self, text: int, log_probs: torch.Tensor) -> None:
        """Keep the reference's rows of a text."""
        self.rows[text] = log_probs

    def compare(self, text: int, log_probs: torch.Tensor) -> None:
        """Compute KL(reference || this model) of each row of a text, in nats."""
        kept = self.rows[text]
        divergence = (kept.exp() * (kept - log_probs)).sum(dim=-1).clamp_(min=0)
        self.divergences.append(divergence.numpy())

    def take(self) -> NDArray[np.float32]:
        """Return the divergences of all rows since the last call, in nats."""
        found = np.concatenate(self.divergences or [np.zeros(0, np.float32)])
        self.divergences = []
        return found
