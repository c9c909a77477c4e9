"""Read the JSON of a chat request; every field is applied, noted or refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kofinlaw import UserError
from kofinlaw.decoding import clean_text
from kofinlaw.recipes.api import Limits
from kofinlaw.recipes.asking.days import typed_day

__all__ = ["ChatRequest", "chat_request", "check_question", "embedding_texts"]

MOST_TOKENS = 4096
MOST_MESSAGES = 200
MOST_TEXTS = 256
MOST_EMBEDDED = 32_000  # characters of all texts; one core embeds about 500 a second
MOST_QUESTION = 8_000  # characters; the time of a search grows with the question
# Fields that change nothing at their neutral values; others are refused.
_NEUTRAL: dict[str, tuple[object, ...]] = {
    "n": (1,), "top_p": (1,), "frequency_penalty": (0,), "presence_penalty": (0,),
    "logprobs": (False,), "top_logprobs": (0,), "tools": ([],), "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False), "modalities": (["text"],),
    "response_format": ({"type": "text"},), "logit_bias": ({},),
}  # fmt: skip
_NOTES = ("user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key")
# Parts of an answer that clients send back with it as an earlier turn.
_TURN_EXTRAS = ("refusal", "annotations", "citations", "reasoning_content")
_APPLIED = (
    *("model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"),
    *("stop", "temperature", "seed", "rag", "as_of"),
)


@dataclass(frozen=True)
class ChatRequest:
    """A chat request.

    - `rag` None: the server's default. `as_of` is the day whose law is asked for.
    - `given` are the names of the fields that the request holds. `names` says whether a message
      has a `name`.
    """

    model: str
    messages: tuple[dict[str, str], ...]
    stream: bool
    usage: bool
    limits: Limits
    rag: bool | None
    as_of: date | None
    given: frozenset[str]
    names: bool = False

    @property
    def unused(self) -> tuple[str, ...]:
        """The fields that are valid and change nothing, for a note in the reply."""
        fields = sorted(self.given & set(_NOTES))
        return (*fields, "messages[].name") if self.names else tuple(fields)

    @property
    def question(self) -> str:
        """The last message, which is the user's."""
        return self.messages[-1]["content"]


def chat_request(body: object) -> ChatRequest:
    """Return the request that a JSON value holds. Raises UserError with the field's name."""
    if not isinstance(body, dict):
        raise UserError("the body is not a JSON object", where="body")
    for name, value in body.items():
        if name in _NEUTRAL:
            if value is not None and not _is_neutral(value, _NEUTRAL[name]):
                raise UserError(
                    f"{name} = {str(value)[:60]} is not supported",
                    where=name,
                    remedy="leave it out",
                )
        elif name not in (*_APPLIED, *_NOTES):
            raise UserError(f"unknown field {name[:60]!r}", where=name[:60], remedy="leave it out")
    stop = body.get("stop")
    stops = [stop] if isinstance(stop, str) else [] if stop is None else stop
    if (
        not isinstance(stops, list)
        or len(stops) > 4
        or not all(isinstance(one, str) and one for one in stops)
    ):
        raise UserError("stop is a text or a list of at most 4 texts", where="stop")
    most, name = body.get("max_tokens"), "max_completion_tokens"
    if body.get(name) is None:
        name = "max_tokens"
    elif most is not None and most != body[name]:
        raise UserError("max_tokens and max_completion_tokens differ", where="max_tokens")
    return ChatRequest(
        model=_model(body),
        messages=_messages(body.get("messages")),
        stream=_flag(body, "stream") or False,
        usage=_wants_usage(body.get("stream_options")),
        limits=Limits(
            max_tokens=int(_number(body, name, 1, MOST_TOKENS, 256, whole=True)),
            stop=tuple(stops),
            temperature=_number(body, "temperature", 0, 2, 0.0),
            seed=int(_number(body, "seed", 0, 2**31 - 1, 0, whole=True)),
        ),
        rag=_flag(body, "rag"),
        as_of=_day(body.get("as_of")),
        given=frozenset(key for key, value in body.items() if value is not None),
        names=any(isinstance(one, dict) and one.get("name") for one in body["messages"]),
    )


def check_question(question: str) -> None:
    """Raise UserError for a question that is too long for a search."""
    if len(question) > MOST_QUESTION:
        raise UserError(
            f"the question has {len(question)} characters; the most is {MOST_QUESTION}",
            where="messages",
            remedy="ask a shorter question, or send rag = false",
        )


