"""Answers held to choices, a regular expression or a JSON schema, one token at a time.

A constraint says which tokens may come next; the writer picks among them by the model's own
probabilities, renormalised over them. Choices are a trie of their token ids. Patterns and schemas
are followed by `llguidance` on the tokens' bytes, so that a Hangul syllable may be cut over
several tokens as the model's vocabulary has it (docs/decisions/024).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from kofinlaw import UserError
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.token_bytes import token_bytes
from kofinlaw.models.loading import Tokenizer


class Constraint(Protocol):
    """What may follow. `text` is the finished answer once `done`; `complete` whether what is
    written so far already keeps to the constraint."""

    done: bool

    @property
    def complete(self) -> bool:
        """Whether the answer may end here."""
        ...

    @property
    def text(self) -> str:
        """The answer so far."""
        ...

    def allowed(self) -> Any:
        """Ids of the tokens that may come next, end tokens where the answer may end."""
        ...

    def take(self, token: int) -> None:
        """Go on with one of the allowed tokens."""
        ...


class ChoiceTrie:
    """One of some texts, given as token ids. Done as soon as one of them is left: what remains
    of it is certain, so its tokens are neither computed nor counted."""

    def __init__(
        self, choices: Sequence[str], tails: Sequence[Sequence[int]], ends: frozenset[int]
    ) -> None:
        if not choices or not all(tails):
            raise UserError("a choice is empty text")
        self._choices = list(choices)
        self._tails = [list(tail) for tail in tails]
        self._ends = ends
        self._open = list(range(len(choices)))
        self._depth = 0
        self.done = False
        self._settle()

    def _settle(self) -> None:
        # Two texts with the same tokens cannot be told apart: the first stands for both.
        self.done = len({tuple(self._tails[i]) for i in self._open}) == 1

    @property
    def complete(self) -> bool:
        """Whether one choice is left."""
        return self.done

    @property
    def text(self) -> str:
        """The choice that is left, nothing before that."""
        return self._choices[self._open[0]] if self.done else ""

    def single_tokens(self) -> list[int]:
        """Every choice's token where each has just one, else nothing."""
        single = all(len(tail) == 1 for tail in self._tails)
        return [tail[0] for tail in self._tails] if single else []

    def allowed(self) -> list[int]:
        """The next tokens of the choices still open, end tokens where one of them is whole."""
        tokens = {self._tails[i][self._depth] for i in self._open if not self._ends_here(i)}
        if any(self._ends_here(i) for i in self._open):
            tokens |= self._ends
        return sorted(tokens)

    def _ends_here(self, choice: int) -> bool:
        return len(self._tails[choice]) == self._depth

    def take(self, token: int) -> None:
        """Keep the choices that go on with this token."""
        ending = [i for i in self._open if self._ends_here(i)]
        if ending and token in self._ends:
            self._open = ending
        else:
            self._open = [
                i
                for i in self._open
                if not self._ends_here(i) and self._tails[i][self._depth] == token
            ]
            self._depth += 1
        self._settle()


class Grammar:
    """A pattern or schema, followed by an `llguidance` matcher over the vocabulary's bytes."""

    def __init__(self, matcher: Any, pieces: Sequence[bytes], ends: frozenset[int]) -> None:
        self._matcher = matcher
        self._pieces = pieces
        self._ends = sorted(ends)
        self._written: list[int] = []
        self._mask: Any = None
        self.done = False

    @property
    def complete(self) -> bool:
        """Whether what is written matches whole."""
        return bool(self._matcher.is_accepting())

    @property
    def text(self) -> str:
        """What is written; a character cut off by max_tokens is left out."""
        written = b"".join(self._pieces[token] for token in self._written)
        return written.decode("utf-8", errors="ignore")

    def allowed(self) -> Any:
        """Ids as an int64 array: a byte mask of the vocabulary unpacked."""
        import llguidance.numpy as masks
        import numpy as np

        if self._mask is None:
            self._mask = masks.allocate_token_bitmask(1, len(self._pieces))
        masks.fill_next_token_bitmask(self._matcher, self._mask, 0)
        bits = np.unpackbits(self._mask[0].view(np.uint8), bitorder="little")
        ids = np.flatnonzero(bits[: len(self._pieces)])
        # The matcher's own end token is one of many.
        ids = ids[~np.isin(ids, self._ends)]
        return np.concatenate([ids, self._ends]).astype(np.int64) if self.complete else ids

    def take(self, token: int) -> None:
        """Follow the token; an end token ends."""
        if token in self._ends:
            self.done = True
            return
        self._written.append(token)
        self._matcher.consume_token(token)
        if self._matcher.is_error():
            raise UserError(f"the constraint cannot be followed: {self._matcher.get_error()}")
        self.done = self.complete and bool(self._matcher.is_stopped())


