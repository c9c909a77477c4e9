"""Run a GGUF file on the same probe as the merged model, with llama.cpp."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.models.engines.llamacpp_server import start_server
from kofinlaw.trainer.proof.measure import Probe, RowFigures

__all__ = ["TOP", "GgufModel", "TokenLogprob", "measure_gguf"]

TOP = 1000  # llama.cpp returns this many of the most likely tokens; a rarer token has no loss


class TokenLogprob(TypedDict):
    """One candidate token in llama.cpp's answer, with its log-probability in nats."""

    id: int
    logprob: float


class GgufModel:
    """A GGUF file in llama.cpp with one slot, so that the same prompt gives the same answer.

    `context` is the size of the context in tokens; `threads` None takes llama.cpp's default.

    Raises UserError where `xllamacpp` is missing or refuses the file.
    """

    def __init__(self, path: Path, *, context: int, threads: int | None = None) -> None:
        try:
            import xllamacpp
        except ImportError as error:
            raise UserError(
                "xllamacpp, which runs GGUF files, is not installed",
                remedy="pip install 'kofinlaw[quickstart]'",
            ) from error
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_ctx, parameters.n_parallel = context, 1
        parameters.verbosity, parameters.warmup, parameters.offline = -1, False, True
        if threads is not None:
            parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
        try:
            self._server, self._key = start_server(parameters)
        except RuntimeError as error:
            raise_if_machine(error, path)
            raise UserError(f"llama.cpp refuses the file: {error}", where=str(path)) from error

    def next_tokens(
        self, prompt: list[int], count: int = 1, top: int = TOP
    ) -> list[dict[int, float]]:
        """Return for each of `count` greedy steps the log-probabilities of the `top` tokens by id.

        Raises UserError where llama.cpp returns an error.
        """
        reply = self._server.handle_completions(
            {"prompt": prompt, "n_predict": count, "temperature": 0, "n_probs": top}
        )
        if "choices" not in reply:
            raise UserError(f"llama.cpp did not answer: {reply.get('message', reply)}")
        steps: list[Mapping[str, list[TokenLogprob]]] = reply["choices"][0]["logprobs"]["content"]
        return [{item["id"]: item["logprob"] for item in step["top_logprobs"]} for step in steps]

    def tokenize(self, text: str) -> list[int]:
        """Return the token ids of a text. Chat marks are recognised; no start token is added."""
        # xllamacpp has no call for this, but serves llama.cpp's own endpoint on this machine.
        body = {"content": text, "add_special": False, "parse_special": True}
        return list(self._own("tokenize", body)["tokens"])

    def rendered(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return a dialogue as the file's chat template writes it, with the assistant's turn
        opened; empty if the template refuses it. llama.cpp leaves out a BOS token that it adds.
        """
        try:
            return str(self._own("apply-template", {"messages": list(messages)})["prompt"])
        except urllib.error.HTTPError:
            return ""

    def _own(self, endpoint: str, body: Mapping[str, object]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"{self._server.listening_address}/{endpoint}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self._key}"},
        )
        with urllib.request.urlopen(request, timeout=60) as reply:
            return dict(json.load(reply))


def measure_gguf(
    path: Path,
    probe: Probe,
    *,
    texts: Sequence[str] = (),
    dialogues: Sequence[Sequence[Mapping[str, str]]] = (),
    threads: int | None = None,
) -> RowFigures:
    """Measure a GGUF file on a probe, tokenize `texts` with its vocabulary, and render `dialogues`
    with its chat template.

    A loss is None for a token that is not among the `TOP` most likely. A choice is None where a
    candidate has more than one token, because llama.cpp does not return the loss of a given
    continuation. Raises UserError as `GgufModel` does.
    """
    longest = max(
        len(ids) for ids in [*probe.texts, *probe.openings, *(p for p, _ in probe.choices)]
    )
    model = GgufModel(path, context=longest + probe.greedy_tokens + 8, threads=threads)
    argmax: list[int] = []
    losses: list[float | None] = []
    for ids, rows in zip(probe.texts, probe.kl_rows, strict=True):
        for row in rows:
            found = model.next_tokens(ids[: row + 1])[0]
            argmax.append(max(found, key=found.__getitem__))
            known = found.get(ids[row + 1])
            losses.append(None if known is None else -known)
    picked: list[int | None] = []
    for prompt, candidates in probe.choices:
        if any(len(candidate) != 1 for candidate in candidates):
            picked.append(None)
            continue
        found = model.next_tokens(prompt)[0]
        floor = min(found.values()) - 1
        scores = [found.get(candidate[0], floor) for candidate in candidates]
        picked.append(scores.index(max(scores)))
    began, tokens_made = time.monotonic(), 0
    for opening in probe.openings:
        tokens_made += len(model.next_tokens(opening, probe.greedy_tokens, 1))
    seconds = time.monotonic() - began
    return RowFigures(
        argmax=argmax,
        losses=losses,
        choices=picked,
        tokens_per_second=tokens_made / seconds if tokens_made else 0.0,
        tokens=[model.tokenize(text) for text in texts],
        rendered=[model.rendered(dialogue) for dialogue in dialogues],
    )
