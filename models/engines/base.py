"""Define the interface of every engine: generate text, score choices, count tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from kofinlaw import UserError
from kofinlaw.decoding import clean_text

__all__ = [
    "MOST_REFERENCE",
    "SERVER_UNREACHABLE",
    "ChoiceScore",
    "Engine",
    "EngineStats",
    "Finish",
    "Generation",
    "Request",
    "TokenCounter",
    "cut_at_stop",
    "length_batches",
    "refuse_references",
    "timed_call",
]

Finish = Literal["stop", "length", "error"]
# How `Generation.fault` begins when no server could be reached. The request may be sent again.
SERVER_UNREACHABLE = "no server can be reached"
MOST_REFERENCE = 10.0  # largest `Request.reference_weight`


@dataclass(frozen=True, slots=True)
class Request:
    """One text to generate after `prompt` (rendered chat text with its special tokens).

    - `max_tokens` limits the answer, which ends before the first of the `stop` strings.
    - `temperature` 0 is greedy; above it, `seed` decides the sample.
    - At most one constraint applies to each step of decoding. The model chooses among the allowed
      tokens by its own probabilities. `choices`: the answer is one of them, complete even beyond
      `max_tokens`. `regex`: it matches the whole answer. `json_schema`: the answer follows it.
      `Engine.score` ranks choices by their summed log-probability instead, which favours short
      ones.
    - With `choices` and a `reference` (another prompt, rendered as `prompt` is), the answer is
      found by a beam search that has a beam for each choice. A text's value is the mean
      log-probability of its tokens after `prompt`, minus `reference_weight` (0..10) times that
      after `reference`. Weight 0 is generation without it. The answer's tokens are the same after
      both, so the reference ends with the text that ends the prompt.
    - Without `logprob` an engine may leave out the text's log-probability. llama.cpp otherwise
      reads its whole vocabulary again for each token.

    Raises UserError for more than one constraint, a reference without choices, and a weight of it
    outside 0..10.
    """

    prompt: str
    max_tokens: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int = 0
    choices: tuple[str, ...] = ()
    regex: str = ""
    json_schema: Mapping[str, object] | None = None
    logprob: bool = True
    reference: str = ""
    reference_weight: float = 0.0

    def __post_init__(self) -> None:
        if sum((bool(self.choices), bool(self.regex), self.json_schema is not None)) > 1:
            raise UserError("a request may have only one constraint: choices, regex or json_schema")
        if self.reference and not self.choices:
            raise UserError(
                "a request with a reference needs choices", remedy="give choices, or no reference"
            )
        if not 0 <= self.reference_weight <= MOST_REFERENCE:
            raise UserError(
                f"reference_weight is {self.reference_weight:g}",
                remedy=f"use a weight of 0 to {MOST_REFERENCE:g}",
            )

    @property
    def contrasted(self) -> bool:
        """Whether the answer is chosen by the difference from the reference."""
        return bool(self.reference) and self.reference_weight > 0


@dataclass(frozen=True, slots=True)
class Generation:
    """A generated text.

    `text` is clean (`kofinlaw.decoding.clean_text`) and excludes the stop string. `prompt_tokens`
    and `tokens` count the tokens read (without those of a reference) and generated. `finish` says
    why generation ended; if it is `error`, `fault` says what went wrong. `logprob` is the summed
    natural log-probability of the generated tokens after the prompt, nan if it was not requested
    or is not known.
    """

    text: str
    prompt_tokens: int
    tokens: int
    finish: Finish
    logprob: float
    fault: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", clean_text(self.text))


@dataclass(frozen=True, slots=True)
class ChoiceScore:
    """Summed natural log-probability of a continuation given its prompt, and its token count."""

    logprob: float
    tokens: int


@dataclass(slots=True)
class EngineStats:
    """Work of an engine so far: `tokens` counts generated tokens, `seconds` the time in calls."""

    calls: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    failures: int = 0
    seconds: float = 0.0


class TokenCounter(Protocol):
    """The part of an engine's tokenizer that callers may use."""

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text; special tokens are not added."""
        ...

    def count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        ...


class Engine(Protocol):
    """A loaded model that generates texts and scores choices.

    `deterministic` says whether the same calls give the same texts on the same machine. An engine
    is a context manager: leaving the context closes it.
    """

    name: str
    deterministic: bool
    stats: EngineStats

    @property
    def tokenizer(self) -> TokenCounter:
        """Counts tokens as the model does."""
        ...

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one generation per request, in order."""
        ...

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return for each prompt the scores of its choices as the text that follows."""
        ...

    def close(self) -> None:
        """Free the model; safe to call twice."""
        ...

    def __enter__(self) -> Engine: ...

    def __exit__(self, *exception: object) -> None: ...


@contextmanager
def timed_call(stats: EngineStats) -> Iterator[None]:
    """Count one call and its seconds in `stats`, also if the call fails."""
    started = time.monotonic()
    stats.calls += 1
    try:
        yield
    except Exception:
        stats.failures += 1
        raise
    finally:
        stats.seconds += time.monotonic() - started


def refuse_references(requests: Sequence[Request], engine: str) -> None:
    """Refuse requests with a reference, for an engine that cannot read a second prompt.

    Raises UserError with the engine's name and the remedy.
    """
    if any(request.contrasted for request in requests):
        raise UserError(
            f"engine {engine} cannot generate from the difference of two prompts",
            where="answer.contrast_decoding",
            remedy="use engine transformers, or set answer.contrast_decoding to 0",
        )


def cut_at_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """Return the text before its first stop string, and whether it contains one."""
    ends = [position for s in stop if s and (position := text.find(s)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def length_batches(
    lengths: Sequence[int], max_tokens: int, max_size: int, *, multiple: int = 1
) -> list[list[int]]:
    """Split indices into batches, longest first, so that rows x longest <= `max_tokens`.

    The split depends on the lengths alone, because equal lengths keep their order. A row that is
    longer than the limit gets its own batch.

    Args:
        lengths: tokens of each row.
        max_tokens: limit of padded tokens per batch.
        max_size: limit of rows per batch.
        multiple: the longest row is padded to a multiple of this many tokens.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for index in order:
        if batches:
            batch = batches[-1]
            longest = -(-lengths[batch[0]] // multiple) * multiple
            if len(batch) < max_size and (len(batch) + 1) * longest <= max_tokens:
                batch.append(index)
                continue
        batches.append([index])
    return batches
