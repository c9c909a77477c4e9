"""Batched writing with a key-value cache: greedy or sampled, free or held to a constraint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kofinlaw.models.engines.base import Finish, Generation, Request, cut_at_stop
from kofinlaw.models.engines.constraints import ChoiceTrie, Constraint
from kofinlaw.models.engines.decoder import Decoder
from kofinlaw.models.loading import Tokenizer


class Writing:
    """One answer as it grows: its request, its prompt's tokens and its constraint if any."""

    def __init__(
        self, request: Request, prompt: list[int], constraint: Constraint | None = None
    ) -> None:
        self.request = request
        self.prompt = prompt
        self.written: list[int] = []
        self.logprob = 0.0
        self.finish: Finish | None = None
        self._constraint = constraint
        self._generator: Any = None
        if constraint is not None and constraint.done:  # a single choice
            self.finish = "stop"

    def labels(self) -> list[int]:
        """The choices' tokens where each is one token and the likeliest is wanted, else none."""
        trie = self._constraint
        if isinstance(trie, ChoiceTrie) and self.request.temperature == 0 and not trie.done:
            return trie.single_tokens()
        return []

    def take(self, logprobs: Any, best: int, ends: frozenset[int], tokenizer: Tokenizer) -> None:
        """Add the next token from a row of log-probabilities, and notice the end.

        `best` is the row's likeliest token. Under a constraint the choice is among the allowed
        tokens, in proportion to their probabilities; `logprob` sums the model's own.
        """
        if self._constraint is not None:
            self._take_allowed(logprobs)
            return
        token = best if self.request.temperature == 0 else self._sample(logprobs)
        self._add(logprobs, token)
        if token in ends or self._has_stop(tokenizer):
            self.finish = "stop"
        elif len(self.written) >= self.request.max_tokens:
            self.finish = "length"

    def _take_allowed(self, logprobs: Any) -> None:
        import torch

        constraint = self._constraint
        assert constraint is not None
        allowed = torch.as_tensor(constraint.allowed(), device=logprobs.device)
        if not len(allowed):
            self.finish = "stop" if constraint.complete else "error"
            return
        some = logprobs[allowed]
        place = int(some.argmax()) if self.request.temperature == 0 else self._sample(some)
        token = int(allowed[place])
        self._add(logprobs, token)
        constraint.take(token)
        if constraint.done:
            self.finish = "stop"
        elif len(self.written) >= self.request.max_tokens and not self.request.choices:
            self.finish = "length"

    def _add(self, logprobs: Any, token: int) -> None:
        self.logprob += float(logprobs[token])
        self.written.append(token)

    def _has_stop(self, tokenizer: Tokenizer) -> bool:
        if not self.request.stop:
            return False
        # A stop string lies in the last tokens: one a character at the very most, with slack.
        tail = self.written[-(max(map(len, self.request.stop)) + 4) :]
        text = tokenizer.decode(tail, skip_special_tokens=False)
        return any(stop in text for stop in self.request.stop)

    def _sample(self, logprobs: Any) -> int:
        import torch

        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.request.seed)
        weights = torch.softmax(logprobs.float().cpu() / self.request.temperature, dim=-1)
        return int(torch.multinomial(weights, 1, generator=self._generator))

    def result(self, tokenizer: Tokenizer) -> Generation:
        """The finished generation, without its stop string or end token."""
        if self._constraint is not None:
            text = self._constraint.text
        else:
            text, _ = cut_at_stop(tokenizer.decode(self.written), self.request.stop)
        finish = self.finish or "stop"
        return Generation(text, len(self.prompt), len(self.written), finish, self.logprob)


def write(
    decoder: Decoder, tokenizer: Tokenizer, writings: Sequence[Writing], ends: frozenset[int]
) -> list[Generation]:
    """Finish the writings as one batch.

    Equal prompts (votes) are read once. Rows that are finished leave the batch when they are half
    of it, so one long answer does not make all the others' rows be computed on.
    """
    import torch

    rows = [writing for writing in writings if writing.finish is None]
    with torch.inference_mode():
        if rows:
            hidden, cache, mask, positions = _read_distinct(decoder, rows)
        while rows:
            logprobs = decoder.logprobs(hidden)
            best = logprobs.argmax(-1).tolist()
            for row, writing in enumerate(rows):
                if writing.finish is None:
                    writing.take(logprobs[row], best[row], ends, tokenizer)
            going = [row for row, writing in enumerate(rows) if writing.finish is None]
            if not going:
                break
            if len(going) <= len(rows) // 2:
                rows = [rows[row] for row in going]
                mask, positions = _select(cache, mask, positions, going)
            last = [writing.written[-1] for writing in rows]
            ids = torch.tensor(last, device=decoder.device)[:, None]
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
            positions = positions[:, -1:] + 1
            hidden = decoder.step(ids, mask, positions, cache)
    return [writing.result(tokenizer) for writing in writings]


def _read_distinct(decoder: Decoder, rows: Sequence[Writing]) -> tuple[Any, Any, Any, Any]:
    """The prompts read, each different one once, and spread over the rows."""
    places: dict[tuple[int, ...], int] = {}
    where = [places.setdefault(tuple(row.prompt), len(places)) for row in rows]
    hidden, cache, mask, positions = decoder.read(list(places))
    if len(places) < len(rows):
        mask, positions = _select(cache, mask, positions, where)
        hidden = hidden[where]
    return hidden, cache, mask, positions


def _select(cache: Any, mask: Any, positions: Any, rows: Sequence[int]) -> tuple[Any, Any]:
    """Keep some rows of the cache (in place), the mask and the positions."""
    import torch

    wanted = torch.tensor(list(rows), device=mask.device)
    cache.batch_select_indices(wanted)
    return mask[wanted], positions[wanted]
