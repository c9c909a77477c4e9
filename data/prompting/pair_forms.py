"""Read a preference pair in the forms of kofinlaw, TRL, LLaMA-Factory and ShareGPT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kofinlaw import UserError
from kofinlaw.data.prompting.example_forms import read_example
from kofinlaw.records import Message

__all__ = ["PAIR_REMEDY", "ReadPair", "pair_fault", "read_pair"]

_NEEDED = "a pair needs `messages`, `chosen` and `rejected`"
PAIR_REMEDY = (
    'write {"messages": [{"role": "user", "content": "…"}], "chosen": "…", "rejected": "…"}; '
    "`prompt` (TRL), `instruction` (Alpaca) and `conversations` (ShareGPT) are read too"
)
_PLACEHOLDER = "_"  # an answer that completes a prompt to an example, and is taken off again


@dataclass(frozen=True)
class ReadPair:
    """The messages up to the question, and the two answers to it."""

    messages: list[Message]
    chosen: str
    rejected: str


def read_pair(value: Mapping[str, object], where: str) -> ReadPair:
    """Return a line of a file of preference pairs.

    The prompt is `messages`, `prompt` (a text or messages), `conversations`, or `instruction` and
    `input`; the answers are texts, turns or lists of messages. Without a prompt it is what both
    lists of messages have in common.

    Raises UserError, with `where`, for another form, and for fields that change what is learned
    and are not applied, as `read_example`.
    """
    given = {name: item for name, item in value.items() if name not in ("chosen", "rejected")}
    chosen, rejected = value.get("chosen"), value.get("rejected")
    shared: list[object] = []
    if not any(given.get(n) for n in ("messages", "prompt", "conversations", "instruction")):
        shared = _common(chosen, rejected)
    answers = [_answer(item, len(shared), where) for item in (chosen, rejected)]
    form: dict[str, object] = dict(given)
    if shared:
        form["messages"] = shared
    prompt = form.get("prompt")
    if isinstance(prompt, list) and "messages" not in form:
        form["messages"] = form.pop("prompt")
    elif isinstance(prompt, str) and "messages" not in form:
        form["response"] = _PLACEHOLDER
    elif "instruction" in form:
        form["output"] = _PLACEHOLDER
    if not any(form.get(n) for n in ("messages", "response", "conversations", "output")):
        raise UserError(_NEEDED, where=where, remedy=PAIR_REMEDY)
    found = read_example(form, where)
    if found.left_out or found.untrained:
        raise UserError(
            "a pair that is not trained on (`train: false`, `weight: 0`) cannot be left out",
            where=where,
            remedy="remove the line from the file",
        )
    completed = "response" in form or "output" in form
    messages = found.messages[:-1] if completed else found.messages
    return ReadPair(messages, *answers)


def pair_fault(value: Mapping[str, object]) -> str:
    """Return why a line is no pair; empty if it is one, or if its form or fields are refused for
    the whole file (`read_pair`).
    """
    try:
        pair = read_pair(value, "")
    except UserError as error:
        return _NEEDED if error.message == _NEEDED else ""
    same = pair.chosen == pair.rejected
    return "`chosen` and `rejected` are the same text" if same else ""


def _answer(item: object, shared: int, where: str) -> str:
    """Return an answer as text: a text, a turn, or the last of a list of messages."""
    if isinstance(item, list) and len(item) - shared == 1:
        item = item[-1]
    if isinstance(item, Mapping):
        item = item.get("content", item.get("value"))
    if not isinstance(item, str):
        raise UserError(_NEEDED, where=where, remedy=PAIR_REMEDY)
    return item


def _common(chosen: object, rejected: object) -> list[object]:
    """Return the messages that two lists begin with."""
    if not (isinstance(chosen, Sequence) and isinstance(rejected, Sequence)):
        return []
    if isinstance(chosen, str) or isinstance(rejected, str):
        return []
    count = 0
    for first, second in zip(chosen, rejected, strict=False):
        if first != second:
            break
        count += 1
    return list(chosen[:count])
