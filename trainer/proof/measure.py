"""What a model does with given tokens: distributions, losses, continuations, choices."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Probe:
    """What every model is put to, as token ids.

    `texts` are compared at all positions; the answer of text i begins at `answer_starts[i]`;
    `kl_rows[i]` are the positions of text i whose whole
    distribution is compared. `openings` are continued greedily by `greedy_tokens` until one of
    `stops`. `choices` are (prompt, candidate continuations). The last `passages` of the texts are
    plain passages without a template around them.
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
    """What one model did. Losses in nats; `choice_scores` log-probabilities by candidate."""

    argmax: list[np.ndarray] = field(default_factory=list)
    losses: list[np.ndarray] = field(default_factory=list)
    greedy: list[list[int]] = field(default_factory=list)
    choice_scores: list[list[float]] = field(default_factory=list)
    seconds_per_token: float = 0.0

    @property
    def mean_loss(self) -> float:
        """Mean over all compared tokens."""
        return float(np.concatenate(self.losses).mean())

    def answer_loss(self, probe: Probe) -> float | None:
        """Mean over the tokens of answers alone; None where no text has one."""
        kept = [
            losses[start - 1 :]
            for losses, start in zip(self.losses, probe.answer_starts, strict=True)
        ]
        found = np.concatenate(kept)
        return float(found.mean()) if found.size else None


RowsSeen = Callable[[int, Any], None]


def spread_rows(lengths: Sequence[int], total: int) -> list[list[int]]:
    """About `total` positions spread evenly over texts of these lengths (never the last one's
    end: every position but the last predicts a token that is known)."""
    positions = [(text, row) for text, length in enumerate(lengths) for row in range(length - 1)]
    step = max(1, -(-len(positions) // total))
    rows: list[list[int]] = [[] for _ in lengths]
    for text, row in positions[::step]:
        rows[text].append(row)
    return rows


def measure(model: Any, probe: Probe, rows_seen: RowsSeen, *, tick: Callable[[], None]) -> Measured:
    """Run a model over the probe. `rows_seen(text, log_probs)` gets the log-probabilities
    (rows, vocabulary), float32, of each text's compared rows; `tick` is called after each part."""
    import torch

    device = next(model.parameters()).device
    out = Measured()
    with torch.inference_mode():
        for number, ids in enumerate(probe.texts):
            tokens = torch.tensor([ids], device=device)
            logits = model(input_ids=tokens, use_cache=False).logits[0].float()
            log_probs = torch.log_softmax(logits[:-1], dim=-1)
            losses = -log_probs.gather(1, tokens[0, 1:, None])[:, 0]
            out.argmax.append(logits[:-1].argmax(dim=-1).cpu().numpy())
            out.losses.append(losses.cpu().numpy())
            rows_seen(number, log_probs[probe.kl_rows[number]].cpu())
            tick()
        for prompt, candidates in probe.choices:
            out.choice_scores.append(_score(model, prompt, candidates, device))
            tick()
        spent, made = 0.0, 0
        for opening in probe.openings:
            began = time.monotonic()
            out.greedy.append(_continue(model, opening, probe, device))
            spent, made = spent + time.monotonic() - began, made + len(out.greedy[-1])
            tick()
        out.seconds_per_token = spent / made if made else 0.0
    return out


def _score(model: Any, prompt: list[int], candidates: list[list[int]], device: Any) -> list[float]:
    import torch

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


def _continue(model: Any, opening: list[int], probe: Probe, device: Any) -> list[int]:
    import torch

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
    """The reference's distributions, kept to compare the next model's with."""

    def __init__(self) -> None:
        self.rows: dict[int, Any] = {}
        self.divergences: list[np.ndarray] = []

    def keep(self, text: int, log_probs: Any) -> None:
        """Remember the reference's rows of a text."""
        self.rows[text] = log_probs

    def compare(self, text: int, log_probs: Any) -> None:
        """Add KL(reference || this) of each row, in nats."""
        kept = self.rows[text]
        divergence = (kept.exp() * (kept - log_probs)).sum(dim=-1).clamp_(min=0)
        self.divergences.append(divergence.numpy())

    def take(self) -> np.ndarray:
        """The divergences since the last call."""
        found = np.concatenate(self.divergences) if self.divergences else np.zeros(0)
        self.divergences = []
        return found
