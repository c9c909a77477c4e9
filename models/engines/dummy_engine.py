"""An engine without a model, for control flow: its texts and scores are hashes of the input."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

from kofinlaw.models.engines.base import (
    ChoiceScore,
    EngineStats,
    Generation,
    Request,
    cut_at_stop,
    timed_call,
)


class CharacterCounter:
    """A tokenizer of one token a character, for the dummy engine."""

    def encode(self, text: str) -> list[int]:
        """Code points."""
        return [ord(character) for character in text]

    def count(self, text: str) -> int:
        """Characters."""
        return len(text)


def _fraction(*parts: object) -> float:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8")).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64


class DummyEngine:
    """Answers by hash: the same request gives the same text, another seed another one."""

    name = "dummy"
    deterministic = True

    def __init__(self, *, seed: int = 0) -> None:
        self.tokenizer = CharacterCounter()
        self.stats = EngineStats()
        self._seed = seed

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """One of the choices, `{}` for a schema, else a few words that the prompt's hash picks."""
        out = []
        with timed_call(self.stats):
            for request in requests:
                draw = _fraction(self._seed, request.seed, request.prompt)
                if request.choices:
                    text = request.choices[int(draw * len(request.choices))]
                elif request.json_schema is not None:
                    text = "{}"
                else:
                    text = f"답변 {int(draw * 10**6):06d}"
                text, stopped = cut_at_stop(text[: request.max_tokens], request.stop)
                finish = "stop" if stopped or len(text) < request.max_tokens else "length"
                out.append(
                    Generation(text, len(request.prompt), len(text), finish, math.log(draw))  # type: ignore[arg-type]
                )
                self.stats.prompt_tokens += len(request.prompt)
                self.stats.tokens += len(text)
        return out

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """A log-probability a choice, drawn from the hash of prompt and choice."""
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
        """Nothing to free."""

    def __enter__(self) -> DummyEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