def embedding_texts(body: object) -> tuple[str, tuple[str, ...], str]:
    """Return the model, the texts and the form of an embedding request. Raises UserError."""
    if not isinstance(body, dict):
        raise UserError("the body is not a JSON object", where="body")
    for name, value in body.items():
        empty = name == "dimensions" and value is None
        if name not in ("model", "input", "encoding_format", "user") and not empty:
            raise UserError(f"{name[:60]} is not supported", where=name[:60], remedy="leave it out")
    texts = body.get("input")
    given = [texts] if isinstance(texts, str) else texts if isinstance(texts, list) else []
    clean = [clean_text(one) for one in given[: MOST_TEXTS + 1] if isinstance(one, str)]
    if not 0 < len(given) == len(clean) <= MOST_TEXTS or not all(map(str.strip, clean)):
        raise UserError(
            f"input is a text or a list of 1 to {MOST_TEXTS} texts that are not empty",
            where="input",
            remedy="send texts, not numbers of tokens (check_embedding_ctx_length=False in "
            "LangChain)",
        )
    if (length := sum(map(len, clean))) > MOST_EMBEDDED:
        raise UserError(
            f"the texts have {length} characters; the most in one request is {MOST_EMBEDDED}",
            where="input",
            remedy="send fewer or shorter texts in a request",
        )
    form = body.get("encoding_format")
    form = "float" if form is None else form
    if form not in ("float", "base64"):
        raise UserError("encoding_format is float or base64", where="encoding_format")
    return _model(body), tuple(clean), form


def _is_neutral(value: object, neutral: tuple[object, ...]) -> bool:
    """Return whether a value is one of the neutral ones; `true` is not 1."""
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in neutral)


def _wants_usage(options: object) -> bool:
    """Return whether a stream ends with the usage; other options change nothing if false."""
    if options is None:
        return False
    if not isinstance(options, dict):
        raise UserError(
            'stream_options is an object, as {"include_usage": true}', where="stream_options"
        )
    for name, value in options.items():
        if name != "include_usage" and value:
            raise UserError(
                f"{name[:60]} is not supported",
                where=f"stream_options.{name[:60]}",
                remedy="leave it out",
            )
    return _flag(options, "include_usage") or False


def _model(body: Mapping[str, object]) -> str:
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise UserError("model is missing", where="model", remedy="/v1/models lists the names")
    return model


def _messages(given: object) -> tuple[dict[str, str], ...]:
    if not isinstance(given, list) or not 0 < len(given) <= MOST_MESSAGES:
        raise UserError(f"messages is a list of 1 to {MOST_MESSAGES} messages", where="messages")
    out = []
    for number, one in enumerate(given):
        where = f"messages[{number}]"
        if not isinstance(one, dict):
            raise UserError("a message is an object with role and content", where=where)
        role = "system" if one.get("role") == "developer" else one.get("role")
        if role not in ("system", "user", "assistant"):
            raise UserError("role is system, user or assistant", where=f"{where}.role")
        for name, value in one.items():
            if value and name not in ("role", "content", "name", *_TURN_EXTRAS):
                raise UserError(
                    f"{name[:60]} of a message is not supported",
                    where=f"{where}.{name[:60]}",
                    remedy="leave it out",
                )
        content = one.get("content")
        if content is None and role == "assistant":
            content = one.get("refusal") or ""
        if isinstance(content, list) and all(
            isinstance(part, dict)
            and part.get("type") == "text"
            and isinstance(part.get("text"), str)
            for part in content
        ):
            content = "".join(part["text"] for part in content)
        if not isinstance(content, str):
            raise UserError("content is a text", where=f"{where}.content")
        out.append({"role": role, "content": clean_text(content)})
    if out[-1]["role"] != "user" or not out[-1]["content"].strip():
        raise UserError("the last message is a question of the user", where="messages")
    return tuple(out)


def _flag(body: Mapping[str, object], name: str) -> bool | None:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise UserError(f"{name} is true or false", where=name)
    return value


def _number(
    body: Mapping[str, object], name: str, low: float, high: float, default: float, *,
    whole: bool = False,
) -> float:  # fmt: skip
    value = body.get(name)
    if value is None:
        return default
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise UserError(f"{name} is {kind} from {low} to {high}", where=name)
    return float(value)


def _day(value: object) -> date | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise UserError("as_of is a day, as 2026-01-01", where="as_of")
    return typed_day(value[:40], "as_of")
