"""Send requests to OpenAI-compatible servers on this machine (engine `openai`)."""

from __future__ import annotations

import http.client
import json
import math
import re
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.models.engines.base import (
    SERVER_UNREACHABLE,
    ChoiceScore,
    EngineStats,
    Finish,
    Generation,
    Request,
    TokenCounter,
    cut_at_stop,
    refuse_references,
    timed_call,
)
from kofinlaw.models.engines.constraints import bare_pattern
from kofinlaw.models.engines.dummy_engine import CharacterCounter
from kofinlaw.models.engines.gbnf import choices_grammar, pattern_grammar
from kofinlaw.models.rendering.control_tokens import as_text, broken_text, has_marks
from kofinlaw.models.settings import EngineSettings
from kofinlaw.models.tokenizer import Tokenizer, load_tokenizer
from kofinlaw.offline import is_loopback
from kofinlaw.units import MIB

__all__ = [
    "FIRST_PAUSE_SECONDS",
    "LARGEST_ANSWER_BYTES",
    "RETRIED",
    "TRIES",
    "OpenAIEngine",
    "ServerError",
    "check_address",
    "constraint_arguments",
    "satisfies",
]

TRIES = 3
# HTTP statuses to retry after a pause that doubles: the server is busy, failed or restarts.
RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)
FIRST_PAUSE_SECONDS = 0.5
# No valid answer comes near this size; a longer one would never end.
LARGEST_ANSWER_BYTES = 16 * MIB