class Constraints:
    """Makes constraints for one tokenizer; its byte table is built when first needed."""

    def __init__(self, tokenizer: Tokenizer, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._ends = ends
        self._pieces: list[bytes] = []
        self._ll_tokenizer: Any = None

    def of(self, request: Request) -> Constraint | None:
        """The request's constraint, None where it has none.

        Raises UserError for a pattern or schema that cannot be followed, or without llguidance.
        """
        ends = self._ends | self._stop_tokens(request.stop)
        if request.choices:
            tails = [self._tokenizer.continuation(request.prompt, c) for c in request.choices]
            return ChoiceTrie(request.choices, tails, ends)
        if not request.regex and request.json_schema is None:
            return None
        self._prepare()
        import llguidance

        if request.regex:
            grammar = llguidance.LLMatcher.grammar_from_regex(bare_pattern(request.regex))
        else:
            schema = json.dumps(request.json_schema, ensure_ascii=False)
            grammar = llguidance.LLMatcher.grammar_from_json_schema(
                schema, overrides={"whitespace_flexible": False}
            )
        matcher = llguidance.LLMatcher(self._ll_tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise UserError(
                f"the {'pattern' if request.regex else 'schema'} cannot be followed: "
                f"{matcher.get_error().splitlines()[0]}"
            )
        return Grammar(matcher, self._pieces, ends)

    def _stop_tokens(self, stop: Sequence[str]) -> frozenset[int]:
        """Stop strings that are one special token (a turn's end): the answer may end with them.
        Other stop strings may be part of an answer that the constraint asks for."""
        ids = [self._tokenizer.encode(text) for text in stop]
        return frozenset(i[0] for i in ids if len(i) == 1 and self._tokenizer.is_special(i[0]))

    def _prepare(self) -> None:
        if self._ll_tokenizer is not None:
            return
        try:
            import llguidance
        except ImportError as error:
            raise UserError(
                "patterns and schemas need llguidance", remedy="pip install llguidance"
            ) from error
        self._pieces, special = token_bytes(self._tokenizer)
        vocabulary = _Vocabulary(self._tokenizer, self._pieces, special, self._ends)
        # Slices speed up wide masks and take longer to prepare than they save here.
        self._ll_tokenizer = llguidance.LLTokenizer(
            llguidance.TokenizerWrapper(vocabulary), slices=[]
        )


class _Vocabulary:
    """What llguidance wants to know of a tokenizer."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        pieces: list[bytes],
        special: list[int],
        ends: frozenset[int],
    ) -> None:
        self._tokenizer = tokenizer
        self.tokens = pieces
        self.special_token_ids = sorted({*special, *ends})
        self.eos_token_id = min(ends, default=0)
        self.bos_token_id = None

    def __call__(self, text: str | bytes) -> list[int]:
        if isinstance(text, bytes):
            text = text.decode("utf-8", errors="replace")
        return self._tokenizer.encode(text)


def bare_pattern(pattern: str) -> str:
    """A pattern without the anchors at its ends: an answer always matches it whole."""
    pattern = pattern.removeprefix("^")
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1]
    return pattern
