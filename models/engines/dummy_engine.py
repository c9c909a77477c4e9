"""Run no model: the dummy engine hashes its input into texts and scores, to test control flow."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from kofinlaw.models.engines.base import (
    ChoiceScore,
    EngineStats,
    Finish,
    Generation,
    Request,
    cut_at_stop,
    refuse_references,
    timed_call,
)
from kofinlaw.models.engines.following import current_follower

__all__ = ["CharacterCounter", "DummyEngine"]


class CharacterCounter:
    """A tokenizer with one token per character."""

    def encode(self, text: str) -> list[int]:
        """Return the code points of a text."""
        return [ord(character) for character in text]

    def count(self, text: str) -> int:
        """Return the number of characters."""
        return len(text)


def _fraction(*parts: object) -> float:
    """Return a number in (0, 1) that the hash of the parts decides."""
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8")).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64


class DummyEngine:
    """An engine without a model: the same request gives the same text, another seed another."""

    name = "dummy"
    deterministic = True

    def __init__(self, *, seed: int = 0) -> None:
        self.tokenizer = CharacterCounter()
        self.stats = EngineStats()
        self._seed = seed

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one of the choices, `{}` for a schema, else a short text made from the hash.

        Raises: UserError for a request with a reference.
        """
        refuse_references(requests, self.name)
        out = []
        follower = current_follower()
        with timed_call(self.stats):
            for request in requests:
                if follower is not None:
                    follower.step()
                draw = _fraction(self._seed, request.seed, request.prompt)
                if request.choices:
                    text = request.choices[int(draw * len(request.choices))]
                elif request.json_schema is not None:
                    text = "{}"
                else:
                    text = f"답변 {int(draw * 10**6):06d}"
                text, stopped = cut_at_stop(text[: request.max_tokens], request.stop)
                finish: Finish = "stop" if stopped or len(text) < request.max_tokens else "length"
                out.append(Generation(text, len(request.prompt), len(text), finish, math.log(draw)))
                self.stats.prompt_tokens += len(request.prompt)
                self.stats.tokens += len(text)
        return out

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return a log-probability per choice, from the hash of prompt and choice."""
        with timed_call(self.stats):
            self.stats.prompt_tokens += sum(map(len, prompts))
            return [
                [
                    ChoiceScore(math.log(_fraction(self._seed, prompt, choice)), len(choice))
                    for choice in row
                ]
                for prompt, row in zip(prompts, choices, strict=True)
            ]

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def __enter__(self) -> DummyEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
