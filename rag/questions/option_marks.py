"""Split a question's text into its stem and its options, by the marks that begin them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from kofinlaw import UserError
from kofinlaw.rag.questions.asking import (
    asks_both,
    asks_choice,
    asks_text,
    asks_to_pick,
    names_parts,
)
from kofinlaw.rag.questions.mark_series import Series, has_gap, series_of, shadow
from kofinlaw.rag.questions.notes import condition_of, note_start, without_keys
from kofinlaw.rag.questions.plain_lines import bare_line, plain_lines

__all__ = [
    "MAX_OPTIONS",
    "QuestionText",
    "checked_options",
    "read_text",
    "split_options",
]

MAX_OPTIONS = 9
_FEW = 3  # an exam has mostly four or five options
# A heading between stem and options: `보기:`, `[선택지]`.
_HEADING = re.compile(
    r"(?:\n|(?<=[?？.]))[ \t]{0,8}[\[(<【〈]?(?:보기|선택지|선지|답지|[Oo]ptions?|[Cc]hoices?)"
    r"[\])>】〉]? ?[:：]?$"
)
# Questions that are answered by a text even where a list follows: `차이점은?`
_ASKS_ABOUT = re.compile(
    r"(?:차이점?|이유|의미|정의|개념|방법|절차|과정|취지|내용)(?:[은는]|이란|란)\s?(?:각각\s?)?(?:무엇(?:인가)?)?\s?[?？]?$"
)


class QuestionText(NamedTuple):
    """A question's stem and options, and what was left out of its text.

    - `options` are texts without marks; empty for free text.
    - `doubt` says why the reading is not certain; empty if it is.
    - `notes` are texts behind the last option and answers, which no prompt may hold.
    """

    stem: str
    options: tuple[str, ...] = ()
    doubt: str = ""
    notes: tuple[str, ...] = ()


def split_options(text: str, *, where: str = "") -> tuple[str, tuple[str, ...]]:
    """Return the stem and the texts of the options without their marks (no options: free text).

    See `read_text`, which also says what is doubtful.
    """
    read = read_text(text, where=where)
    return read.stem, read.options


def read_text(text: str, *, where: str = "") -> QuestionText:
    """Split a question into stem and options.

    Options are a series of marks without a gap: `1`, `1.`, `1)`, `(1)`, `①`, `가.`, `ㄱ.`, `A)`,
    `[1]`, `보기 1` … each on its line, several to a line, or all behind the stem; also with
    Markdown or HTML around them. Lists of statements in the stem and lists inside an option are no
    options. If a stem asks for a choice and two to nine unmarked lines follow, those are its
    options.

    A question that asks to explain is free text, also with numbered parts. Answers and notes in
    the text (`정답: 3`, `[해설] …`, `※ …`, `출처: …` behind the last option) belong to neither stem
    nor options; a condition among them (`※ 단, …`) goes to the stem.

    `where` names the question in error messages. Raises UserError for ten options or more, or an
    empty one.
    """
    if "\\n" in text and "\n" not in text.strip():
        # Line breaks that were escaped once too often, unless the text is about `\\n` itself.
        broken = text.replace("\\r", "").replace("\\n", "\n")
        unescaped = read_text(broken, where=where)
        if unescaped.options:
            return unescaped
    lines = plain_lines(text)
    kept, notes = without_keys(lines, lambda part: len(_series(part)) > 0)
    found = _marked(kept, where)
    if found is None:
        found = _unmarked(kept)
    return found._replace(notes=(*found.notes, *notes))


def checked_options(stem: str, options: tuple[str, ...], where: str) -> tuple[str, tuple[str, ...]]:
    """Return the same stem and options.

    Raises UserError, with `where`, for fewer than two options, more than nine or an empty one.
    """
    if not 2 <= len(options) <= MAX_OPTIONS:
        raise UserError(
            f"the question has {len(options)} option{'s' * (len(options) != 1)}",
            where=where,
            remedy=f"a multiple-choice question has 2 to {MAX_OPTIONS}",
        )
    for number, option in enumerate(options, 1):
        if not option:
            raise UserError(f"option {number} is empty", where=where, remedy="fill it in")
    return stem, options


def _series(text: str) -> list[Series]:
    """Return the series that may be options or a list of statements.

    Within a sentence only options that follow statements count (`ㄱ. … ㄴ. … ① ㄱ ② ㄱ, ㄴ`), and
    three marks or more behind a demand to pick.
    """
    found = series_of(shadow(text))
    firm = [one for one in found if one.opening]
    for one in found:
        if not one.opening and (
            any(other.last < one.start and other.rank > one.rank for other in firm)
            or all(map(names_parts, _parts(text, one)))
            or (len(one.marks) >= 3 and asks_to_pick(text[: one.start]))
        ):
            firm.append(one)
    return sorted(firm, key=lambda one: one.start)


def _parts(text: str, one: Series) -> list[str]:
    """Return the text behind each mark, up to the next one."""
    ends = [mark.start for mark in one.marks[1:]] + [len(text)]
    return [text[mark.end : end] for mark, end in zip(one.marks, ends, strict=True)]


def _marked(text: str, where: str) -> QuestionText | None:
    """Return a question with marked options, or free text with numbered parts; None without."""
    series = _series(text)
    chosen = next(
        (one for one in reversed(series) if not _is_nested(text, one, series)),
        None,
    )
    if chosen is None:
        return None
    stem = text[: chosen.start].strip()
    parts = _parts(text, chosen)
    last, note = _without_note(parts)
    if _asks_behind(last):
        # The question follows its list: `1. 갑은 … 2. 을은 … 옳은 것은?`
        return None
    options = _option_texts((*parts[:-1], last))
    combined = all(names_parts(option) for option in options)
    if asks_both(stem):
        return QuestionText(text.strip(), (), "the stem asks to choose and to write")
    if not combined and (asks_text(stem) or _are_questions(options, stem)):
        return QuestionText(text.strip(), ())
    if chosen.opening < 2 and not (combined or asks_choice(stem)):
        return None
    if chosen.jump:
        doubt = f"after option {len(options)} comes the mark of option {chosen.jump}"
        return QuestionText(text.strip(), (), doubt)
    stem, options = checked_options(_HEADING.sub("", stem) or stem, options, where)
    condition = condition_of(note)
    if condition:
        stem = f"{stem}\n{condition}"
    doubt = _doubt(stem, options, chosen)
    return QuestionText(stem, options, doubt, (note,) if note and not condition else ())


def _doubt(stem: str, options: Sequence[str], chosen: Series) -> str:
    if len(set(options)) < len(options):
        return "two options are the same text"
    if chosen.rank == 3 and asks_to_pick(stem) and re.search(r"모두|전부|있는\s*대로", stem):
        return "the stem asks for several of a list, but no options with combinations follow"
    few = len(options) <= _FEW and not asks_to_pick(stem)
    if few and _ASKS_ABOUT.search(stem):
        return "the stem may ask for a text about each item of the list"
    if not asks_choice(stem) and not re.search(r"[?？:：]", stem[-80:]):
        return "the stem does not ask for a choice, but a list follows"
    return ""


def _is_nested(text: str, one: Series, series: Sequence[Series]) -> bool:
    """Return whether a series lies inside an option of another one, or in the last option."""
    for other in series:
        weak = other.opening < 2 and len(other.marks) < 3
        if other is one or weak or other.start > one.start:
            continue
        if one.start < other.last:
            return True
        between = text[other.last : one.start]
        if other.rank >= one.rank or asks_choice(between) or asks_text(between):
            continue
        if not all(map(names_parts, _parts(text, one))):
            return True
    return False


def _without_note(parts: Sequence[str]) -> tuple[str, str]:
    """Return the last option without the note behind it, and the note."""
    last = parts[-1]
    start = note_start(last, inline=not any("※" in part for part in parts[:-1]))
    return (last[:start], last[start:].strip()) if start >= 0 else (last, "")


def _asks_behind(last: str) -> bool:
    """Return whether a line behind the first one of the last option asks something."""
    first, _, rest = last.strip().partition("\n")
    if any(asks_text(line) or asks_to_pick(line) for line in rest.split("\n") if line.strip()):
        return True
    # `(1) 자본금 (2) 인력이다. 이를 요약하시오.`
    head, dot, tail = first.rpartition(". ")
    return bool(dot and head.strip()) and asks_text(tail)


def _are_questions(options: Sequence[str], stem: str) -> bool:
    """Return whether the parts are questions of their own."""
    asked = sum(option.rstrip().endswith(("?", "？")) or asks_text(option) for option in options)
    return asked == len(options) and not asks_to_pick(stem)


def _option_texts(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the options on one line each, without what separates them (`,`, `/`, `|`)."""
    texts = [
        " ".join(filter(None, (bare_line(line, bullets=False) for line in part.split("\n"))))
        for part in parts
    ]
    for separators in (",，、", ";；", "/", "|", "-–—", "*•·"):
        if all(text[-1:] in separators and len(text) > 1 for text in texts[:-1] if text):
            texts = [text.rstrip(separators + " ") if text else text for text in texts]
            break
    return tuple(texts)


