"""Examples as token ids with the mask of what is learned.

In a conversation the mask comes from rendering prefixes: the messages up to an assistant's turn
with the generation prompt, then with the turn; the difference, up to and with the stop token, is
supervised. No template needs generation tags for this. Of `prompt` and `completion` the second is
learned, with the stop token; a plain `text` (continued pre-training) is learned whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kofinlaw import Progress, UserError, silent
from kofinlaw.files import dumps, read_json_lines, sha256_text
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.records import Message, Rejected

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example: `tokens` (int64, length n) and `supervised` (bool, length n).

    `supervised[i]` says that token i is predicted (from position i - 1) and counted in the loss.
    `joined` tells that the text's own tokens would run over a turn's edge, so that the turn was
    tokenised apart, as it is when the model answers.
    """

    id: str
    tokens: np.ndarray
    supervised: np.ndarray
    joined: bool = False

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def targets(self) -> int:
        """Supervised tokens."""
        return int(self.supervised.sum())


class ExampleError(ValueError):
    """An example that cannot be trained on: `reason` is a short code, the text says more."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def turn_spans(
    messages: Sequence[Message], template: ChatTemplate, stop: str
) -> tuple[str, list[tuple[int, int]]]:
    """The rendered text, cut after the last stop token, and the supervised (start, end) spans.

    Raises ExampleError where a role is wrong, no assistant speaks, a prefix is not a prefix of
    the whole, or the stop token does not follow an answer.
    """
    messages = list(messages)
    for message in messages:
        if message.get("role") not in ROLES:
            raise ExampleError("wrong_role", f"role {message.get('role')!r}: use one of {ROLES}")
        if not isinstance(message.get("content"), str):
            raise ExampleError("no_content", f"the {message['role']}'s content is not a text")
    answers = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    if not answers:
        raise ExampleError("nothing_supervised", "no assistant's turn, so nothing to learn")
    text = template.render(messages, add_generation_prompt=False)
    spans = []
    for i in answers:
        if not messages[i]["content"].strip():
            raise ExampleError("empty_answer", f"turn {i + 1}: the assistant says nothing")
        prefix = template.render(messages[:i], add_generation_prompt=True)
        through = template.render(messages[: i + 1], add_generation_prompt=False)
        if not (through.startswith(prefix) and text.startswith(through)):
            raise ExampleError(
                "prefix_differs", f"turn {i + 1}: the template rewrites what came before it"
            )
        found = text.rfind(stop, len(prefix), len(through))
        if found < 0:
            raise ExampleError("no_stop", f"turn {i + 1}: {stop!r} does not follow the answer")
        spans.append((len(prefix), found + len(stop)))
    return text[: spans[-1][1]], spans


def spans_of(
    value: dict[str, Any], template: ChatTemplate, stop: str
) -> tuple[str, list[tuple[int, int]]]:
    """The text of a record in one of the three forms, and its supervised (start, end) spans.

    Raises ExampleError where there is nothing to learn.
    """
    if "messages" in value:
        return turn_spans(value["messages"], template, stop)
    if "completion" in value:
        if not value["completion"].strip():
            raise ExampleError("empty_answer", "the completion says nothing")
        prompt = value["prompt"]
        if not prompt.startswith(template.bos):
            prompt = template.bos + prompt  # no chat template has put it there
        start = len(prompt)
        text = prompt + value["completion"] + stop
    else:
        start = len(template.bos)
        text = template.bos + value["text"] + (template.eos or stop)
        if not value["text"].strip():
            raise ExampleError("nothing_supervised", "the text is empty")
    return text, [(start, len(text))]


def encode_example(
    value: dict[str, Any],
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    max_length: int,
    stop: str,
) -> Encoded:
    """Tokens and mask of one record; raises ExampleError, also where it is too long."""
    text, spans = spans_of(value, template, stop)
    edges = sorted({edge for span in spans for edge in span})
    starts = {start for start, _ in spans}
    tokens: list[int] = []
    supervised: list[bool] = []
    joined = False
    position = 0
    for edge in edges:
        if edge == position:  # a text that is learned from its start
            continue
        whole = encode(text[:edge])
        if whole[: len(tokens)] == tokens:
            added = whole[len(tokens) :]
        else:
            added = encode(text[position:edge])
            joined = True
        answer = position in starts
        if answer and not added:
            raise ExampleError("nothing_supervised", "the answer has no token of its own")
        tokens += added
        supervised += [answer] * len(added)
        position = edge
    if len(tokens) > max_length:
        raise ExampleError("too_long", f"{len(tokens)} tokens, the window is {max_length}")
    mask = np.array(supervised, dtype=bool)
    if mask[0]:
        mask[0] = False  # nothing stands before the first token to predict it from
    if not mask.any():
        raise ExampleError("nothing_supervised", "no token is left to learn")
    return Encoded(value["id"], np.array(tokens, dtype=np.int64), mask, joined)


def encode_examples(
    path: Path,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    *,
    max_length: int,
    progress: Progress = silent,
) -> tuple[list[Encoded], list[Rejected]]:
    """Every example of a JSON Lines file, in the file's order.

    A line has `messages`, or `prompt` and `completion`, or `text`; without an `id` it is called
    `line-<number>`. What cannot be trained on comes back as rejected, with its reason. Raises
    UserError where a line has none of these, an id stands twice, the template has no stop token,
    or nothing is left.
    """
    stop = template.stop
    kept: list[Encoded] = []
    rejected: list[Rejected] = []
    seen: dict[str, int] = {}
    for line, given in read_json_lines(path):
        value = {"id": f"line-{line}", **given}
        _check_fields(value, f"{path}:{line}")
        example_id = value["id"]
        if example_id in seen:
            raise UserError(
                f"id {example_id!r} stands on line {seen[example_id]} too", where=f"{path}:{line}"
            )
        seen[example_id] = line
        try:
            kept.append(encode_example(value, template, encode, max_length, stop))
        except ExampleError as error:
            rejected.append(Rejected(example_id, "train", error.reason, str(error), dumps(value)))
        if len(seen) % 200 == 0:
            progress("tokenise", len(seen))
    progress("tokenise", len(seen), len(seen), rejected=len(rejected))
    if not kept:
        raise UserError(_nothing_left(rejected), where=str(path))
    return kept, rejected


def _check_fields(value: dict[str, Any], where: str) -> None:
    if not isinstance(value.get("id"), str):
        raise UserError("the `id` is not a text", where=where)
    messages = value.get("messages")
    if isinstance(messages, list) and all(isinstance(m, dict) for m in messages):
        return
    forms = (("prompt", "completion"), ("text",))
    if "messages" in value or not any(
        all(isinstance(value.get(name), str) for name in form) for form in forms
    ):
        raise UserError(
            "no `messages` list of turns here, nor texts as `prompt` and `completion`, or `text`",
            where=where,
        )


def _nothing_left(rejected: Sequence[Rejected]) -> str:
    if not rejected:
        return "no examples to train on"
    reasons: dict[str, int] = {}
    for record in rejected:
        reasons[record.reason] = reasons.get(record.reason, 0) + 1
    listed = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
    return f"none of {len(rejected)} examples can be trained on ({listed}): {rejected[0].detail}"


def fingerprint(examples: Iterable[Encoded]) -> str:
    """SHA-256 over ids, tokens and masks in order: the data a checkpoint belongs to."""
    lines = [
        f"{e.id} {sha256_text(e.tokens.tobytes().hex() + e.supervised.tobytes().hex())}"
        for e in examples
    ]
    return sha256_text("\n".join(lines))


def length_record(examples: Sequence[Encoded], rejected: Sequence[Rejected]) -> dict[str, Any]:
    """Lengths in tokens: percentiles, a histogram of at most 32 bins, supervised counts."""
    lengths = np.array([len(e) for e in examples])
    targets = np.array([e.targets for e in examples])
    counts, edges = np.histogram(lengths, bins=min(32, max(1, len(set(lengths.tolist())))))
    marks = (0, 5, 25, 50, 75, 90, 95, 99, 100)
    reasons: dict[str, int] = {}
    for record in rejected:
        reasons[record.reason] = reasons.get(record.reason, 0) + 1
    return {
        "unit": "tokens",
        "examples": len(examples),
        "tokens": int(lengths.sum()),
        "supervised_tokens": int(targets.sum()),
        "percentiles": {str(m): float(np.percentile(lengths, m)) for m in marks},
        "supervised_percentiles": {str(m): float(np.percentile(targets, m)) for m in marks},
        "histogram": {"edges": [float(e) for e in edges], "counts": counts.tolist()},
        "joined": sum(e.joined for e in examples),
        "rejected": dict(sorted(reasons.items())),
    }


def show_example(example: Encoded, decode: Callable[[list[int]], str]) -> str:
    """The example decoded for a person: supervised stretches stand between ⟦ and ⟧."""
    lines = [
        f"example {example.id}: {len(example)} tokens, {example.targets} supervised",
        "what the model learns to write stands between ⟦ and ⟧",
        "",
    ]
    text = ""
    edges = np.flatnonzero(np.diff(example.supervised.astype(np.int8))) + 1
    for stretch in np.split(np.arange(len(example)), edges):
        part = decode([int(t) for t in example.tokens[stretch]])
        text += f"⟦{part}⟧" if example.supervised[stretch[0]] else part
    return "\n".join([*lines, text, ""])
