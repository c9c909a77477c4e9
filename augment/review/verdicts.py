"""Define what a reader says about an example, and read and check its JSON form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypedDict, cast

from kofinlaw.decoding import clean_text
from kofinlaw.files import sha256_text
from kofinlaw.records import Example

__all__ = [
    "MOST_CHARACTERS",
    "VERDICTS",
    "Correction",
    "Judgement",
    "Verdict",
    "check_reader",
    "example_sha256",
    "is_day",
    "read_correction",
    "read_verdict",
]

Judgement = Literal["right", "wrong", "unclear", "withdrawn"]
VERDICTS: tuple[Judgement, ...] = ("right", "wrong", "unclear", "withdrawn")
MOST_CHARACTERS = 20_000  # of a text in a verdict
_READER = re.compile(r"[^\x00-\x1f\x7f]{1,80}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Correction(TypedDict):
    """The texts of an example as they should be.

    `answer` is the number of the right option from 1, or a verdict on a statement; `target` is the
    reply, or the reason before a choice. What the example's form does not have is empty.
    """

    question: str
    options: list[str]
    answer: str
    target: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reader says about one example, a line of `review.jsonl`.

    - `id` and `sha256` name the example and its text. A verdict on another text is not used.
    - `verdict` is `withdrawn` if the reader takes back an earlier one.
    - `correction` is how a wrong example should be; None if it should be left out.
    - `settles` says that the readers agreed on this verdict after they had differed.
    - `day` is an ISO day.
    """

    id: str
    sha256: str
    reader: str
    verdict: Judgement
    reason: str
    correction: Correction | None
    settles: bool
    day: str


def example_sha256(example: Example) -> str:
    """Return the SHA-256 (hexadecimal) of what a reader sees of an example.

    Provenance and checks do not count: another version of a generator may make the same text.
    """
    seen = [example.task, example.messages, example.answer_key, example.choice]
    return sha256_text(json.dumps(seen, ensure_ascii=False, sort_keys=True))


def check_reader(name: str) -> str:
    """Return a reader's name as it is kept: clean, without outer blanks.

    Raises ValueError for an unusable one.
    """
    name = clean_text(name).strip()
    if not _READER.fullmatch(name):
        raise ValueError("a reader's name has 1 to 80 characters on one line")
    return name


def is_day(text: str) -> bool:
    """Return whether a text is an ISO day (`2026-11-30`) of the calendar."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def read_verdict(value: Mapping[str, object]) -> Verdict:
    """Return the verdict that a JSON object holds. Raises ValueError that names the wrong field."""
    if unknown := sorted(set(value) - set(Verdict.__dataclass_fields__)):
        raise ValueError(f"unknown field {unknown[0]!r}")
    judgement = value.get("verdict")
    if judgement not in VERDICTS:
        raise ValueError(f"`verdict` is not one of {', '.join(VERDICTS)}")
    settles = value.get("settles", False)
    if not isinstance(settles, bool):
        raise ValueError("`settles` is neither true nor false")
    given = value.get("correction")
    if given is not None and judgement != "wrong":
        raise ValueError("only a wrong example has a `correction`")
    return Verdict(
        _text(value, "id", needed=True),
        _matching(value, "sha256", _SHA256),
        check_reader(_text(value, "reader", needed=True)),
        cast("Judgement", judgement),
        _text(value, "reason"),
        None if given is None else read_correction(given),
        settles,
        _day(value),
    )


def read_correction(value: object) -> Correction:
    """Return the correction that a JSON value holds. Raises ValueError for another form."""
    if not isinstance(value, Mapping):
        raise ValueError("`correction` is not an object")
    names = ("question", "options", "answer", "target")
    if unknown := sorted(set(value) - set(names)):
        raise ValueError(f"unknown field `correction.{unknown[0]}`")
    options = value.get("options", [])
    if not isinstance(options, list) or len(options) > 9:
        raise ValueError("`correction.options` is not a list of at most 9 texts")
    return Correction(
        question=_text(value, "question"),
        options=[_text({"options": one}, "options") for one in options],
        answer=_text(value, "answer"),
        target=_text(value, "target"),
    )


def _text(value: Mapping[str, object], name: str, *, needed: bool = False) -> str:
    found = value.get(name, "")
    if not isinstance(found, str):
        raise ValueError(f"`{name}` is not a text")
    if len(found) > MOST_CHARACTERS:
        raise ValueError(f"`{name}` has more than {MOST_CHARACTERS} characters")
    if needed and not found.strip():
        raise ValueError(f"`{name}` is missing")
    return found


def _matching(value: Mapping[str, object], name: str, pattern: re.Pattern[str]) -> str:
    found = _text(value, name, needed=True)
    if not pattern.fullmatch(found):
        raise ValueError(f"`{name}` has another form")
    return found


def _day(value: Mapping[str, object]) -> str:
    found = _text(value, "day", needed=True)
    if not is_day(found):
        raise ValueError("`day` is not a day like 2026-11-30")
    return found
