"""Score given continuations by log-probability; single tokens need one pass per prompt."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from kofinlaw.models.engines.base import ChoiceScore, length_batches
from kofinlaw.models.engines.decoder import Decoder

__all__ = ["SHARED_TOKENS", "common_length", "score_choices", "shared_beginnings"]

# A common beginning is read once if it saves at least this many tokens and half the prompt.
SHARED_TOKENS = 48


def score_choices(
    decoder: Decoder,
    prompts: Sequence[Sequence[int]],
    tails: Sequence[Sequence[Sequence[int]]],
    *,
    max_tokens: int,
    max_rows: int,
) -> list[list[ChoiceScore]]:
    """Return the summed log-probability of each tail (token ids) after its prompt.

    If all tails of a prompt are single tokens (labels), the prompt is read once and the head is
    computed at its last position only. Longer tails continue from the prompt's cache. Batches hold
    at most `max_rows` rows and `max_tokens` padded tokens.
    """
    labels = [i for i, row in enumerate(tails) if all(len(tail) == 1 for tail in row)]
    out: list[list[ChoiceScore]] = [[] for _ in prompts]
    with torch.inference_mode():
        for indices, shared in shared_beginnings({i: prompts[i] for i in labels}):
            lengths = [len(prompts[i]) - shared for i in indices]
            cache = decoder.read_prefix(prompts[indices[0]][:shared]) if shared else None
            for batch in length_batches(lengths, max_tokens, max_rows):
                rows = [prompts[indices[j]][shared:] for j in batch]
                hidden = decoder.hidden(rows, shared, cache)
                lasts = torch.stack([hidden[row, lengths[j] - 1] for row, j in enumerate(batch)])
                firsts = [[tail[0] for tail in tails[indices[j]]] for j in batch]
                for j, found in zip(batch, decoder.logprobs_of(lasts, firsts), strict=True):
                    out[indices[j]] = [ChoiceScore(score, 1) for score in found]
        for i in sorted(set(range(len(prompts))) - set(labels)):
            out[i] = _score_texts(decoder, prompts[i], tails[i], max_tokens, max_rows)
    return out


def _score_texts(
    decoder: Decoder,
    prompt: Sequence[int],
    tails: Sequence[Sequence[int]],
    max_tokens: int,
    max_rows: int,
) -> list[ChoiceScore]:
    """Read the prompt once, then all its tails in batches on copies of its cache.

    The head is computed once for each distinct beginning of the tails: all tails share the state
    before their first token.
    """
    cache = decoder.read_prefix(prompt[:-1]) if len(prompt) > 1 else None
    # Each row starts with the prompt's last token, whose state scores the tail's first token.
    rows = [[prompt[-1], *tail[:-1]] for tail in tails]
    totals = [0.0] * len(tails)
    for batch in length_batches([len(row) for row in rows], max_tokens, max_rows):
        hidden = decoder.hidden([rows[j] for j in batch], len(prompt) - 1, cache)
        states: list[torch.Tensor] = []
        wanted: list[list[int]] = []
        places: list[list[tuple[int, int]]] = []  # of each tail's tokens: (state, token in it)
        known: dict[tuple[int, ...], int] = {}
        for row, j in enumerate(batch):
            places.append([])
            for position, token in enumerate(tails[j]):
                number = known.setdefault(tuple(tails[j][:position]), len(states))
                if number == len(states):
                    states.append(hidden[row, position])
                    wanted.append([])
                places[-1].append((number, len(wanted[number])))
                wanted[number].append(token)
        logprobs = decoder.logprobs_of(torch.stack(states), wanted)
        for j, tokens in zip(batch, places, strict=True):
            totals[j] = sum(logprobs[number][token] for number, token in tokens)
    return [ChoiceScore(total, len(tail)) for total, tail in zip(totals, tails, strict=True)]


def shared_beginnings(prompts: dict[int, Sequence[int]]) -> list[tuple[list[int], int]]:
    """Group prompts (token ids by index) that have a common beginning.

    Returns the indices of each group and the number of tokens that it shares at its start. Prompts
    that differ only in their ends (the same evidence, options in another order) form a group; all
    other prompts form one group that shares 0 tokens.
    """
    order = sorted(prompts, key=lambda i: (list(prompts[i]), i))
    groups: list[tuple[list[int], int]] = []
    for index in order:
        ids = prompts[index]
        if groups:
            members, shared = groups[-1]
            common = min(shared, common_length(prompts[members[-1]], ids), len(ids) - 1)
            if common >= SHARED_TOKENS and common >= len(ids) // 2:
                groups[-1] = ([*members, index], common)
                continue
        groups.append(([index], len(ids) - 1))
    alone = sorted(members[0] for members, _ in groups if len(members) == 1)
    together = [(members, shared) for members, shared in groups if len(members) > 1]
    return ([(alone, 0)] if alone else []) + together


def common_length(left: Sequence[int], right: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common at their start."""
    for position, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return position
    return min(len(left), len(right))
