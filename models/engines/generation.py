"""Generate batches of texts with a key-value cache: greedy, sampled or constrained."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from kofinlaw.models.engines.base import Finish, Generation, Request, cut_at_stop
from kofinlaw.models.engines.constraints import ChoiceTrie, Constraint
from kofinlaw.models.engines.decoder import Decoder
from kofinlaw.models.engines.sampling import Allowed, choose_at_once
from kofinlaw.models.tokenizer import Tokenizer

__all__ = ["ActiveSequence", "append_at_once", "generate_batch"]


class ActiveSequence:
    """One answer during generation: its request, the token ids of its prompt, its constraint."""

    def __init__(
        self,
        request: Request,
        prompt: list[int],
        constraint: Constraint | None = None,
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

        Empty if a choice has more tokens, if the answer is sampled, or if there are no choices.
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
        self.append_chosen(token, float(logprobs[token]), ends, tokenizer)

    def append_chosen(
        self, token: int, logprob: float, ends: frozenset[int], tokenizer: Tokenizer
    ) -> None:
        """Append a token that is chosen among the `allowed` ones; set `finish` if the text ends."""
        self.logprob += logprob
        self.generated.append(token)
        if self._constraint is not None:
            self._advance(self._constraint, token)
        elif token in ends or self._has_stop(tokenizer):
            self.finish = "stop"
        elif len(self.generated) >= self.request.max_tokens:
            self.finish = "length"

    def allowed(self) -> Allowed:
        """Return the tokens that may come next; None: every token. Without any, set `finish`."""
        if self._constraint is None:
            return None
        ids = self._constraint.allowed_tokens()
        if not len(ids):
            self.finish = "stop" if self._constraint.complete else "error"
        return ids

    def draw(self) -> float:
        """Return the next number in [0, 1) of this row's own random state; 0 without sampling."""
        if self.request.temperature == 0:
            return 0.0
        return float(torch.rand((), dtype=torch.float64, generator=self._random()))

    def _append_allowed(self, constraint: Constraint, logprobs: Tensor) -> None:
        ids = self.allowed()
        if self.finish is not None:
            return
        allowed = torch.as_tensor(ids, device=logprobs.device)
        some = logprobs[allowed]
        index = int(some.argmax()) if self.request.temperature == 0 else self._sample(some)
        token = int(allowed[index])
        self.logprob += float(logprobs[token])
        self.generated.append(token)
        self._advance(constraint, token)

    def _advance(self, constraint: Constraint, token: int) -> None:
        constraint.advance(token)
        if constraint.done:
            self.finish = "stop"
        elif len(self.generated) >= self.request.max_tokens and not self.request.choices:
            self.finish = "length"

    def _has_stop(self, tokenizer: Tokenizer) -> bool:
        if not self.request.stop:
            return False
        # A stop string of n characters has at most n tokens; 4 more allow for merged neighbours.
        tail = self.generated[-(max(map(len, self.request.stop)) + 4) :]
        text = tokenizer.decode(tail, skip_special_tokens=False)
        return any(stop in text for stop in self.request.stop)

    def _sample(self, logprobs: Tensor) -> int:
        weights = torch.softmax(logprobs.float().cpu() / self.request.temperature, dim=-1)
        return int(torch.multinomial(weights, 1, generator=self._random()))

    def _random(self) -> torch.Generator:
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(self.request.seed)
        return self._generator

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
    after_step: Callable[[], None] | None = None,
) -> list[Generation]:
    """Generate until every sequence is finished, as one batch; `after_step` may raise to end it.

    Equal prompts (votes) are read once. Finished rows leave the batch when they make up half of
    it, so that one long answer does not keep all other rows in the computation. `ends` are the ids
    of the tokens that end a text.
    """
    rows = [sequence for sequence in sequences if sequence.finish is None]
    with torch.inference_mode():
        if rows:
            reading = _Reading(decoder, [row.prompt for row in rows])
        while rows:
            _append_next(decoder, rows, reading.hidden, ends, tokenizer)
            unfinished = [row for row, sequence in enumerate(rows) if sequence.finish is None]
            if not unfinished:
                break
            if after_step is not None:
                after_step()
            if len(unfinished) <= len(rows) // 2:
                rows = [rows[row] for row in unfinished]
                reading.keep(unfinished)
            reading.extend([sequence.generated[-1] for sequence in rows])
    return [sequence.result(tokenizer) for sequence in sequences]


def _append_next(
    decoder: Decoder,
    rows: Sequence[ActiveSequence],
    hidden: Tensor,
    ends: frozenset[int],
    tokenizer: Tokenizer,
) -> None:
    """Append the next token of each unfinished row; `hidden` are its states [rows, hidden].

    On a card all tokens are chosen there, and read with one copy.
    """
    logprobs = decoder.logprobs(hidden)
    if logprobs.is_cuda:
        append_at_once(rows, logprobs, ends, tokenizer)
        return
    waiting = [row for row, sequence in enumerate(rows) if sequence.finish is None]
    best = logprobs.argmax(-1).tolist()
    for row in waiting:
        rows[row].append_next(logprobs[row], best[row], ends, tokenizer)


def append_at_once(
    rows: Sequence[ActiveSequence], logprobs: Tensor, ends: frozenset[int], tokenizer: Tokenizer
) -> None:
    """Append the next token of each unfinished row, chosen on the device.

    `logprobs` are the log-probabilities [rows, vocabulary] of their next tokens.
    """
    allowed = {row: one.allowed() for row, one in enumerate(rows) if one.finish is None}
    waiting = [row for row in allowed if rows[row].finish is None]
    if not waiting:
        return
    chosen = choose_at_once(
        logprobs if len(waiting) == len(rows) else logprobs[waiting],
        [rows[row].request.temperature for row in waiting],
        [rows[row].draw() for row in waiting],
        [allowed[row] for row in waiting],
    )
    for row, (token, logprob) in zip(waiting, chosen, strict=True):
        rows[row].append_chosen(token, logprob, ends, tokenizer)


class _Reading:
    """The prompts of a batch with the answers so far, as the model read them.

    `hidden` are the last hidden states [rows, hidden].
    """

    def __init__(self, decoder: Decoder, prompts: Sequence[Sequence[int]]) -> None:
        """Read each distinct prompt once, and repeat the result for all rows that have it."""
        self._decoder = decoder
        numbers: dict[tuple[int, ...], int] = {}
        source = [numbers.setdefault(tuple(prompt), len(numbers)) for prompt in prompts]
        self.hidden, self._cache, self._mask, self._positions = decoder.read(list(numbers))
        if len(numbers) < len(prompts):
            self.keep(source)

    def keep(self, rows: Sequence[int]) -> None:
        """Keep some rows, in this order; a row may be repeated."""
        wanted = torch.tensor(list(rows), device=self._mask.device)
        self._cache.batch_select_indices(wanted)
        self.hidden = self.hidden[wanted]
        self._mask, self._positions = self._mask[wanted], self._positions[wanted]

    def extend(self, tokens: Sequence[int]) -> None:
        """Read one more token of each row."""
        ids = torch.tensor(tokens, device=self._decoder.device)[:, None]
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        self._positions = self._positions[:, -1:] + 1
        self.hidden = self._decoder.step(ids, self._mask, self._positions, self._cache)