class ServerError(Exception):
    """No server answered a request, after every try."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: object, **named: object) -> None:
        return None


class OpenAIEngine:
    """Sends rendered prompts to `/completions`; several servers share the work.

    It is not deterministic, because servers batch the requests that arrive together. Tokens are
    counted by the folder's tokenizer, or as characters if there is no folder. Raises UserError for
    an address that is not on this machine, and if a server does not name its model.
    """

    name = "openai"
    deterministic = False

    def __init__(self, settings: EngineSettings, folder: Path | None) -> None:
        for address in settings.servers:
            check_address(address)
        self._settings = settings
        self._servers = [address.rstrip("/") for address in settings.servers]
        self._tokenizer: TokenCounter = load_tokenizer(folder) if folder else CharacterCounter()
        self.stats = EngineStats()
        # A proxy of the environment or a redirection would send prompts to another machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
        self._model = settings.served_model or self._first_model()
        self._pool = ThreadPoolExecutor(settings.slots * len(self._servers))

    @property
    def tokenizer(self) -> TokenCounter:
        """Counts tokens as the served model does, if its folder is known."""
        return self._tokenizer

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one generation per request, in order; each server gets `slots` at a time.

        If no server answers after three tries, or if the answer violates its constraint, the
        generation has finish `error` and a fault, and counts as a failure.

        Raises: UserError for a request with a reference.
        """
        refuse_references(requests, self.name)
        with timed_call(self.stats):
            out = list(self._pool.map(self._generate_one, range(len(requests)), requests))
        self.stats.failures += sum(generation.finish == "error" for generation in out)
        self.stats.prompt_tokens += sum(generation.prompt_tokens for generation in out)
        self.stats.tokens += sum(generation.tokens for generation in out)
        return out

    def _generate_one(self, number: int, request: Request) -> Generation:
        payload: dict[str, object] = {
            "prompt": self._sent(request.prompt),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
            **constraint_arguments(request),
        }
        if request.logprob:
            payload["logprobs"] = 1
        if request.stop:
            payload["stop"] = list(request.stop)
        read = self._tokenizer.count(request.prompt)
        try:
            choice, usage = self._complete(number, payload)
        except ServerError as error:
            return Generation("", read, 0, "error", math.nan, fault=str(error)[:300])
        text, stopped = cut_at_stop(str(choice.get("text") or ""), request.stop)
        if not satisfies(text, request):
            return Generation(text, read, 0, "error", math.nan, fault="breaks its constraint")
        finish: Finish = "stop" if stopped or choice.get("finish_reason") == "stop" else "length"
        tokens = int(usage.get("completion_tokens") or self._tokenizer.count(text))
        read = int(usage.get("prompt_tokens") or read)
        return Generation(text, read, tokens, finish, _summed_logprob(choice))

    def score(
        self, prompts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> list[list[ChoiceScore]]:
        """Return the summed log-probability of each choice, read from the echoed prompt.

        Raises: UserError if a server does not echo log-probabilities (llama.cpp's does not).
        """
        jobs = [
            (prompt, choice) for prompt, row in zip(prompts, choices, strict=True) for choice in row
        ]
        with timed_call(self.stats):
            scores = iter(list(self._pool.map(self._score_one, range(len(jobs)), jobs)))
        return [[next(scores) for _ in row] for row in choices]

    def _score_one(self, number: int, job: tuple[str, str]) -> ChoiceScore:
        prompt, choice = broken_text(job[0]), broken_text(as_text(job[1]))
        payload = {"prompt": prompt + choice, "max_tokens": 1, "echo": True, "logprobs": 1}
        try:
            answer, _ = self._complete(number, payload | {"temperature": 0})
        except ServerError as error:
            raise UserError(f"a server failed to score: {error}") from error
        echoed = answer.get("logprobs") or {}
        starts, values = echoed.get("text_offset"), echoed.get("token_logprobs")
        if not str(answer.get("text", "")).startswith(prompt) or not starts or not values:
            raise UserError(
                "the server does not echo log-probabilities",
                where="engine.servers",
                remedy="score with engine transformers or llamacpp",
            )
        self.stats.prompt_tokens += sum(start < len(prompt + choice) for start in starts)
        inside = [
            float(value or 0.0)
            for start, value in zip(starts, values, strict=False)
            if len(prompt) <= start < len(prompt) + len(choice)
        ]
        return ChoiceScore(sum(inside), len(inside))

    def _sent(self, prompt: str) -> str | list[int]:
        """Return a prompt as servers read it: as token ids where a text holds control tokens.

        A server turns the text of a control token into the token. Without the tokenizer's folder
        such texts get a zero-width space.
        """
        if not has_marks(prompt):
            return prompt
        known = isinstance(self._tokenizer, Tokenizer)
        return self._tokenizer.encode(prompt) if known else broken_text(prompt)

    def _complete(
        self, number: int, payload: dict[str, object]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the first choice and the usage of a completion; each new try uses the next server.

        Raises: ServerError after the last try, or for a status that a retry cannot help.
        """
        last: dict[str, Exception] = {}
        for attempt in range(TRIES):
            server = self._servers[(number + attempt) % len(self._servers)]
            try:
                answer = self._call(f"{server}/completions", {"model": self._model, **payload})
                return answer["choices"][0], answer.get("usage") or {}
            except urllib.error.HTTPError as error:
                last[server] = error
                if error.code not in RETRIED:
                    raise ServerError(f"{server} answered {error.code}") from error
            except (
                OSError,
                http.client.HTTPException,
                ValueError,
                LookupError,
                TypeError,
            ) as error:
                last[server] = error
            if attempt + 1 < TRIES:
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt)
        detail = "; ".join(f"{server}: {error}" for server, error in last.items())
        unreachable = all(map(_refused_connection, last.values()))
        raise ServerError(f"{SERVER_UNREACHABLE}: {detail}" if unreachable else detail)

    def _call(self, address: str, payload: dict[str, object] | None = None) -> dict[str, Any]:
        body = None if payload is None else json.dumps(payload).encode("utf-8")
        request = urllib.request.Request(
            address, data=body, headers={"Content-Type": "application/json"}
        )
        deadline = time.monotonic() + self._settings.timeout_seconds
        with self._opener.open(request, timeout=self._settings.timeout_seconds) as answer:
            data = bytearray()
            while part := answer.read1(65536):
                data += part
                if len(data) > LARGEST_ANSWER_BYTES:
                    raise ValueError("its answer has no end")
                # The socket's own time limit restarts with each byte.
                if time.monotonic() > deadline:
                    raise TimeoutError("timed out in the middle of its answer")
            return load_json(bytes(data))

    def _first_model(self) -> str:
        server = self._servers[0]
        try:
            return str(self._call(f"{server}/models")["data"][0]["id"])
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
            raise UserError(
                f"cannot ask {server} for its model: {error}",
                where="engine.servers",
                remedy="start the server, or set `served_model`",
            ) from error

    def close(self) -> None:
        """Wait for the running requests; the server keeps running."""
        self._pool.shutdown(wait=True)

    def __enter__(self) -> OpenAIEngine:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def check_address(address: str) -> None:
    """Refuse a server address that is invalid or not on this machine.

    Raises: UserError.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError(
            f"{address!r} is not a server's address",
            where="engine.servers",
            remedy="write it like http://127.0.0.1:8000/v1",
        )
    if not is_loopback(parts.hostname):
        raise UserError(
            f"{parts.hostname} is not this machine, and no policy here allows a remote model",
            where="engine.servers",
            remedy="run the server on 127.0.0.1",
        )


def constraint_arguments(request: Request) -> dict[str, object]:
    """Return a request's constraint for vLLM and for llama.cpp; each ignores the other's key."""
    if request.choices:
        grammar = choices_grammar(request.choices)
        return {"structured_outputs": {"choice": list(request.choices)}, "grammar": grammar}
    if request.regex:
        return {
            "structured_outputs": {"regex": bare_pattern(request.regex)},
            "grammar": pattern_grammar(request.regex),
        }
    if request.json_schema is not None:
        schema = {"name": "answer", "schema": request.json_schema}
        return {
            "response_format": {"type": "json_schema", "json_schema": schema},
            "json_schema": request.json_schema,
        }
    return {}


def satisfies(text: str, request: Request) -> bool:
    """Return whether a text satisfies its choices or pattern, or is JSON if there is a schema."""
    if request.choices:
        return text in request.choices
    if request.regex:
        return re.fullmatch(request.regex, text) is not None
    if request.json_schema is not None:
        try:
            load_json(text)
        except ValueError:
            return False
    return True


def _refused_connection(error: Exception) -> bool:
    """Return whether no server listens at the address."""
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError)


def _summed_logprob(choice: dict[str, Any]) -> float:
    """Return the generated tokens' summed log-probability; nan if the server gives none."""
    given = choice.get("logprobs") or {}
    values = given.get("token_logprobs") or [t.get("logprob") for t in given.get("content") or []]
    known = [float(value) for value in values if value is not None]
    return sum(known) if known else math.nan
