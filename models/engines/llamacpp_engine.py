"""The llama.cpp engine (`xllamacpp`): GGUF files, fast on CPUs, answers held to a grammar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.models import quickstart
from kofinlaw.models.cache import is_intact
from kofinlaw.models.engines.base import ChoiceScore, EngineStats, Generation, Request, timed_call
from kofinlaw.models.engines.gbnf import choices_grammar, pattern_grammar
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer

# A choice is looked up among this many likeliest tokens; one below them counts as the last.
RANKED_TOKENS = 4096


class LlamaCppEngine:
    """A GGUF model in this process. Texts are deterministic with one slot and no prefix cache."""

    name = "llamacpp"

    def __init__(self, settings: EngineSettings, folder: Path) -> None:
        if find_spec("xllamacpp") is None:
            raise UserError(
                "engine llamacpp needs xllamacpp", remedy="pip install 'kofinlaw[quickstart]'"
            )
        import xllamacpp

        self._settings = settings
        self._tokenizer = load_tokenizer(folder)
        self.stats = EngineStats()
        self.deterministic = settings.slots == 1 and not settings.prefix_cache
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(gguf_file(settings, folder))
        parameters.n_ctx = settings.context_tokens * settings.slots
        parameters.n_parallel = settings.slots
        parameters.verbosity = -1
        parameters.warmup = False
        parameters.offline = True
        if settings.threads is not None:
            parameters.cpuparams.n_threads = settings.threads
            parameters.cpuparams_batch.n_threads = settings.threads
        try:
            self._server: Any = xllamacpp.Server(parameters)
        except RuntimeError as error:
            raise UserError(
                f"llama.cpp does not load this file: {error}", where=parameters.model.path
            ) from error
        self._pool = ThreadPoolExecutor(settings.slots)

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer."""
        return self._tokenizer

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Texts in order, `slots` at a time. Choices, regular expressions and schemas are held to.

        A request the server fails on comes back with finish `error` and is counted. Raises
        UserError for a prompt that leaves no room for its answer.
        """
        prompts = self._tokenizer.encode_batch([request.prompt for request in requests])
        for number, (request, ids) in enumerate(zip(requests, prompts, strict=True)):
            self._check_room(number, len(ids), most_tokens(request))
        with timed_call(self.stats):
            pairs = zip(requests, prompts, strict=True)
            out = list(self._pool.map(lambda pair: self._generate_one(*pair), pairs))
        self.stats.failures += sum(generation.finish == "error" for generation in out)
        self.stats.prompt_tokens += sum(generation.prompt_tokens for generation in out)
        self.stats.tokens += sum(generation.tokens for generation in out)
        return out

    def _generate_one(self, request: Request, prompt: list[int]) -> Generation:
        payload: dict[str, Any] = {
            "prompt": prompt,
            "max_tokens": most_tokens(request),
            "temperature": request.temperature,
            "seed": request.seed,
            "cache_prompt": self._settings.prefix_cache,
        }
        if request.temperature > 0:
            # Plain sampling from the model's own distribution, as the other engines do.
            payload.update(top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0)
        if request.logprob:
            payload["logprobs"] = 1
        if request.stop:
            payload["stop"] = list(request.stop)
        payload.update(constraint(request))
        answer = self._complete(payload)
        if answer is None:
            return Generation("", len(prompt), 0, "error", math.nan)
        choice = answer["choices"][0]
        content = (choice.get("logprobs") or {}).get("content") or []
        text = choice["text"]
        finish = "stop" if choice.get("finish_reason") == "stop" else "length"
        tokens = int(answer.get("usage", {}).get("completion_tokens", len(content)))
        if request.choices and finish == "stop" and content and not content[-1].get("bytes"):
            # After a whole choice the end is certain: as in the other engines it does not count.
            content, tokens = content[:-1], tokens - 1
        logprob = sum(float(token["logprob"]) for token in content) if content else math.nan
        return Generation(text, len(prompt), tokens, finish, logprob)  # type: ignore[arg-type]

    def _complete(self, payload: dict[str, Any]) -> dict[str, Any] | None:
        try:
            answer = self._server.handle_completions(payload)
        except RuntimeError:
            return None
        return answer if isinstance(answer, dict) and answer.get("choices") else None

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Summed log-probability of each choice's tokens after its prompt.

        One request a prompt and one more for each further token of longer choices, which reuse
        the prompt's cache. A token below the 4,096 likeliest counts as the last of those.
        """
        encoded = self._tokenizer.encode_batch(prompts)
        with timed_call(self.stats):
            self.stats.prompt_tokens += sum(map(len, encoded))
            return [
                self._score_one(number, ids, [self._tokenizer.continuation(p, c) for c in row])
                for number, (p, ids, row) in enumerate(zip(prompts, encoded, choices, strict=True))
            ]

    def _score_one(
        self, number: int, prompt: list[int], tails: list[list[int]]
    ) -> list[ChoiceScore]:
        if not prompt or not all(tails):
            raise UserError(f"prompt {number} or one of its choices is empty")
        self._check_room(number, len(prompt), max(map(len, tails)))
        seen: dict[tuple[int, ...], tuple[dict[int, float], float]] = {}
        scores = []
        for tail in tails:
            total = 0.0
            for position, token in enumerate(tail):
                start = tuple(tail[:position])
                if start not in seen:
                    seen[start] = self._ranked(prompt + list(start), reuse=position > 0)
                known, floor = seen[start]
                total += known.get(token, floor)
            scores.append(ChoiceScore(total, len(tail)))
        return scores

    def _ranked(self, ids: list[int], *, reuse: bool) -> tuple[dict[int, float], float]:
        """Log-probabilities of the likeliest next tokens by id, and the smallest of them."""
        answer = self._complete(
            {
                "prompt": ids,
                "max_tokens": 1,
                "temperature": 0,
                "logprobs": RANKED_TOKENS,
                # The probabilities are the model's own whatever is written; an end token or half
                # a character would come back without any.
                "grammar": 'root ::= "1"',
                "cache_prompt": reuse or self._settings.prefix_cache,
            }
        )
        if answer is None:
            raise UserError("llama.cpp failed to score a prompt")
        content = answer["choices"][0]["logprobs"]["content"]
        top = {int(t["id"]): float(t["logprob"]) for t in content[0]["top_logprobs"]}
        return top, min(top.values())

    def _check_room(self, number: int, prompt: int, answer: int) -> None:
        room = self._settings.context_tokens
        if prompt + answer > room:
            raise UserError(
                f"prompt {number} has {prompt} tokens and wants {answer} more, of {room} in all",
                where="engine.context_tokens",
                remedy="raise engine.context_tokens or lower rag.evidence_tokens",
            )

    def close(self) -> None:
        """Free the model."""
        import gc

        self._pool.shutdown(wait=True)
        self._server = None
        gc.collect()

    def __enter__(self) -> LlamaCppEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def gguf_file(settings: EngineSettings, folder: Path) -> Path:
    """The GGUF file to load: as set, else the one in the folder, else the quickstart's own.

    Raises UserError where there is none: an adapter or merge must be exported first.
    """
    if settings.gguf is not None:
        if not settings.gguf.is_file():
            raise UserError("no such file", where=str(settings.gguf))
        return settings.gguf
    found = sorted(folder.glob("*.gguf"))
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(
            f"more than one GGUF file: {names}", where=str(folder), remedy="set `engine.gguf`"
        )
    # By the folder, not by its shape: a model trained from the quickstart's has other weights.
    if folder.name == quickstart.FOLDER and is_intact(folder, quickstart.VERSION):
        return quickstart.quickstart_gguf(folder.parent)
    raise UserError(
        "no GGUF file of this model",
        where=str(folder),
        remedy="run `kofinlaw export FOLDER --to gguf-q8_0` and set `engine.gguf`",
    )


def constraint(request: Request) -> dict[str, Any]:
    """The part of a llama.cpp request that holds the answer to its choices, pattern or schema."""
    if request.choices:
        return {"grammar": choices_grammar(request.choices)}
    if request.regex:
        return {"grammar": pattern_grammar(request.regex)}
    if request.json_schema is not None:
        return {"json_schema": request.json_schema}
    return {}


def most_tokens(request: Request) -> int:
    """The request's bound, or what the longest choice may take: a token a byte, and an end."""
    longest = max((len(choice.encode("utf-8")) for choice in request.choices), default=-1)
    return max(request.max_tokens, longest + 1)
