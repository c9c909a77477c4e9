"""Read the texts of an example that a reader can correct, and make the corrected example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.review.verdicts import Correction
from kofinlaw.data.prompting.stems import is_negative
from kofinlaw.data.prompting.wording import (
    CLOSED_FREE_RULE,
    FREE_RULE,
    REASONED_CUE,
    VERDICTS,
    VERIFICATION_RULE,
    choice_candidates,
    option_lines,
)
from kofinlaw.records import Choice, Example, Message

__all__ = [
    "CorrectionError",
    "ExampleForm",
    "ExampleParts",
    "corrected",
    "earlier_turns",
    "example_parts",
]

ExampleForm = Literal["choice", "statement", "free", "text"]


class CorrectionError(ValueError):
    """A correction that its example does not allow.

    `code` names the reason and `values` what it is about, for a page in another language.
    """

    def __init__(self, code: str, message: str, **values: str | int) -> None:
        super().__init__(message)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class ExampleParts:
    """The texts of an example that a correction may change, and what surrounds the question.

    - `form`: `choice` has question, options, answer and (with a reason) target; `statement` has
      question and answer; `free` and `text` have question and target.
    - `evidence`: what the model is shown before the question.
    - `before`, `after`: the rest of the user's last message.
    - `label`: whether a choice is answered by its number.
    """

    form: ExampleForm
    fields: Correction
    evidence: tuple[str, ...]
    before: str
    after: str
    label: bool = False


def example_parts(example: Example) -> ExampleParts:
    """Return the parts of an example.

    An example whose messages are not in the project's words has the form `text`: its last question
    and its reply as they are.
    """
    asked, reply = _last_turn(example.messages)
    choice = example.choice
    if 0 <= choice["answer"] < len(choice["options"]):
        found = _choice_parts(choice, asked, reply)
        if found is not None:
            return found
    before, mark, rest = asked.rpartition("[설명] ")
    if mark and rest.endswith(f"\n\n{VERIFICATION_RULE}") and reply in VERDICTS:
        statement = rest.removesuffix(f"\n\n{VERIFICATION_RULE}")
        fields = Correction(question=statement, options=[], answer=reply, target="")
        after = rest[len(statement) :]
        return ExampleParts("statement", fields, _shown(before), before + mark, after)
    before, mark, rest = asked.rpartition("[질문] ")
    for rule in (FREE_RULE, CLOSED_FREE_RULE):
        if mark and rest.endswith(f"\n\n{rule}"):
            question = rest.removesuffix(f"\n\n{rule}")
            fields = Correction(question=question, options=[], answer="", target=reply)
            after = rest[len(question) :]
            return ExampleParts("free", fields, _shown(before), before + mark, after)
    fields = Correction(question=asked, options=[], answer="", target=reply)
    return ExampleParts("text", fields, (), "", "")


def corrected(example: Example, correction: Correction, note: str) -> Example:
    """Return the example with the corrected texts; `note` says in its checks who corrected it.

    An edited question is no longer the twin of another one. Raises CorrectionError if the example
    does not allow the correction.
    """
    parts = example_parts(example)
    fields = _checked(parts, correction)
    reply = fields["target"]
    if parts.form == "choice":
        index = int(fields["answer"]) - 1
        reply = choice_candidates(fields["options"], "label" if parts.label else "text")[index]
        if parts.fields["target"]:
            reply = f"{fields['target']}{REASONED_CUE}{reply}"
    elif parts.form == "statement":
        reply = fields["answer"]
    key = fields["answer"] or example.answer_key
    if not fields["answer"] and example.answer_key == _last_turn(example.messages)[1]:
        key = reply
    asked = f"{parts.before}{_question_block(parts.form, fields)}{parts.after}"
    edited = replace(
        example,
        messages=_with_last_turn(example.messages, asked, reply),
        answer_key=key,
        checks=[*example.checks, {"check": "reviewed", "ok": True, "detail": note}],
        choice=_corrected_choice(example.choice, parts.form, fields),
    )
    again = example_parts(edited)
    if (again.form, again.fields) != (parts.form, fields):
        raise CorrectionError(
            "marks", "a text holds words that separate the parts of an example, like `[문제]`"
        )
    return edited


def earlier_turns(example: Example) -> list[Message]:
    """Return the turns before the last one, of which a teacher's examples have several."""
    return [dict(message) for message in example.messages[:-2] if message["role"] != "system"]


