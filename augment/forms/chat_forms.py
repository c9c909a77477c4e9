"""Turn one dialogue or preference pair into a line of a form: messages, Alpaca or ShareGPT.

- `messages`: `role` and `content`, as TRL reads them. A pair has `prompt`, `chosen` and `rejected`
  as lists of messages (TRL's conversational preference format).
- `alpaca`: `instruction`, `input`, `output`, `system`, `history`. The user's whole turn is the
  `instruction` and `input` is empty: LLaMA-Factory joins both with a line break, so that the model
  reads exactly our prompt. A pair has `chosen` and `rejected` instead of `output`.
- `sharegpt`: `conversations` of `from` and `value`, and `system`. A pair has `chosen` and
  `rejected` as turns.

Source of the fields: the documented data formats of LLaMA-Factory (data/README.md) and TRL.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from kofinlaw.records import Message

__all__ = ["FORMS", "Form", "dialogue_line", "pair_line", "unusable_turns"]

Form = Literal["messages", "alpaca", "sharegpt"]
FORMS: tuple[Form, ...] = ("messages", "alpaca", "sharegpt")
_SHAREGPT_NAMES = {"user": "human", "assistant": "gpt"}


def unusable_turns(messages: Sequence[Message], *, last: str) -> str:
    """Return why no form can hold a dialogue; empty if each can.

    A dialogue is an optional `system` message, then `user` and `assistant` in turn. `last` is the
    role of its last message.
    """
    turns = [m["role"] for m in messages]
    if turns[:1] == ["system"]:
        turns = turns[1:]
    unknown = sorted(set(turns) - set(_SHAREGPT_NAMES))
    if unknown:
        where = " after the first message" if "system" in unknown else ""
        return f"a message of the role {unknown[0]!r}{where}"
    if not turns or turns[-1] != last:
        return f"its last message is not of the {last}"
    if any(role != ("user", "assistant")[n % 2] for n, role in enumerate(turns)):
        return "user and assistant do not take turns"
    return ""


def dialogue_line(form: Form, messages: Sequence[Message]) -> dict[str, object]:
    """Return the fields of a training example that ends with the assistant's answer."""
    if form == "messages":
        return {"messages": list(messages)}
    system, turns = _split_system(messages)
    if form == "sharegpt":
        return {"conversations": [_turn(m) for m in turns], "system": system}
    return {**_instruction(turns[:-1]), "output": turns[-1]["content"], "system": system}


def pair_line(
    form: Form, messages: Sequence[Message], chosen: str, rejected: str
) -> dict[str, object]:
    """Return the fields of a preference pair; `messages` end with the user's question."""
    if form == "messages":
        return {
            "prompt": list(messages),
            "chosen": [{"role": "assistant", "content": chosen}],
            "rejected": [{"role": "assistant", "content": rejected}],
        }
    system, turns = _split_system(messages)
    if form == "sharegpt":
        return {
            "conversations": [_turn(m) for m in turns],
            "chosen": {"from": "gpt", "value": chosen},
            "rejected": {"from": "gpt", "value": rejected},
            "system": system,
        }
    return {**_instruction(turns), "chosen": chosen, "rejected": rejected, "system": system}


def _split_system(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    if messages[0]["role"] == "system":
        return messages[0]["content"], list(messages[1:])
    return "", list(messages)


def _turn(message: Message) -> dict[str, str]:
    return {"from": _SHAREGPT_NAMES[message["role"]], "value": message["content"]}


def _instruction(turns: Sequence[Message]) -> dict[str, object]:
    """Return the last question and the earlier turns as pairs of (question, answer)."""
    earlier = [m["content"] for m in turns[:-1]]
    history = [list(pair) for pair in zip(earlier[::2], earlier[1::2], strict=True)]
    return {"instruction": turns[-1]["content"], "input": "", "history": history}
