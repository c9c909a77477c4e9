"""Write an answer as a chat completion: one JSON object, or server-sent events."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping

from kofinlaw.models.engines.base import Generation, cut_at_stop
from kofinlaw.recipes.serving.chat_request import ChatRequest
from kofinlaw.recipes.serving.citations import answer_text, citations
from kofinlaw.recipes.serving.faults import FaultError
from kofinlaw.recipes.serving.jobs import Answered
from kofinlaw.results import JsonValue

__all__ = ["StableText", "completion", "events"]

_PIECE = 24  # characters of one event where the whole text is known at its start
_BREAKS = re.compile("[\u0085\u2028\u2029]")
DONE = "data: [DONE]\n\n"
WAITING = ": no answer yet\n\n"  # a comment, which clients of server-sent events skip


class StableText:
    """Cuts a growing text into pieces that no later text takes back.

    The last characters are held back as long as they may become a stop text, half a character of
    several bytes, or a syllable that another letter completes.

    Args:
        stop: texts that end the answer and are not part of it.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self._held = max(3, *(len(one) for one in stop)) if stop else 3
        self._sent = ""

    def more(self, text: str) -> str:
        """Return the next piece of a text that is not finished; it may be empty."""
        sure = text[: max(len(text) - self._held, 0)].rstrip("\ufffd")
        return self._next(sure)

    def rest(self, text: str) -> str:
        """Return the last piece of the finished text."""
        return self._next(text)

    def _next(self, text: str) -> str:
        if not text.startswith(self._sent):
            return ""
        piece = text[len(self._sent) :]
        self._sent = text
        return piece


def completion(
    asked: ChatRequest, result: Answered | Generation, model: str
) -> dict[str, JsonValue]:
    """Return an answer as the body of a chat completion.

    Raises FaultError (500) if the engine failed on the request.
    """
    notes: list[JsonValue] = []
    extra: dict[str, JsonValue] = {}
    tokens = (0, 0)
    if isinstance(result, Generation):
        if result.finish == "error":
            raise FaultError(500, f"the engine failed: {result.fault[:200]}", "engine_refused")
        text, finish = result.text, result.finish
        tokens = (result.prompt_tokens, result.tokens)
    else:
        answer = result.answer
        tokens = (answer.prompt_tokens, answer.tokens)
        text, finish = cut_at_stop(answer_text(answer), asked.limits.stop)[0], "stop"
        extra = {"citations": citations(result), "references": list(result.references)}
        extra |= {"abstained": answer.abstained, "origin": answer.origin}
        extra["confidence"] = answer.confidence
        if answer.judgement is not None and answer.abstained:
            extra["nearest"] = list(answer.judgement.nearest)
        if len(asked.messages) > 1:
            notes.append("only the last message is the question; earlier messages were not read")
        unread = sorted(asked.given & {"temperature", "seed"})
        if unread:
            notes.append(f"not applied with rag: {', '.join(unread)}; the recipe decides")
        limited = sorted(asked.given & {"max_tokens", "max_completion_tokens"})
        chosen = answer.origin != "model" or answer.quoted or answer.option
        if limited and chosen and answer.tokens > asked.limits.max_tokens:
            notes.append(f"{limited[0]} not applied: the answer is a whole sentence or option")
        notes += [
            f"{absent.title} had no text on this day; its first is of {absent.first}"
            for absent in answer.absent
        ]
    if asked.unused:
        notes.append(f"accepted without effect: {', '.join(asked.unused)}")
    choice: JsonValue = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish,
        "logprobs": None,
    }
    return {
        **_head("chat.completion", model),
        "choices": [choice],
        "usage": {
            "prompt_tokens": tokens[0],
            "completion_tokens": tokens[1],
            "total_tokens": sum(tokens),
        },
        "notes": notes,
        **extra,
    }


def _head(kind: str, model: str) -> dict[str, JsonValue]:
    name = f"chatcmpl-{uuid.uuid4().hex}"
    return {"id": name, "object": kind, "created": int(time.time()), "model": model}


def _event(value: Mapping[str, object]) -> str:
    """Return a server-sent event; some clients split lines at NEL and at U+2028 and U+2029."""
    text = _BREAKS.sub(_escaped, json.dumps(value, ensure_ascii=False))
    return f"data: {text}\n\n"


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


async def events(
    asked: ChatRequest,
    model: str,
    texts: AsyncIterator[str | None],
    whole: Callable[[], dict[str, JsonValue]],
) -> AsyncIterator[str]:
    """Yield an answer as server-sent events; the last but one has the citations.

    Args:
        asked: the request, for its stop texts and whether usage is wanted.
        model: the model's name.
        texts: the text so far, each longer than the one before; may be empty. None: nothing new
            for some time, for which a comment is sent, so that no client and no proxy gives up.
        whole: returns the completion once `texts` ends.

    An error of `texts` or `whole` becomes an event, because the status was sent already.
    """
    head = _head("chat.completion.chunk", model)

    def event(delta: dict[str, str], finish: object = None, **more: JsonValue) -> str:
        one = {"index": 0, "delta": delta, "finish_reason": finish}
        return _event({**head, "choices": [one], **more})

    stable = StableText(asked.limits.stop)
    yield event({"role": "assistant", "content": ""})
    try:
        async for text in texts:
            if text is None:
                yield WAITING
            elif piece := stable.more(text):
                yield event({"content": piece})
        body = whole()
    except FaultError as error:
        yield _event(error.body())
        yield DONE
        return
    choice = body["choices"][0]  # type: ignore[index,call-overload]
    rest = stable.rest(str(choice["message"]["content"]))  # type: ignore[index,call-overload]
    for start in range(0, len(rest), _PIECE):
        yield event({"content": rest[start : start + _PIECE]})
    outer = {k: v for k, v in body.items() if k not in (*head, "choices", "usage")}
    yield event({}, choice["finish_reason"], **outer)  # type: ignore[index,call-overload]
    if asked.usage:
        yield _event({**head, "choices": [], "usage": body["usage"]})
    yield DONE
