"""The interface of every engine: generate text, score choices, count tokens."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from kofinlaw import UserError

Finish = Literal["stop", "length", "error"]
# How the fault of a request begins that no server took: it was not tried, and may be asked again.
GONE = "no server can be reached"


@dataclass(frozen=True, slots=True)
class Request:
    """One text to generate after `prompt` (rendered, special tokens included).

    `max_tokens` bounds the answer; it ends before the first of the `stop` strings. `temperature`
    0 is greedy; above it `seed` decides the sample. At most one of `choices` (the answer is one
    of them, whole whatever `max_tokens` says), `regex` (it matches the whole answer) and
    `json_schema` holds the answer, token by token: at each step the model chooses among what may
    follow, by its own probabilities. Ranking choices by their summed log-probability is `score`,
    and favours short ones. Without `logprob` an engine may leave the text's log-probability out:
    llama.cpp otherwise goes through its whole vocabulary again for each token.
    """

    prompt: str
    max_tokens: int = 64
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int = 0
    choices: tuple[str, ...] = ()
    regex: str = ""
    json_schema: dict[str, Any] | None = None
    logprob: bool = True

    def __post_init__(self) -> None:
        if sum((bool(self.choices), bool(self.regex), self.json_schema is not None)) > 1:
            raise UserError("a request has one constraint: choices, regex or json_schema")


@dataclass(frozen=True, slots=True)
class Generation:
    """What came back: the text without the stop string, tokens read and written, why it ended and
    the summed log-probability of the written tokens (nan where not asked for or not known).
    `fault` says what went wrong where it ended in `error`."""

    text: str
    prompt_tokens: int
    tokens: int
    finish: Finish
    logprob: float
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceScore:
    """Summed log-probability (natural) of a continuation given its prompt, and its tokens."""

    logprob: float
    tokens: int


@dataclass(slots=True)
class EngineStats:
    """Work done so far. `tokens` counts generated tokens, `seconds` the time inside calls."""

    calls: int = 0
    prompt_tokens: int = 0
    tokens: int = 0
    failures: int = 0
    seconds: float = 0.0


class TokenCounter(Protocol):
    """What an engine's tokenizer can do for its users."""

    def encode(self, text: str) -> list[int]:
        """Token ids of the text as it stands."""
        ...

    def count(self, text: str) -> int:
        """How many tokens the text has."""
        ...


class Engine(Protocol):
    """A loaded model. `deterministic`: the same calls give the same texts on the same machine."""

    name: str
    deterministic: bool
    stats: EngineStats

    @property
    def tokenizer(self) -> TokenCounter:
        """Counts tokens as the model does."""
        ...

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """One generation a request, in order."""
        ...

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """For each prompt the score of each of its choices as the text that follows."""
        ...

    def close(self) -> None:
        """Free the model; safe to call twice."""
        ...

    def __enter__(self) -> Engine: ...

    def __exit__(self, *exception: object) -> None: ...


@contextmanager
def timed(stats: EngineStats) -> Iterator[None]:
    """Count a call and its seconds, failed calls too."""
    started = time.monotonic()
    stats.calls += 1
    try:
        yield
    except Exception:
        stats.failures += 1
        raise
    finally:
        stats.seconds += time.monotonic() - started


def cut_at_stop(text: str, stop: Sequence[str]) -> tuple[str, bool]:
    """The text before the first stop string in it, and whether there was one."""
    ends = [position for s in stop if s and (position := text.find(s)) >= 0]
    return (text[: min(ends)], True) if ends else (text, False)


def length_batches(
    lengths: Sequence[int], max_tokens: int, max_size: int, *, multiple: int = 1
) -> list[list[int]]:
    """Indices cut into batches, longest first, so that rows x longest <= `max_tokens`.

    Lengths are tokens; a row longer than the budget goes alone. Equal lengths keep their order,
    so the cut depends on the lengths alone.
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
