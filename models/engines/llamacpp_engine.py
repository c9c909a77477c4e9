"""Run GGUF files with llama.cpp (`xllamacpp`): fast on CPUs, constrained by grammars."""

from __future__ import annotations

import gc
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.models import quickstart
from kofinlaw.models.cache import is_intact
from kofinlaw.models.engines.base import (
    ChoiceScore,
    EngineStats,
    Finish,
    Generation,
    Request,
    refuse_references,
    timed_call,
)
from kofinlaw.models.engines.following import Follower, current_follower
from kofinlaw.models.engines.gbnf import choices_grammar, pattern_grammar
from kofinlaw.models.engines.llamacpp_server import start_server
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer

if TYPE_CHECKING:
    import xllamacpp

__all__ = ["RANKED_TOKENS", "LlamaCppEngine", "constraint_arguments", "gguf_file", "token_limit"]

# Choices are scored among this many likeliest tokens; less likely tokens count as the last one.
RANKED_TOKENS = 4096


class LlamaCppEngine:
    """A GGUF model in this process; deterministic with one slot and without prefix cache.

    Raises UserError if xllamacpp is missing or llama.cpp cannot load the file.
    """

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
            server, _ = start_server(parameters)
        except RuntimeError as error:
            raise_if_machine(error, parameters.model.path)
            raise UserError(
                f"llama.cpp cannot load this file: {error}", where=parameters.model.path
            ) from error
        self._server: xllamacpp.Server | None = server
        self._pool = ThreadPoolExecutor(settings.slots)

    @property
    def tokenizer(self) -> Tokenizer:
        """The folder's tokenizer."""
        return self._tokenizer

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one generation per request, in order; `slots` requests run at a time.

        It supports choices, regular expressions and schemas. A request that llama.cpp fails on
        returns with finish `error` and counts as a failure.

        Raises: UserError for a prompt that leaves no room for its answer, and for a reference.
        """
        refuse_references(requests, self.name)
        prompts = self._tokenizer.encode_batch([request.prompt for request in requests])
        for number, (request, ids) in enumerate(zip(requests, prompts, strict=True)):
            self._check_room(number, len(ids), token_limit(request))
        with timed_call(self.stats):
            follower = current_follower()  # of this thread; the pool's threads have none

            def generate(row: int) -> Generation:
                return self._generate_one(row, requests[row], prompts[row], follower)

            out = list(self._pool.map(generate, range(len(requests))))
        self.stats.failures += sum(generation.finish == "error" for generation in out)
        self.stats.prompt_tokens += sum(generation.prompt_tokens for generation in out)
        self.stats.tokens += sum(generation.tokens for generation in out)
        return out

    def _generate_one(
        self, number: int, request: Request, prompt: list[int], follower: Follower | None
    ) -> Generation:
        if follower is not None:
            follower.step()
        payload: dict[str, object] = {
            "prompt": prompt,
            "max_tokens": token_limit(request),
            "temperature": request.temperature,
            "seed": request.seed,
            "cache_prompt": self._settings.prefix_cache,
        }
        if request.temperature > 0:
            # Sample from the model's own distribution, as the other engines do.
            payload.update(top_k=0, top_p=1.0, min_p=0.0, repeat_penalty=1.0)
        if request.logprob:
            payload["logprobs"] = 1
        if request.stop:
            payload["stop"] = list(request.stop)
        payload.update(constraint_arguments(request))
        if follower is not None and not request.logprob:
            answer = self._streamed(payload, number, follower)
        else:
            answer = self._complete(payload)
        if answer is None:
            return Generation("", len(prompt), 0, "error", math.nan)
        choice = answer["choices"][0]
        content = (choice.get("logprobs") or {}).get("content") or []
        text = choice["text"]
        finish: Finish = "stop" if choice.get("finish_reason") == "stop" else "length"
        tokens = int(answer.get("usage", {}).get("completion_tokens", len(content)))
        if request.choices and finish == "stop" and content and not content[-1].get("bytes"):
            # The end after a complete choice is certain; no engine counts its token.
            content, tokens = content[:-1], tokens - 1
        logprob = sum(float(token["logprob"]) for token in content) if content else math.nan
        return Generation(text, len(prompt), tokens, finish, logprob)

    def _complete(self, payload: dict[str, object]) -> dict[str, Any] | None:
        """Return llama.cpp's completion, or None if it failed."""
        if self._server is None:
            raise UserError("this engine is closed")
        try:
            answer = self._server.handle_completions(payload)
        except RuntimeError:
            return None
        return answer if isinstance(answer, dict) and answer.get("choices") else None

    def _streamed(
        self, payload: Mapping[str, object], number: int, follower: Follower
    ) -> dict[str, Any] | None:
        """As `_complete`, and report the text after each token."""
        if self._server is None:
            raise UserError("this engine is closed")
        text = ""
        last: dict[str, Any] = {}
        fault: list[Exception] = []

        def add(chunk: object) -> bool:
            """Take one chunk of the stream; True ends it."""
            nonlocal text, last
            if not isinstance(chunk, dict) or "error" in chunk:
                return False
            for choice in chunk.get("choices") or ():
                text += choice.get("text") or ""
                last = {**last, **{k: v for k, v in choice.items() if v is not None}}
            if chunk.get("usage"):
                last["usage"] = chunk["usage"]
            try:
                follower.step(lambda: [(number, text)])
            except Exception as error:  # llama.cpp calls this: the error is raised behind it
                fault.append(error)
                return True
            return False

        options = {"stream": True, "stream_options": {"include_usage": True}}
        try:
            self._server.handle_completions({**payload, **options}, add)
        except RuntimeError:
            return None
        if fault:
            raise fault[0]
        return {"choices": [{**last, "text": text}], "usage": last.get("usage", {})}

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return the summed log-probability of each choice's tokens after its prompt.

        Each prompt needs one request, and each further token of longer choices one more, which
        reuses the prompt's cache. A token that is not among the 4,096 likeliest counts as the last
        of these.

        Raises: UserError for an empty prompt or choice, and if llama.cpp fails.
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
        """Return the log-probabilities of the likeliest next tokens by id, and the smallest."""
        answer = self._complete(
            {
                "prompt": ids,
                "max_tokens": 1,
                "temperature": 0,
                "logprobs": RANKED_TOKENS,
                # The grammar only avoids end tokens and half characters, for which llama.cpp
                # returns no probabilities. The probabilities are the model's unconstrained ones.
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
        """Refuse a prompt whose tokens and answer tokens exceed the context."""
        room = self._settings.context_tokens
        if prompt + answer > room:
            raise UserError(
                f"prompt {number} has {prompt} tokens and needs up to {answer} more; limit {room}",
                where="engine.context_tokens",
                remedy="raise engine.context_tokens or lower rag.evidence_tokens",
            )

    def close(self) -> None:
        """Free the model; safe to call twice."""
        self._pool.shutdown(wait=True)
        self._server = None
        gc.collect()

    def __enter__(self) -> LlamaCppEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def gguf_file(settings: EngineSettings, folder: Path) -> Path:
    """Return the GGUF file to load: `settings.gguf`, else the folder's, else the quickstart's.

    Raises: UserError if there is none or more than one. An adapter or a merged model must be
    exported first.
    """
    if settings.gguf is not None:
        if not settings.gguf.is_file():
            raise UserError(
                "no such file", where=str(settings.gguf), remedy="name a GGUF file in `engine.gguf`"
            )
        return settings.gguf
    found = sorted(folder.glob("*.gguf"))
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise UserError(
            f"more than one GGUF file: {names}", where=str(folder), remedy="set `engine.gguf`"
        )
    # Decided by the folder, not by the shape: a model trained from it has other weights.
    if folder.name == quickstart.FOLDER and is_intact(folder, quickstart.VERSION):
        return quickstart.quickstart_gguf(folder.parent)
    raise UserError(
        "no GGUF file of this model",
        where=str(folder),
        remedy="run `kofinlaw export FOLDER --to gguf-q8_0` and set `engine.gguf`",
    )


def constraint_arguments(request: Request) -> dict[str, object]:
    """Return the part of a llama.cpp request that constrains the answer."""
    if request.choices:
        return {"grammar": choices_grammar(request.choices)}
    if request.regex:
        return {"grammar": pattern_grammar(request.regex)}
    if request.json_schema is not None:
        return {"json_schema": request.json_schema}
    return {}


def token_limit(request: Request) -> int:
    """Return `max_tokens`, or the most that a choice may need: one token per byte, and an end."""
    longest = max((len(choice.encode("utf-8")) for choice in request.choices), default=-1)
    return max(request.max_tokens, longest + 1)
