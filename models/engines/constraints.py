"""Constrain answers to choices, a regular expression or a JSON schema, token by token.

A constraint lists the tokens that may come next. Decoding chooses among them by the model's own
probabilities, renormalised over them. Choices are a trie of token ids. Patterns and schemas are
matched by `llguidance` on the tokens' bytes, so that a Hangul syllable may span several tokens, as
the model's vocabulary has it (docs/decisions/024).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from kofinlaw import UserError
from kofinlaw.models.engines.base import Request
from kofinlaw.models.engines.token_bytes import token_bytes
from kofinlaw.models.tokenizer import Tokenizer

if TYPE_CHECKING:
    import llguidance

__all__ = ["ChoiceTrie", "Constraint", "ConstraintFactory", "GrammarConstraint", "bare_pattern"]


class Constraint(Protocol):
    """The state of a constraint during generation; `done` says that the answer is finished."""

    done: bool

    @property
    def complete(self) -> bool:
        """Whether the answer may end here, because the text so far satisfies the constraint."""
        ...

    @property
    def text(self) -> str:
        """The answer so far; the whole answer once `done` is true."""
        ...

    def allowed_tokens(self) -> Sequence[int] | NDArray[np.int64]:
        """Return the ids of the tokens that may come next, with end tokens if it may end."""
        ...

    def advance(self, token: int) -> None:
        """Continue with one of the allowed tokens."""
        ...


class ChoiceTrie:
    """Constrain an answer to one of some texts, given as token ids.

    It is done as soon as one choice is left. The rest of that choice is certain, so its tokens are
    neither computed nor counted. `ends` are the tokens that end a text. Raises UserError for an
    empty choice.
    """

    def __init__(
        self, choices: Sequence[str], tails: Sequence[Sequence[int]], ends: frozenset[int]
    ) -> None:
        if not choices or not all(tails):
            raise UserError("a choice is empty text")
        self._choices = list(choices)
        self._tails = [list(tail) for tail in tails]
        self.ends = ends
        self._open = list(range(len(choices)))
        self._depth = 0
        self.done = False
        self._update_done()

    def _update_done(self) -> None:
        # Two texts with the same tokens cannot be distinguished: the first represents both.
        self.done = len({tuple(self._tails[i]) for i in self._open}) == 1

    @property
    def complete(self) -> bool:
        """Whether one choice is left."""
        return self.done

    @property
    def text(self) -> str:
        """The only choice left; empty while there are several."""
        return self._choices[self._open[0]] if self.done else ""

    def single_tokens(self) -> list[int]:
        """Return the token of every choice if each has exactly one, else an empty list."""
        single = all(len(tail) == 1 for tail in self._tails)
        return [tail[0] for tail in self._tails] if single else []

    def allowed_tokens(self) -> list[int]:
        """Return the next tokens of the open choices, with end tokens if one is complete."""
        tokens = {self._tails[i][self._depth] for i in self._open if not self._ends_here(i)}
        if any(self._ends_here(i) for i in self._open):
            tokens |= self.ends
        return sorted(tokens)

    def _ends_here(self, choice: int) -> bool:
        return len(self._tails[choice]) == self._depth

    def advance(self, token: int) -> None:
        """Keep the choices that continue with this token."""
        ending = [i for i in self._open if self._ends_here(i)]
        if ending and token in self.ends:
            self._open = ending
        else:
            self._open = [
                i
                for i in self._open
                if not self._ends_here(i) and self._tails[i][self._depth] == token
            ]
            self._depth += 1
        self._update_done()


class GrammarConstraint:
    """Constrain an answer to a pattern or schema with an `llguidance` matcher."""

    def __init__(
        self, matcher: llguidance.LLMatcher, pieces: Sequence[bytes], ends: frozenset[int]
    ) -> None:
        self._matcher = matcher
        self._pieces = pieces
        self._ends = sorted(ends)
        self._generated: list[int] = []
        self._mask: NDArray[np.int32] | None = None
        self.done = False

    @property
    def complete(self) -> bool:
        """Whether the text so far is a complete match."""
        return bool(self._matcher.is_accepting())

    @property
    def text(self) -> str:
        """The text so far, without a last character that max_tokens cut off."""
        data = b"".join(self._pieces[token] for token in self._generated)
        return data.decode("utf-8", errors="ignore")

    def allowed_tokens(self) -> NDArray[np.int64]:
        """Return the allowed ids, unpacked from the matcher's bit mask of the vocabulary."""
        import llguidance.numpy as masks

        if self._mask is None:
            self._mask = masks.allocate_token_bitmask(1, len(self._pieces))
        masks.fill_next_token_bitmask(self._matcher, self._mask, 0)
        bits = np.unpackbits(self._mask[0].view(np.uint8), bitorder="little")
        ids = np.flatnonzero(bits[: len(self._pieces)])
        # The matcher knows only one of the end tokens.
        ids = ids[~np.isin(ids, self._ends)]
        return np.concatenate([ids, self._ends]).astype(np.int64) if self.complete else ids

    def advance(self, token: int) -> None:
        """Continue with a token; an end token ends the answer.

        Raises: UserError if the matcher does not accept the token.
        """
        if token in self._ends:
            self.done = True
            return
        self._generated.append(token)
        self._matcher.consume_token(token)
        if self._matcher.is_error():
            raise UserError(f"the constraint cannot be applied: {self._matcher.get_error()}")
        self.done = self.complete and bool(self._matcher.is_stopped())


