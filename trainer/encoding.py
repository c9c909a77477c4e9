"""Encode examples as token ids with a mask of the supervised tokens (the loss mask).

- `messages`: the mask comes from rendered prefixes. The messages before an assistant turn are
  rendered with the generation prompt, then together with the turn. The difference, including the
  stop token, is supervised. The template needs no generation tags for this.
- `prompt` and `completion`: the completion and the stop token are supervised.
- `text` (continued pre-training): the whole text is supervised.
- `choice`, for the objective that compares options: every option is scored after the prompt with
  evidence and after a bare prompt, without a stop token, as `answer.choose_by: contrast` does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict, cast

import numpy as np
from numpy.typing import NDArray

from kofinlaw import Progress, UserError, silent
from kofinlaw.data.prompting.bad_examples import malformed
from kofinlaw.data.prompting.contrast import (
    bare_messages,
    contrast_answer,
    contrast_messages,
    contrast_text,
)
from kofinlaw.data.prompting.example_forms import (
    FORM_NAMES,
    FORM_REMEDY,
    OWN_FORMS,
    ReadExample,
    read_example,
)
from kofinlaw.files import dumps, read_json_records, sha256_text
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.models.tokenizer import ANCHOR_CHARACTERS
from kofinlaw.records import Choice, Message, Rejected, record_fault
from kofinlaw.trainer.contrast.items import PackedChoice, pack_choice
from kofinlaw.trainer.settings import ContrastSettings, Objective

__all__ = [
    "ROLES",
    "Encoded",
    "ExampleError",
    "ExampleLine",
    "LengthRecord",
    "encode_choice",
    "encode_example",
    "encode_examples",
    "examples_sha256",
    "length_record",
    "require_choices",
    "show_example",
    "spans_of",
    "turn_spans",
]

ROLES = ("system", "user", "assistant")
CONTRAST = ContrastSettings()


class ExampleLine(TypedDict, total=False):
    """One line of an example file: `messages`, or `prompt` and `completion`, or `text`.

    `untrained` are the indices of messages whose answers are not learned. `choice` may come with
    any of them; only the objectives `contrast` and `both` read it.
    """

    id: str
    messages: list[Message]
    untrained: Collection[int]
    prompt: str
    completion: str
    text: str
    choice: Choice


class LengthRecord(TypedDict):
    """The content of `lengths.json`; lengths are in tokens. `forms` says how lines were read."""

    unit: str
    examples: int
    tokens: int
    supervised_tokens: int
    percentiles: dict[str, float]
    supervised_percentiles: dict[str, float]
    histogram: dict[str, list[float]]
    joined: int
    rejected: dict[str, int]
    forms: dict[str, int]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example: `tokens` (int64, [n]) and `supervised` (bool, [n]).

    If `supervised[i]`, token i is predicted from position i - 1 and counts in the loss. `joined`
    means that the tokenizer would merge characters across the edge of a turn. Such a turn is
    tokenised separately, exactly as it is when the model answers.

    An item to choose from has a `choice`. Its tokens are one packed row and its supervised tokens
    are those of the options, each predicted from `choice.sources()`.

    `form` says how the line was read (`example_forms.FORM_NAMES`); empty if it was not a line.
    """

    id: str
    tokens: NDArray[np.int64]
    supervised: NDArray[np.bool_]
    joined: bool = False
    choice: PackedChoice | None = None
    form: str = ""

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def targets(self) -> int:
        """Number of supervised tokens."""
        return int(self.supervised.sum())

    @property
    def span(self) -> int:
        """Number of positions that the model must have; less than the tokens of a packed item."""
        return len(self) if self.choice is None else self.choice.span


