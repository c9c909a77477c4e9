"""Read a line of training examples in the forms of other tools, and refuse what would be ignored.

ShareGPT (`conversations`), Alpaca (`instruction`, `output`), OpenAI (`messages` with `weight`),
`prompt` and `response`, `question` and `answer` become `messages`. Fields that change what is
learned are applied (`train: false`, `weight: 0`) or refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kofinlaw import UserError
from kofinlaw.records import Message

__all__ = ["FORM_NAMES", "FORM_REMEDY", "OWN_FORMS", "ReadExample", "form_fault", "read_example"]

OWN_FORMS = ("messages", "completion", "text")
# How a form is read, as terminal and record show it.
FORM_NAMES = {
    "messages": "messages (role, content)",
    "completion": "prompt and completion as plain texts, without a chat template",
    "text": "text, supervised as a whole",
    "sharegpt": "conversations: from/value become role/content (human is user, gpt is assistant)",
    "alpaca": "instruction and input become the user's message, output the answer; history and "
    "system come before them",
    "response": "prompt becomes the user's message, response the answer",
    "question": "question becomes the user's message, answer the answer",
    "turns": "prompt and completion are lists of messages, joined",
}
_ROLES = {
    **dict.fromkeys(("human", "user", "prompter", "사용자"), "user"),
    **dict.fromkeys(("gpt", "assistant", "bot", "model", "chatgpt", "ai"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
_SWITCHES = ("train", "training", "trainable", "loss", "supervised")
_WEIGHTS = ("weight", "loss_weight", "sample_weight", "example_weight")
# Fields that other tools read to change what is learned, and that kofinlaw does not apply.
_NOT_APPLIED = (
    "tools", "functions", "tool_calls", "function_call", "tool_call_id", "tool_choice",
    "image", "images", "image_url", "audio", "audios", "video", "videos",
    "mask", "masked", "loss_mask", "attention_mask", "token_weights", "train_detail",
    "train_on_input", "train_on_inputs", "mask_history", "mask_prompt", "input_ids",
)  # fmt: skip
_NOT_RENDERED = ("reasoning_content", "reasoning", "thinking")
_CONVERSATIONS = ("conversations", "conversation", "dialogue", "dialog")
_QUESTIONS, _ANSWERS = ("question", "query", "질문"), ("answer", "response", "답변", "답")
_OUTPUTS = ("output", "response", "answer")
_REMEDY = (
    'write {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}'
)


FORM_REMEDY = (
    f"each line needs `messages`: {_REMEDY}; ShareGPT, Alpaca, prompt/response and "
    "question/answer are read too"
)


class _LineError(UserError):
    """A line that no form can be read from; the other lines of its file can be good."""


@dataclass(frozen=True)
class ReadExample:
    """An example line in one of our forms.

    - `row` has `id`, `messages`, `prompt` and `completion`, or `text`, and every other field.
    - `messages` are those of the row with role and content only; empty for plain texts.
    - `untrained` are the indices of answers that are not learned (`train: false`, `weight: 0`).
    - `form` is the key of `FORM_NAMES`. `left_out` is set for a line that is not trained on.
    """

    row: dict[str, object]
    form: str
    messages: list[Message] = field(default_factory=list)
    untrained: frozenset[int] = frozenset()
    left_out: bool = False

    @property
    def texts(self) -> list[str]:
        """The texts that are trained on or shown."""
        if self.messages:
            return [str(message.get("content") or "") for message in self.messages]
        return [
            str(self.row[name]) for name in ("prompt", "completion", "text") if name in self.row
        ]


def read_example(value: Mapping[str, object], where: str) -> ReadExample:
    """Return a line of a training file in one of our forms.

    Raises UserError, with `where` and a line that would do, for a line without a known form or
    with two of them, and for a field that changes what is learned and is not applied: weights
    other than 0 and 1, masks, tools, pictures, a preference pair, a chat field next to plain text.
    """
    _refuse_fields(value, where)
    left_out = not _is_trained(value, where)
    row = {name: item for name, item in value.items() if name not in (*_SWITCHES, *_WEIGHTS)}
    if left_out:
        row["train"] = False
    form = _form_of(value, where)
    if form in ("completion", "text"):
        _refuse_chat_fields(value, form, where)
        return ReadExample(row, form, left_out=left_out)
    turns = _turns(value, form, where)
    system = _first_text(value, ("system", "system_prompt"))
    if (system and form != "messages") or (system and not _has_system(turns)):
        turns = [{"role": "system", "content": system}, *turns]
    messages, untrained = _read_turns(turns, where)
    for name in _USED[form]:
        row.pop(name, None)
    row["messages"] = [
        {**message, "train": False} if index in untrained else dict(message)
        for index, message in enumerate(messages)
    ]
    return ReadExample(row, form, messages, untrained, left_out)


def form_fault(value: Mapping[str, object]) -> str:
    """Return why no form can be read from a line; empty if one can, or if its form or fields are
    refused for the whole file (`read_example`).
    """
    try:
        form = _form_of(value, "")
        if form not in ("completion", "text"):
            _turns(value, form, "")
    except _LineError as error:
        return error.message
    except UserError:
        return ""
    return ""


_USED: dict[str, tuple[str, ...]] = {
    "messages": ("system", "system_prompt"),
    "sharegpt": (*_CONVERSATIONS, "system", "system_prompt"),
    "alpaca": ("instruction", "input", *_OUTPUTS, "history", "system", "system_prompt"),
    "response": ("prompt", *_OUTPUTS, "history", "system", "system_prompt"),
    "question": (*_QUESTIONS, *_ANSWERS, "history", "system", "system_prompt"),
    "turns": ("prompt", "completion", "system", "system_prompt"),
}


def _form_of(value: Mapping[str, object], where: str) -> str:
    """Return the form of a line. Raises UserError for none or two of them."""
    found = _forms_in(value)
    if len(found) > 1:
        raise UserError(
            f"the line has two forms of an example, {' and '.join(_shown(one) for one in found)}: "
            "one of them would be ignored",
            where=where,
            remedy="remove one of them, or write both as one list `messages`",
        )
    known = {
        "messages": isinstance(value.get("messages"), list),
        "text": isinstance(value.get("text"), str),
        "completion": all(isinstance(value.get(n), str) for n in ("prompt", "completion")),
        "prompt": False,
    }
    if not found or not known.get(found[0], True):
        raise _LineError(
            "the line needs a list `messages`, or texts `prompt` and `completion`, or a `text`; "
            f"it has {', '.join(value) or 'no fields'}",
            where=where,
            remedy=FORM_REMEDY,
        )
    return found[0]


def _forms_in(value: Mapping[str, object]) -> list[str]:
    """Return the forms whose fields a line has; `prompt` is a prompt that no form reads."""
    has = {name for name, v in value.items() if v is not None and (v != [] or name == "messages")}
    found: list[str] = [name for name in ("messages", "text", "completion") if name in has]
    if has.intersection(_CONVERSATIONS):
        found.append("sharegpt")
    if "completion" in found and isinstance(value["completion"], list):
        found[found.index("completion")] = "turns"
    if "instruction" in has and has.intersection(_OUTPUTS):
        found.append("alpaca")
    elif "prompt" in has and "completion" not in has:
        # Data sets repeat the first question as `prompt`; any other prompt would be ignored.
        if "messages" in found and _repeats(value["prompt"], value["messages"]):
            return found
        found.append("response" if has.intersection(_OUTPUTS) else "prompt")
    elif not found and has.intersection(_QUESTIONS) and has.intersection(_ANSWERS):
        found.append("question")
    return found


def _shown(form: str) -> str:
    names = {"sharegpt": "`conversations`", "alpaca": "`instruction`", "response": "`prompt`"}
    return names.get(form, f"`{form}`")


def _repeats(prompt: object, messages: object) -> bool:
    """Return whether a prompt is the first question of the messages, or these without an answer."""
    if not isinstance(messages, list):
        return False
    if isinstance(prompt, list):
        return messages[: len(prompt)] == prompt
    contents = [m.get("content") for m in messages if isinstance(m, Mapping)]
    return prompt in contents[:2]


def _refuse_fields(value: Mapping[str, object], where: str) -> None:
    """Refuse fields of a line or message that would be ignored although they change learning."""
    for name in _NOT_APPLIED:
        item = value.get(name)
        if item is not None and item is not False and item != [] and item not in ("", {}):
            raise UserError(
                f"`{name}` is not applied in training, and would be ignored",
                where=where,
                remedy=f"remove `{name}`; to leave an answer untrained write "
                '{"role": "assistant", "content": "…", "train": false}',
            )
    if "chosen" in value or "rejected" in value:
        raise UserError(
            "the line is a preference pair (`chosen`, `rejected`), which supervised training does "
            "not learn",
            where=where,
            remedy="train pairs with `kofinlaw prefer`, or write the chosen answer as the last "
            'message: {"role": "assistant", "content": "…"}',
        )
    if isinstance(value.get("label"), bool) and "completion" in value:
        raise UserError(
            "`label` judges the completion, and would be ignored: a bad one would be learned",
            where=where,
            remedy="keep the lines with `label: true`, and remove the field",
        )


def _refuse_chat_fields(value: Mapping[str, object], form: str, where: str) -> None:
    for name in ("system", "system_prompt", "history", "prompt" if form == "text" else ""):
        if name and value.get(name):
            raise UserError(
                f"`{name}` next to plain `{form}` would be ignored",
                where=where,
                remedy=f"put it into the text, or write messages: {_REMEDY}",
            )


def _is_trained(value: Mapping[str, object], where: str) -> bool:
    """Return what the switches and weights of a line or message say.

    Raises UserError for a value that cannot be applied.
    """
    for name in _SWITCHES:
        item = value.get(name)
        if item is None or isinstance(item, (list, dict)):
            continue
        if item is not True and item is not False and item not in (0, 1):
            raise UserError(
                f"`{name}` is {item!r}: it is true or false",
                where=where,
                remedy=f"write `{name}: false` for what is not trained on",
            )
        if not item:
            return False
    for name in _WEIGHTS:
        item = value.get(name)
        if item is None:
            continue
        if isinstance(item, bool) or not isinstance(item, (int, float)) or item not in (0, 1):
            raise UserError(
                f"`{name}` is {item!r}: only the weights 0 and 1 are applied",
                where=where,
                remedy="remove it, or put such lines into a file of their own with a weight in "
                "`train.mixture`",
            )
        if item == 0:
            return False
    return True


def _turns(value: Mapping[str, object], form: str, where: str) -> list[Mapping[str, object]]:
    """Return the messages of a line of a form, not yet checked."""
    if form == "messages":
        return _list_of_turns(value["messages"], "messages", where)
    if form == "sharegpt":
        name = next(name for name in _CONVERSATIONS if value.get(name) not in (None, []))
        return _list_of_turns(value[name], name, where)
    if form == "turns":
        prompt = _list_of_turns(value.get("prompt"), "prompt", where)
        return [*prompt, *_list_of_turns(value["completion"], "completion", where)]
    asked = {"alpaca": ("instruction",), "response": ("prompt",), "question": _QUESTIONS}[form]
    user = _text_of(value, asked, where)
    given = value.get("input") if form == "alpaca" else None
    if given:
        user = f"{user}\n{_text_of(value, ('input',), where)}"
    answer = _text_of(value, _ANSWERS if form == "question" else _OUTPUTS, where)
    turns: list[Mapping[str, object]] = []
    history = value.get("history") or []
    if not isinstance(history, list) or not all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in history
    ):
        raise _LineError("`history` is not a list of pairs [question, answer]", where=where)
    for question, reply in history:
        turns += [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]
    turns.append({"role": "user", "content": user})
    turns.append({"role": "assistant", "content": answer})
    return turns


def _list_of_turns(turns: object, name: str, where: str) -> list[Mapping[str, object]]:
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise _LineError(
            "the line needs a list `messages`, or texts `prompt` and `completion`, or a `text`; "
            f"`{name}` is not a list of messages",
            where=where,
            remedy=_REMEDY,
        )
    return list(turns)


def _read_turns(
    turns: Sequence[Mapping[str, object]], where: str
) -> tuple[list[Message], frozenset[int]]:
    """Return the messages with role and content, and the indices of untrained answers."""
    messages: list[Message] = []
    untrained: set[int] = set()
    for index, turn in enumerate(turns):
        place = f"{where}, message {index + 1}"
        _refuse_fields(turn, place)
        for name in _NOT_RENDERED:
            if turn.get(name):
                raise UserError(
                    f"`{name}` is not part of the rendered text, and would be ignored",
                    where=place,
                    remedy=f"put it into `content`, or remove `{name}`",
                )
        role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
        message: dict[str, object] = {
            "role": _ROLES.get(role.casefold(), role) if isinstance(role, str) else role
        }
        message["content"] = _joined_parts(content, place)
        if not _is_trained(turn, place) and message["role"] == "assistant":
            untrained.add(index)
        messages.append(message)  # type: ignore[arg-type]  # the trainer rejects other values
    return messages, frozenset(untrained)


def _joined_parts(content: object, where: str) -> object:
    """Return the text of a content that is a list of text parts; other contents unchanged."""
    if not isinstance(content, list):
        return content
    texts: list[str] = []
    for part in content:
        text = part.get("text") if isinstance(part, Mapping) else part
        if not isinstance(text, str):
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            raise UserError(
                f"a part of the content is `{kind}`, which is not trained on",
                where=where,
                remedy="write the content as a text",
            )
        texts.append(text)
    return "".join(texts)


def _has_system(turns: Sequence[Mapping[str, object]]) -> bool:
    return bool(turns) and turns[0].get("role") == "system"


def _first_text(value: Mapping[str, object], names: Sequence[str]) -> str:
    for name in names:
        item = value.get(name)
        if isinstance(item, str) and item.strip():
            return item
    return ""


def _text_of(value: Mapping[str, object], names: Sequence[str], where: str) -> str:
    name = next((name for name in names if value.get(name) is not None), names[0])
    item = value.get(name)
    if not isinstance(item, str):
        raise _LineError(f"`{name}` is not a text", where=where, remedy=_REMEDY)
    return item
