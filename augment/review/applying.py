"""Apply accepted changes to the finished examples, and remember the examples as they were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast

from kofinlaw import UserError
from kofinlaw.augment.review.corrections import corrected, example_parts
from kofinlaw.augment.review.outcomes import Change, Changes
from kofinlaw.augment.review.verdicts import example_sha256
from kofinlaw.files import dumps, read_json_lines, write_jsonl
from kofinlaw.records import Example, Rejected, from_json, record_fault

__all__ = [
    "REASON",
    "REVIEWED",
    "Applied",
    "ChangedExample",
    "apply_changes",
    "made_examples",
    "write_changed",
]

REVIEWED = "reviewed.jsonl"
REASON = "reviewed"  # of `rejected.jsonl`
Action = Literal["left_out", "edited", "other_text", "not_made"]


@dataclass(frozen=True, slots=True)
class ChangedExample:
    """A line of `reviewed.jsonl`: what became of an example that a reader found wrong.

    - `action`: `left_out`, `edited`; `other_text` if the example has another text by now, and
      `not_made` if there is no such example, so that the verdict changes nothing.
    - `made`: the example as it was made; None if the verdict changes nothing.
    """

    id: str
    action: Action
    detail: str
    made: Example | None


@dataclass(frozen=True)
class Applied:
    """The examples to train on, the rejected ones, and what became of each change."""

    examples: list[Example]
    rejected: list[Rejected]
    changed: list[ChangedExample]

    def count(self, action: Action) -> int:
        """Return how many changes had this result."""
        return sum(one.action == action for one in self.changed)

    def lines(self) -> tuple[str, ...]:
        """Return a sentence about the changes for the end of the stage; none without changes."""
        names: tuple[tuple[Action, str], ...] = (
            ("left_out", "left out"),
            ("edited", "corrected"),
            ("other_text", "with another text by now: not used"),
            ("not_made", "no longer made: not used"),
        )
        parts = [f"{n} {text}" for action, text in names if (n := self.count(action))]
        return (f"examples that readers found wrong: {', '.join(parts)}",) if parts else ()


def apply_changes(
    examples: Sequence[Example],
    changes: Changes,
    protected: Callable[[str, str], str] = lambda question, options: "",
) -> Applied:
    """Leave out the examples that readers found wrong, and correct those that they corrected.

    The twin of a changed example has the same question, so it is left out.

    Args:
        examples: The finished examples, in order.
        changes: What the readers agreed on.
        protected: Returns the part of a question with its options that is an evaluation question;
            a correction that has one is not trained on.
    """
    rejected: list[Rejected] = []
    changed: list[ChangedExample] = []
    results: dict[str, Example | None] = {}

    def leave_out(example: Example, detail: str) -> None:
        results[example.id] = None
        changed.append(ChangedExample(example.id, "left_out", detail, example))
        rejected.append(Rejected(example.id, "augment", REASON, detail, dumps(example)))

    by_id = {example.id: example for example in examples}
    for name, found in changes.by_id.items():
        example = by_id.get(name)
        sha256 = example_sha256(example) if example is not None else ""
        change = next((one for one in found if one.sha256 == sha256), None)
        if example is None or change is None:
            action: Action = "not_made" if example is None else "other_text"
            changed.append(ChangedExample(name, action, _note(found[-1]), None))
            continue
        if change.correction is None:
            leave_out(example, _note(change))
            continue
        try:
            edited = corrected(example, change.correction, _note(change))
            copied = protected(edited.choice["question"] or _asked(edited), _options(edited))
        except ValueError as error:
            leave_out(example, f"{_note(change)} (the correction is not possible: {error})")
            continue
        if copied:
            leave_out(example, f"{_note(change)} (the correction is an evaluation question)")
            continue
        results[name] = edited
        changed.append(ChangedExample(name, "edited", _note(change), example))
    for name in list(results):
        twin = by_id.get(by_id[name].choice["twin"])
        if twin is not None and twin.id not in results:
            leave_out(twin, f"{REASON}: its twin {name} was wrong")
    kept = [results.get(example.id, example) for example in examples]
    return Applied([one for one in kept if one is not None], rejected, changed)


def made_examples(folder: Path) -> list[Example]:
    """Return the examples of a stage's folder as they were made, those that were left out too.

    Raises UserError with file and line for a broken file.
    """
    made: dict[str, Example] = {}
    path = folder / REVIEWED
    if path.is_file():
        for line, value in read_json_lines(path):
            if value.get("made") is not None:
                example = _example(value["made"], f"{path}:{line}")
                made[example.id] = example
    path = folder / "examples.jsonl"
    kept = [_example(value, f"{path}:{line}") for line, value in read_json_lines(path)]
    return [*(made.pop(example.id, example) for example in kept), *made.values()]


def _example(value: object, where: str) -> Example:
    """Return the example of a JSON value whose parts can be read. Raises UserError."""
    try:
        example = from_json(Example, cast("Mapping[str, object]", value))
        if not all(isinstance(text, str) for text in (example.id, example.task)):
            raise TypeError("`id` or `task` is not a text")
        if not example.messages:
            raise TypeError("it has no messages")
        example_parts(example)
        example_sha256(example)
        list(example.provenance["chunks"])
    except (AttributeError, KeyError, TypeError) as error:
        raise UserError(
            f"this line is not an example: {record_fault(error)}",
            where=where,
            remedy="fix the line, or run the stage augment again",
        ) from error
    return example


def write_changed(path: Path, changed: Sequence[ChangedExample]) -> None:
    """Write `reviewed.jsonl`. Raises UserError if the disk is full."""
    write_jsonl(path, map(asdict, changed))


def _note(change: Change) -> str:
    """Return in one line who changed an example, when and why."""
    reason = " ".join(change.reason.split())
    text = f"{REASON} by {', '.join(change.readers)} on {change.day}"
    return f"{text}: {reason}"[:300] if reason else text


def _asked(example: Example) -> str:
    return next((m["content"] for m in reversed(example.messages) if m["role"] == "user"), "")


def _options(example: Example) -> str:
    return "\n".join(example.choice["options"]) or example.messages[-1]["content"]