class ExampleError(ValueError):
    """An example that cannot be trained on. `reason` is a short code, the message explains it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def turn_spans(
    messages: Sequence[Message],
    template: ChatTemplate,
    stop: str,
    untrained: Collection[int] = (),
) -> tuple[str, list[tuple[int, int]]]:
    """Render `messages` and find the supervised (start, end) spans in characters.

    The answers with an index in `untrained` are shown and not learned. The text ends after the
    last supervised stop token. Raises ExampleError if a role is wrong, there is no
    assistant turn, a rendered prefix is not a prefix of the whole text, or the stop token does not
    follow an answer.
    """
    messages = list(messages)
    for message in messages:
        if message.get("role") not in ROLES:
            raise ExampleError("wrong_role", f"role {message.get('role')!r}: use one of {ROLES}")
        if not isinstance(message.get("content"), str):
            raise ExampleError("no_content", f"the content of role {message['role']} is not a text")
    answers = [i for i, message in enumerate(messages) if message["role"] == "assistant"]
    if not answers:
        raise ExampleError("nothing_supervised", "no assistant turn, so nothing is supervised")
    answers = [i for i in answers if i not in untrained]
    if not answers:
        raise ExampleError("not_trained", "every answer says that it is not trained on")
    text = template.render(messages, add_generation_prompt=False)
    spans = []
    for i in answers:
        if not messages[i]["content"].strip():
            raise ExampleError("empty_answer", f"turn {i + 1}: the answer is empty")
        prefix = template.render(messages[:i], add_generation_prompt=True)
        through = template.render(messages[: i + 1], add_generation_prompt=False)
        if not (through.startswith(prefix) and text.startswith(through)):
            raise ExampleError(
                "prefix_differs", f"turn {i + 1}: the template changes the text of earlier turns"
            )
        found = text.rfind(stop, len(prefix), len(through))
        if found < 0:
            raise ExampleError("no_stop", f"turn {i + 1}: {stop!r} does not follow the answer")
        spans.append((len(prefix), found + len(stop)))
    return text[: spans[-1][1]], spans


def spans_of(
    example: ExampleLine, template: ChatTemplate, stop: str
) -> tuple[str, list[tuple[int, int]]]:
    """Return the text of an example in any form, and its supervised (start, end) spans.

    Raises ExampleError if nothing is supervised, and as `turn_spans`.
    """
    if "messages" in example:
        return turn_spans(example["messages"], template, stop, example.get("untrained", ()))
    if "completion" in example:
        if not example["completion"].strip():
            raise ExampleError("empty_answer", "the completion is empty")
        prompt, completion = example["prompt"], example["completion"]
        if template.has_rendered(prompt):
            completion = completion.removesuffix(stop)  # it is added below
        else:
            prompt = template.bos + template.plain(prompt)
        start = len(prompt)
        text = prompt + template.plain(completion) + stop
    else:
        end = template.eos or stop
        if template.has_rendered(example["text"]):
            given = example["text"].removeprefix(template.bos).removesuffix(end)
        else:
            given = template.plain(example["text"])
        start = len(template.bos)
        text = template.bos + given + end
        if not example["text"].strip():
            raise ExampleError("nothing_supervised", "the text is empty")
    return text, [(start, len(text))]


def encode_example(
    example: ExampleLine,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    max_length: int,
    stop: str,
) -> Encoded:
    """Encode one example; `stop` is the text of the stop token.

    Raises ExampleError if the example cannot be trained on or has more than `max_length` tokens.
    """
    text, spans = spans_of(example, template, stop)
    edges = sorted({edge for span in spans for edge in span})
    starts = {start for start, _ in spans}
    tokens: list[int] = []
    supervised: list[bool] = []
    joined = False
    position = 0
    for edge in edges:
        if edge == position:  # a text that is supervised from its start
            continue
        prefix = encode(text[:edge])
        if prefix[: len(tokens)] == tokens:
            added = prefix[len(tokens) :]
        else:
            added = encode(text[position:edge])
            joined = True
        is_answer = position in starts
        if is_answer and not added:
            raise ExampleError("nothing_supervised", "no token belongs to the answer alone")
        tokens += added
        supervised += [is_answer] * len(added)
        position = edge
    if len(tokens) > max_length:
        raise ExampleError("too_long", f"{len(tokens)} tokens, but max_length is {max_length}")
    mask = np.array(supervised, dtype=bool)
    if mask[0]:
        mask[0] = False  # there is no earlier position to predict the first token from
    if not mask.any():
        raise ExampleError("nothing_supervised", "no supervised token is left")
    return Encoded(example["id"], np.array(tokens, dtype=np.int64), mask, joined)


def encode_choice(
    example_id: str,
    choice: Choice,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    max_length: int,
    contrast: ContrastSettings = CONTRAST,
) -> Encoded:
    """Encode an item as one packed row: prompt and options, then reference prompt and options.

    `contrast` gives the form of the prompts and which reference there is. Options are tokenised as
    continuations, as in answering. Raises ExampleError if an option is empty or occurs twice, the
    answer is not among the options, or the row has more than `max_length` tokens.
    """
    options = choice["options"]
    if len(set(options)) < len(options):
        raise ExampleError("same_options", "two options are the same text")
    if not 0 <= choice["answer"] < len(options):
        raise ExampleError(
            "wrong_answer", f"answer {choice['answer']} is not among {len(options)} options"
        )
    parts: list[tuple[list[int], list[list[int]]]] = []
    prompts = [contrast_messages(choice["question"], choice["evidence"])]
    form, referred = contrast.form, contrast.reference != "none"
    if referred:
        stem = contrast.reference == "stem"
        prompts.append(contrast_messages(choice["question"]) if stem else bare_messages())
    for messages in prompts:
        prompt = contrast_text(template, messages, form)
        tails = [
            _continuation(encode, prompt, template.plain(contrast_answer(o, form))) for o in options
        ]
        if not all(tails) or not all(option.strip() for option in options):
            raise ExampleError("empty_answer", "an option is empty")
        parts.append((encode(prompt), tails))
    reference_ids, reference_tails = parts[1] if referred else ([], [])
    tokens, packed = pack_choice(
        *parts[0],
        reference_ids,
        reference_tails,
        answer=choice["answer"],
        negative=choice["negative"],
    )
    if len(tokens) > max_length:
        raise ExampleError(
            "too_long", f"{len(tokens)} tokens with all options, but max_length is {max_length}"
        )
    return Encoded(example_id, tokens, packed.scored(), choice=packed)


def _continuation(encode: Callable[[str], list[int]], prompt: str, text: str) -> list[int]:
    """Return the tokens of `text` after `prompt`, as `models.tokenizer.Tokenizer.continuation`."""
    end = prompt[-ANCHOR_CHARACTERS:]
    before, after = encode(end), encode(end + text)
    return after[len(before) :] if after[: len(before)] == before else encode(text)


def encode_examples(
    path: Path,
    template: ChatTemplate,
    encode: Callable[[str], list[int]],
    *,
    max_length: int,
    objective: Objective = "text",
    contrast: ContrastSettings = CONTRAST,
    progress: Progress = silent,
) -> tuple[list[Encoded], list[Rejected]]:
    """Encode every example of a JSON Lines file in the order of the file.

    A line has `messages`, or `prompt` and `completion`, or `text`, or another form that
    `read_example` reads. Without an `id` it is called `line-<number>`. Under the objective
    `contrast` a line with a `choice` of at least two options becomes an item to choose from, under
    `both` a text and an item with the same id; `contrast` describes the prompts of items.

    Examples that cannot be trained on are returned as rejected, with line and reason: broken JSON,
    no known form, fields of the wrong type, a broken `choice`, an id that occurs twice, turns that
    the template refuses. Raises UserError if a line has a field that would be ignored, if the
    template has no stop token, or if no example is left.
    """
    stop = template.stop
    encoded: list[Encoded] = []
    rejected: list[Rejected] = []
    seen: dict[str, int] = {}
    done = 0
    for done, (line, given, fault) in enumerate(read_json_records(path), 1):
        example_id = str(given.get("id", f"line-{line}"))
        broken = fault or malformed(given)
        read = None if broken else read_example(given, f"{path}:{line}")
        try:
            if read is None:
                raise ExampleError("unusable", broken)
            if example_id in seen:
                raise ExampleError(
                    "same_id", f"id {example_id!r} is already used on line {seen[example_id]}"
                )
            seen[example_id] = line
            if read.left_out:
                raise ExampleError("not_trained", "the line says that it is not trained on")
            example = _line_of(example_id, read)
            choice = None if objective == "text" else _choice_of(example)
            rows: list[Encoded] = []
            if choice is None or objective == "both":
                rows.append(encode_example(example, template, encode, max_length, stop))
            if choice is not None:
                rows.append(
                    encode_choice(example_id, choice, template, encode, max_length, contrast)
                )
            encoded += [replace(one, form=read.form) for one in rows]
        except Exception as error:
            reason = error.reason if isinstance(error, ExampleError) else "unusable"
            why = str(error) if isinstance(error, ExampleError) else record_fault(error)
            detail = f"{path.name}:{line}: {why}"
            rejected.append(Rejected(example_id, "train", reason, detail, dumps(given)))
        if done % 200 == 0:
            progress("tokenise", done)
    forms = Counter(FORM_NAMES[one.form] for one in encoded if one.form not in OWN_FORMS)
    read_as = {"read_as": "; ".join(forms)} if forms else {}
    progress("tokenise", done, done, rejected=len(rejected), **read_as)
    if not encoded:
        formless = bool(rejected) and "needs a list `messages`" in rejected[0].detail
        remedy = FORM_REMEDY if formless else ""
        raise UserError(_nothing_left(rejected), where=str(path), remedy=remedy)
    return encoded, rejected


def _line_of(identity: str, found: ReadExample) -> ExampleLine:
    row: dict[str, object] = {**found.row, "id": identity}
    if found.form not in ("completion", "text"):
        row |= {"messages": found.messages, "untrained": found.untrained}
    return cast(ExampleLine, row)  # checked by `read_example`


def _choice_of(example: ExampleLine) -> Choice | None:
    """Return the choice of a line; None if it has none. Raises ExampleError if it is broken."""
    choice = example.get("choice")
    if choice is None:
        return None
    texts = isinstance(choice, dict) and all(
        isinstance(choice.get(name), list) and all(isinstance(text, str) for text in choice[name])
        for name in ("options", "evidence")
    )
    if (
        not texts
        or not isinstance(choice.get("question"), str)
        or not isinstance(choice.get("negative"), bool)
        or type(choice.get("answer")) is not int
    ):
        raise ExampleError(
            "unusable",
            "`choice` needs a text `question`, lists of texts `options` and `evidence`, an integer "
            "`answer` (from 0; -1: not a choice), and a true or false `negative`; fix it, or "
            "remove `choice` from the line",
        )
    return choice if choice["answer"] >= 0 and len(choice["options"]) >= 2 else None


def require_choices(examples: Iterable[Encoded], objective: Objective, path: Path) -> None:
    """Raise UserError if `objective` compares options and no example has any."""
    if objective != "text" and all(example.choice is None for example in examples):
        raise UserError(
            f"train.objective is {objective}, but no example has a `choice` with two options",
            where=str(path),
            remedy="generate the examples again (`kofinlaw augment`), or set train.objective: text",
        )


def _nothing_left(rejected: Sequence[Rejected]) -> str:
    if not rejected:
        return "no examples to train on"
    listed = ", ".join(f"{count} {reason}" for reason, count in _reasons(rejected).items())
    return f"none of {len(rejected)} examples can be trained on ({listed}): {rejected[0].detail}"


def _reasons(rejected: Sequence[Rejected]) -> dict[str, int]:
    """Count the rejected examples by reason, in the alphabetical order of the reasons."""
    return dict(sorted(Counter(record.reason for record in rejected).items()))


def examples_sha256(examples: Iterable[Encoded]) -> str:
    """Compute the SHA-256 over ids, tokens and masks in order; a checkpoint belongs to one."""
    lines = [
        f"{e.id} {sha256_text(e.tokens.tobytes().hex() + e.supervised.tobytes().hex())}"
        + ("" if e.choice is None else f" {e.choice.edges} {e.choice.answer} {e.choice.sign}")
        for e in examples
    ]
    return sha256_text("\n".join(lines))


def length_record(examples: Sequence[Encoded], rejected: Sequence[Rejected]) -> LengthRecord:
    """Summarise lengths in tokens: percentiles, a histogram of at most 32 bins, target counts."""
    lengths = np.array([len(e) for e in examples])
    targets = np.array([e.targets for e in examples])
    counts, edges = np.histogram(lengths, bins=min(32, max(1, len(set(lengths.tolist())))))
    marks = (0, 5, 25, 50, 75, 90, 95, 99, 100)
    return {
        "unit": "tokens",
        "examples": len(examples),
        "tokens": int(lengths.sum()),
        "supervised_tokens": int(targets.sum()),
        "percentiles": {str(m): float(np.percentile(lengths, m)) for m in marks},
        "supervised_percentiles": {str(m): float(np.percentile(targets, m)) for m in marks},
        "histogram": {"edges": [float(e) for e in edges], "counts": counts.tolist()},
        "joined": sum(e.joined for e in examples),
        "rejected": _reasons(rejected),
        "forms": dict(Counter(FORM_NAMES[e.form] for e in examples if e.form)),
    }


def show_example(example: Encoded, decode: Callable[[list[int]], str]) -> str:
    """Decode an example for reading; supervised text is enclosed in ⟦ and ⟧."""
    if example.choice is not None:
        return _show_choice(example, example.choice, decode)
    lines = [
        f"example {example.id}: {len(example)} tokens, {example.targets} supervised",
        "the model learns to write the text between ⟦ and ⟧",
        "",
    ]
    text = ""
    edges = np.flatnonzero(np.diff(example.supervised.astype(np.int8))) + 1
    for positions in np.split(np.arange(len(example)), edges):
        part = decode([int(t) for t in example.tokens[positions]])
        text += f"⟦{part}⟧" if example.supervised[positions[0]] else part
    return "\n".join([*lines, text, ""])


def _show_choice(example: Encoded, choice: PackedChoice, decode: Callable[[list[int]], str]) -> str:
    parts = [
        decode([int(t) for t in example.tokens[start:end]])
        for start, end in zip(choice.edges, choice.edges[1:], strict=False)
    ]
    prompt, *rest = parts
    options = rest[: choice.options]
    least = "least" if choice.sign < 0 else "most"
    minus = ", minus that after the second one" if choice.referred else ""
    lines = [
        f"example {example.id}: {len(example)} tokens in one row, {choice.options} options",
        f"the model learns to support option {choice.answer + 1} the {least}: the log-probability "
        f"of a ⟦text⟧ after the first prompt{minus}",
        "",
        prompt,
        *(f"⟦{option}⟧" for option in options),
        *(["", rest[choice.options]] if choice.referred else []),
    ]
    return "\n".join([*lines, ""])