class ConstraintFactory:
    """Creates constraints for one tokenizer, whose byte table is built when first needed."""

    def __init__(self, tokenizer: Tokenizer, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._ends = ends
        self._pieces: list[bytes] = []
        self._ll_tokenizer: llguidance.LLTokenizer | None = None

    def for_request(self, request: Request) -> Constraint | None:
        """Return the constraint of a request, or None if it has none.

        Raises: UserError for a pattern or schema that llguidance does not support, and if
        llguidance is not installed.
        """
        ends = self._ends | self._stop_tokens(request.stop)
        if request.choices:
            tails = [self._tokenizer.continuation(request.prompt, c) for c in request.choices]
            return ChoiceTrie(request.choices, tails, ends)
        if not request.regex and request.json_schema is None:
            return None
        tokenizer = self._prepare()
        import llguidance

        if request.regex:
            grammar = llguidance.LLMatcher.grammar_from_regex(bare_pattern(request.regex))
        else:
            schema = json.dumps(request.json_schema, ensure_ascii=False)
            grammar = llguidance.LLMatcher.grammar_from_json_schema(
                schema, overrides={"whitespace_flexible": False}
            )
        matcher = llguidance.LLMatcher(tokenizer, grammar, log_level=0)
        if matcher.is_error():
            raise UserError(
                f"the {'pattern' if request.regex else 'schema'} cannot be applied: "
                f"{matcher.get_error().splitlines()[0]}"
            )
        return GrammarConstraint(matcher, self._pieces, ends)

    def _stop_tokens(self, stop: Sequence[str]) -> frozenset[int]:
        """Return the stop strings that are one special token (the end of a turn).

        An answer may end with them. Other stop strings may be part of a constrained answer.
        """
        ids = [self._tokenizer.encode(text) for text in stop]
        return frozenset(i[0] for i in ids if len(i) == 1 and self._tokenizer.is_special(i[0]))

    def _prepare(self) -> llguidance.LLTokenizer:
        if self._ll_tokenizer is not None:
            return self._ll_tokenizer
        try:
            import llguidance
        except ImportError as error:
            raise UserError(
                "patterns and schemas need llguidance", remedy="pip install llguidance"
            ) from error
        self._pieces, special = token_bytes(self._tokenizer)
        vocabulary = _Vocabulary(self._tokenizer, self._pieces, special, self._ends)
        # Slices would speed up wide masks, but preparing them takes longer than they save here.
        self._ll_tokenizer = llguidance.LLTokenizer(
            llguidance.TokenizerWrapper(vocabulary), slices=[]
        )
        return self._ll_tokenizer


class _Vocabulary:
    """The tokenizer interface that llguidance expects."""

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
    """Return a pattern without the anchors at its ends: an answer always matches it whole."""
    pattern = pattern.removeprefix("^")
    if pattern.endswith("$") and not pattern.endswith("\\$"):
        pattern = pattern[:-1]
    return pattern
