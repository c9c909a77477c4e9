"""Generate batches of texts with a key-value cache: greedy, sampled or constrained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import Cache

from kofinlaw.models.engines.base import Finish, Generation, Request, cut_at_stop
from kofinlaw.models.engines.constraints import ChoiceTrie, Constraint
from kofinlaw.models.engines.decoder import Decoder
from kofinlaw.models.tokenizer import Tokenizer

__all__ = ["ActiveSequence", "generate_batch"]


class ActiveSequence:
    """One answer during generation: its request, its prompt's token ids and its constraint."""

    def __init__(
        self, request: Request, prompt: list[int], constraint: Constraint | None = None
    ) -> None:
        self.request = request
        self.prompt = prompt
        self.generated: list[int] = []
        self.logprob = 0.0
        self.finish: Finish | None = None
        self._constraint = constraint
        self._generator: torch.Generator | None = None
        if constraint is not None and constraint.done:  # a single choice
            self.finish = "stop"

    def label_tokens(self) -> list[int]:
        """Return one token per choice if the answer is the likeliest of single-token choices.

        Empty if a choice has more tokens, if the answer is sampled or if there are no choices.
        """
        trie = self._constraint
        if isinstance(trie, ChoiceTrie) and self.request.temperature == 0 and not trie.done:
            return trie.single_tokens()
        return []

    def append_next(
        self, logprobs: Tensor, best: int, ends: frozenset[int], tokenizer: Tokenizer
    ) -> None:
        """Choose the next token, append it, and set `finish` if the text ends.

        With a constraint, the token is chosen among the allowed ones in proportion to their
        probabilities; the sum `logprob` uses the model's unconstrained probabilities.

        Args:
            logprobs: log-probabilities [vocabulary] of the next token.
            best: the likeliest token.
            ends: ids of the tokens that end a text.
            tokenizer: decodes the text to look for stop strings.
        """
        if self._constraint is not None:
            self._append_allowed(self._constraint, logprobs)
            return
        token = best if self.request.temperature == 0 else self._sample(logprobs)
        self._append(logprobs, token)
        if token in ends or self._has_stop(tokenizer):
            self.finish = "stop"
        elif len(self.generated) >= self.request.max_tokens:
            self.finish = "length"

    def _append_allowed(self, constraint: Constraint, logprobs: Tensor) -> None:
        allowed = torch.as_tensor(constraint.allowed_tokens(), device=logprobs.device)
        if not len(allowed):
            self.finish = "stop" if constraint.complete else "error"
            return
        some = logprobs[allowed]
        index = int(some.argmax()) if self.request.temperature == 0 else self._sample(some)
        token = int(allowed[index])
        self._append(logprobs, token)
        constraint.advance(token)
        if constraint.done:
            self.finish = "stop"
        elif len(self.generated) >= self.request.max_tokens and not self.request.choices:
            self.finish = "length"

    def _append(self, logprobs: Tensor, token: int) -> None:
        self.logprob += float(logprobs[token])
        self.generated.append(token)

    def _has_stop(self, tokenizer: Tokenizer) -> bool:
        if not self.request.stop:
            return False
        # A stop string of n characters has at most n tokens; 4 more allow for merged neighbours.
        tail = self.generated[-(max(map(len, self.request.stop)) + 4) :]
        text = tokenizer.decode(tail, skip_special_tokens=False)
        return any(stop in text for stop in self.request.stop)

    def _sample(self, logprobs: Tensor) -> int:
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.request.seed)
        weights = torch.softmax(logprobs.float().cpu() / self.request.temperature, dim=-1)
        return int(torch.multinomial(weights, 1, generator=self._generator))

    def result(self, tokenizer: Tokenizer) -> Generation:
        """Return the finished generation, without its stop string or end token."""
        if self._constraint is not None:
            text = self._constraint.text
        else:
            text, _ = cut_at_stop(tokenizer.decode(self.generated), self.request.stop)
        finish = self.finish or "stop"
        return Generation(text, len(self.prompt), len(self.generated), finish, self.logprob)


def generate_batch(
    decoder: Decoder,
    tokenizer: Tokenizer,
    sequences: Sequence[ActiveSequence],
    ends: frozenset[int],
) -> list[Generation]:
    """Generate until every sequence is finished, as one batch.

    Equal prompts (votes) are read once. Finished rows leave the batch when they make up half of
    it, so that one long answer does not keep all other rows in the computation. `ends` are the ids
    of the tokens that end a text.
    """
    rows = [sequence for sequence in sequences if sequence.finish is None]
    with torch.inference_mode():
        if rows:
            hidden, cache, mask, positions = _read_distinct(decoder, rows)
        while rows:
            logprobs = decoder.logprobs(hidden)
            best = logprobs.argmax(-1).tolist()
            for row, sequence in enumerate(rows):
                if sequence.finish is None:
                    sequence.append_next(logprobs[row], best[row], ends, tokenizer)
            unfinished = [row for row, sequence in enumerate(rows) if sequence.finish is None]
            if not unfinished:
                break
            if len(unfinished) <= len(rows) // 2:
                rows = [rows[row] for row in unfinished]
                mask, positions = _select(cache, mask, positions, unfinished)
            last = [sequence.generated[-1] for sequence in rows]
            ids = torch.tensor(last, device=decoder.device)[:, None]
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            positions = positions[:, -1:] + 1
            hidden = decoder.step(ids, mask, positions, cache)
    return [sequence.result(tokenizer) for sequence in sequences]


def _read_distinct(
    decoder: Decoder, rows: Sequence[ActiveSequence]
) -> tuple[Tensor, Cache, Tensor, Tensor]:
    """Read each distinct prompt once, and repeat the result for all rows that have it."""
    numbers: dict[tuple[int, ...], int] = {}
    source = [numbers.setdefault(tuple(row.prompt), len(numbers)) for row in rows]
    hidden, cache, mask, positions = decoder.read(list(numbers))
    if len(numbers) < len(rows):
        mask, positions = _select(cache, mask, positions, source)
        hidden = hidden[source]
    return hidden, cache, mask, positions


def _select(
    cache: Cache, mask: Tensor, positions: Tensor, rows: Sequence[int]
) -> tuple[Tensor, Tensor]:
    """Keep some rows of the cache (in place), the mask and the positions."""
    wanted = torch.tensor(list(rows), device=mask.device)
    cache.batch_select_indices(wanted)
    return mask[wanted], positions[wanted]