def _unmarked(text: str) -> QuestionText:
    """Return options without marks, one a line, where the stem asks for a choice."""
    filled = [line.strip() for line in text.split("\n") if line.strip()]
    asking = [
        i for i, line in enumerate(filled) if asks_to_pick(line) or line.endswith(("?", "？"))
    ]
    if asking and not asks_text(text):
        stem = "\n".join(filled[: asking[-1] + 1])
        behind = "\n".join(filled[asking[-1] + 1 :])
        start = note_start("\n" + behind, inline=False)
        note = behind[max(0, start - 1) :].strip() if start >= 0 else ""
        shown = behind[: max(0, start - 1)] if start >= 0 else behind
        options = tuple(filter(None, (bare_line(line) for line in shown.split("\n"))))
        ends = stem.endswith(("?", "？", "시오.", "오.", "시오", "것은", ":", "："))
        if ends and asks_to_pick(stem) and 2 <= len(options) <= MAX_OPTIONS:
            if has_gap(shadow(shown)):
                return QuestionText(text.strip(), (), "the marks of the options have a gap")
            return QuestionText(stem, options, "", (note,) if note else ())
    doubt = ""
    if asks_to_pick(text) and not asks_text(text):
        doubt = "the stem asks for a choice, but no options were found"
    return QuestionText(text.strip(), (), doubt)