def _choice_parts(choice: Choice, asked: str, reply: str) -> ExampleParts | None:
    """Return the parts of a multiple-choice example; None where its messages are in other words."""
    options, answer = choice["options"], choice["answer"]
    before, mark, rest = asked.rpartition("[문제] ")
    block = f"{choice['question']}\n{option_lines(options)}"
    if not mark or not rest.startswith(f"{block}\n\n"):
        return None
    reason, cue, chosen = reply.rpartition(REASONED_CUE)
    label = chosen == str(answer + 1)
    if not label and chosen != options[answer]:
        return None
    if cue and not reason:
        return None
    fields = Correction(
        question=choice["question"],
        options=list(options),
        answer=str(answer + 1),
        target=reason,
    )
    evidence = tuple(choice["evidence"])
    return ExampleParts("choice", fields, evidence, before + mark, rest[len(block) :], label)


def _shown(before: str) -> tuple[str, ...]:
    """Return the evidence before a question as one text; empty for none."""
    text = before.removeprefix("[참고 조문]\n").strip()
    return (text,) if text else ()


def _checked(parts: ExampleParts, given: Correction) -> Correction:
    """Return the correction without outer blanks. Raises CorrectionError."""
    fields = Correction(
        question=given["question"].strip(),
        options=[one.strip() for one in given["options"]],
        answer=given["answer"].strip(),
        target=given["target"].strip(),
    )
    old = parts.fields
    if not fields["question"]:
        raise CorrectionError("empty_question", "the question is empty")
    if len(fields["options"]) != len(old["options"]):
        n = len(old["options"])
        raise CorrectionError("option_count", f"this example has {n} options", n=n)
    if parts.form == "choice":
        _check_options(fields["options"])
        answers = [str(number) for number in range(1, len(fields["options"]) + 1)]
    else:
        answers = list(VERDICTS) if parts.form == "statement" else [""]
    if fields["answer"] not in answers:
        allowed = ", ".join(filter(None, answers))
        if not allowed:
            raise CorrectionError("no_answer", "it has no answer field")
        raise CorrectionError("answer", f"the answer is one of {allowed}", allowed=allowed)
    needs_target = parts.form in ("free", "text") or bool(old["target"])
    if needs_target != bool(fields["target"]):
        if needs_target:
            raise CorrectionError("empty_target", "the reply is empty")
        raise CorrectionError("no_target", "it has no reply field")
    if fields == {**old, "question": old["question"].strip(), "target": old["target"].strip()}:
        raise CorrectionError("unchanged", "the correction changes nothing")
    return fields


def _check_options(options: Sequence[str]) -> None:
    keys = [normalize(option) for option in options]
    if not all(keys):
        n = keys.index("") + 1
        raise CorrectionError("empty_option", f"option {n} is empty", n=n)
    if len(set(keys)) < len(keys):
        raise CorrectionError("equal_options", "two options have the same letters and digits")
    if any("\n" in option for option in options):
        raise CorrectionError("option_lines", "an option has one line")


def _question_block(form: ExampleForm, fields: Correction) -> str:
    if form == "choice":
        return f"{fields['question']}\n{option_lines(fields['options'])}"
    return fields["question"]


def _corrected_choice(choice: Choice, form: ExampleForm, fields: Correction) -> Choice:
    if form != "choice":
        return Choice(**{**choice, "twin": ""})
    return Choice(
        question=fields["question"],
        options=fields["options"],
        evidence=choice["evidence"],
        answer=int(fields["answer"]) - 1,
        negative=is_negative(fields["question"]),
        twin="",
    )


def _last_turn(messages: Sequence[Message]) -> tuple[str, str]:
    """Return the user's last message and the reply to it; empty where there is none."""
    asked = next((m["content"] for m in reversed(messages) if m["role"] == "user"), "")
    reply = messages[-1]["content"] if messages and messages[-1]["role"] == "assistant" else ""
    return asked or "", reply or ""


def _with_last_turn(messages: Sequence[Message], asked: str, reply: str) -> list[Message]:
    out = [dict(message) for message in messages]
    users = [index for index, message in enumerate(out) if message["role"] == "user"]
    if users:
        out[users[-1]]["content"] = asked
    out[-1]["content"] = reply
    return out
