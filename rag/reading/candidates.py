"""Read the shown evidence as sentences that can answer a free-text question.

A candidate is a whole sentence without heading, mark or table separator:

- an exception (`다만, …`) stays with the sentence that it limits;
- a 호 or 목 is joined with its opening sentence: `다음 각 호의 어느 하나에 해당하는 경우에는` gives
  way to the item;
- where the question asks for a list, the opening sentence has all of its items instead;
- a row of a table names the columns of its cells, and the table's head is no candidate.

The contest's script copies this module, so it imports only what that machine has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kofinlaw.data.korean.words import josa, particle_pair, sentences

__all__ = ["Candidate", "asks_for_list", "evidence_sentences", "fitted"]

_CIRCLED = re.compile(r"^\s*(?:\*\*)?[①-⑳㉑-㉟㊱-㊿]\**\s*")
_NUMBER = re.compile(r"^\s*\d{1,3}(?:의\d+)?\\?\.\s+")
_LETTER = re.compile(r"^\s*[가-하](?:의\d+)?\\?\.\s+")
_BULLET = re.compile(r"^\s*(?:[-*•ㆍ]\s+|#{1,6}\s+)")
_BRACKETED = re.compile(r"\([^()]*\)")
_RULE = re.compile(r"^[\s|:\-–—─━=]+$")  # the line below the head of a table
# What limits or continues the sentence before it.
_CONTINUES = re.compile(r"^(?:다만|단,|그러나|이 경우|이때|그 경우|이를|또한|그래도)")
_LIST = re.compile(r"다음|각 ?[호목]|아래")
# `다음 각 호의 어느 하나에 해당하는 경우`, `다음 각 호의 사항`: what an item takes the place of.
_SLOT = re.compile(
    r"다음(?: 각 ?[호목])?의 (?:(?:어느 하나|각각)(?:에 해당하는|의) )?"
    r"(?!어느 )(?P<noun>[가-힣]{1,8}?)"
    r"(?P<after>에게는|에게|에는|에서|으로서|으로|로|에|을|를|이|가|은|는|과|와|의)?(?=[\s,.])"
)
_ANY_OF = re.compile(r"다음 각 ?[호목]의 어느 하나")
_AS_FOLLOWS = re.compile(r"다음(?: 각 ?[호목])?(?:과|와) 같(?:다|이 한다)\.?$")
# A sentence by itself. `음`, `요` and `함` without a full stop may end a noun (`어음`, `개요`).
_SAID = re.compile(r"다\.?$|(?:요|음|함)\.$")
_CASES = ("경우", "때", "날")
_BY = ("구분", "기준", "방법", "절차")  # `다음 각 호의 구분에 따라`: an item cannot take its place
_LABEL = re.compile(r"^(?P<label>[^:：]{1,60}?)\s*[:：]\s*(?P<value>\S.*)$")
_ASKS_LIST = re.compile(
    r"모두|각각|종류|사항|항목|목록|나열|열거|무엇무엇|어떤 것들|요건들?|[가-힣]들[은을이]"
    r"|경우(?=[을를은는와] |들|와)"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence of the evidence. `passage` is the index of the shown text, `header` its heading
    (act and article; empty if it has none).
    """

    text: str
    passage: int
    header: str


@dataclass(slots=True)
class _Node:
    """A 항, 호, 목 or plain line without its mark, with what is below it. 항 and plain are 0."""

    depth: int
    text: str
    below: list[_Node] = field(default_factory=list)


def asks_for_list(question: str) -> bool:
    """Return whether a question asks for all items of a list (`… 사항은 무엇인가?`)."""
    return bool(_ASKS_LIST.search(question))


def evidence_sentences(
    question: str, shown: Sequence[str], fits: Callable[[str], bool]
) -> list[Candidate]:
    """Return the sentences of the shown texts in order, each once.

    Args:
        question: Decides whether a list is one candidate or one for each item.
        shown: The texts as the prompt shows them; the first of several lines is the heading.
        fits: Whether a text is short enough for an answer. It decides how many items of a list one
            candidate has.
    """
    whole = asks_for_list(question)
    found: dict[str, Candidate] = {}
    for number, passage in enumerate(shown):
        rows = [row for row in passage.split("\n") if row.strip()]
        header, body = (rows[0].strip(), rows[1:]) if len(rows) > 1 else ("", rows)
        for node in _tree(body):
            for text in _read(node, fits, whole=whole):
                if text and text not in found:
                    found[text] = Candidate(text, number, header)
    return list(found.values())


def fitted(text: str, fits: Callable[[str], bool]) -> str:
    """Return a text cut to what fits: at the end of a sentence, else without brackets, else at the
    end of a word.
    """
    if fits(text):
        return text
    parts = _grouped(text)
    while len(parts) > 1:
        parts.pop()
        if fits(" ".join(parts)):
            return " ".join(parts)
    first = parts[0] if parts else text
    bare = " ".join(re.sub(r"(?<!\s)\s*+[(（][^()（）]*[)）]", "", first).split())
    if fits(bare):
        return bare
    words = bare.split()
    while len(words) > 1 and not fits(" ".join(words)):
        words.pop()
    return " ".join(words)


def _tree(rows: Sequence[str]) -> list[_Node]:
    """Return the 항 and plain lines with their 호 and 목."""
    top: list[_Node] = []
    path: list[_Node] = []
    head: list[str] = []  # of the table that the last row belongs to
    for place, row in enumerate(rows):
        if "|" not in row:
            head = []
        if _RULE.match(row):
            continue
        if "|" in row and not head and _is_head(rows, place):
            head = _cells(row)
            continue
        depth, text = _line(row, head)
        if not text or text.startswith("삭제"):
            continue
        while path and path[-1].depth >= depth:
            path.pop()
        node = _Node(depth, text)
        (path[-1].below if path and depth else top).append(node)
        path.append(node)
    return top


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")]


def _is_head(rows: Sequence[str], place: int) -> bool:
    """Return whether a table row names columns of figures.

    It is the first row of its table and has no figure outside brackets, and every row below it has
    as many cells and a figure after the first one. Evidence may lack the head of a table, and its
    rows are then no head of each other.
    """
    if place and "|" in rows[place - 1]:
        return False
    head, below = _cells(rows[place]), []
    for row in rows[place + 1 :]:
        if "|" not in row:
            break
        if not _RULE.match(row):
            below.append(_cells(row))
    if not below or not all(head) or any(map(str.isdigit, _BRACKETED.sub("", " ".join(head)))):
        return False
    return all(
        len(cells) == len(head) > 1 and any(map(str.isdigit, " ".join(cells[1:])))
        for cells in below
    )


def _line(row: str, head: Sequence[str] = ()) -> tuple[int, str]:
    """Return (depth, text without mark) of a line; the cells of a table row are joined, each with
    the name of its column where the table's head is known.
    """
    if "|" in row:
        named = _cells(row)
        if head:
            named = named[:1] + [
                f"{name} {cell}" if cell else ""
                for name, cell in zip(head[1:], named[1:], strict=True)
            ]
        cells = [cell for cell in named if cell]
        return 0, ": ".join([cells[0], ", ".join(cells[1:])]) if len(cells) > 1 else "".join(cells)
    for depth, mark in ((0, _CIRCLED), (1, _NUMBER), (2, _LETTER), (0, _BULLET)):
        match = mark.match(row)
        if match:
            return depth, " ".join(row[match.end() :].replace("**", "").split())
    return 0, " ".join(row.replace("**", "").split())


def _read(node: _Node, fits: Callable[[str], bool], *, whole: bool) -> Iterator[str]:
    """Yield the sentences of a line and of what is below it."""
    parts = _grouped(node.text)
    opening = next((part for part in reversed(parts) if _LIST.search(part)), "")
    if not node.below or not opening:
        yield from parts
        for below in node.below:
            yield from _read(below, fits, whole=whole)
        return
    yield from (part for part in parts if part != opening)
    items = [_item(below) for below in node.below]
    if whole or len(items) == 1:
        yield _whole_list(opening, items, fits)
    if not whole and len(items) > 1:
        yield from (_joined(opening, [item]) for item in items)


def _item(node: _Node) -> str:
    """Return an item; one with items below it is joined with them."""
    if not node.below:
        return node.text
    below = [_item(one) for one in node.below]
    return _joined(node.text, below) if _LIST.search(node.text) else " ".join([node.text, *below])


def _whole_list(opening: str, items: Sequence[str], fits: Callable[[str], bool]) -> str:
    """Return the opening sentence with as many of its items as fit."""
    for count in range(len(items), 0, -1):
        text = _joined(opening, items[:count], more=count < len(items))
        if fits(text):
            return text
    return _joined(opening, items[:1])


def _joined(opening: str, items: Sequence[str], *, more: bool = False) -> str:
    """Return the opening sentence with items in the place of `다음 각 호의 …`.

    `more` marks that further items are left out (`등`). An item that is a sentence by itself stays
    so: `"수탁자"란 … 말한다`.
    """
    items = [item.rstrip(" .;,") if not _SAID.search(item) else item for item in items]
    if all(_SAID.search(item) for item in items):
        return " ".join(items)
    label = _LABEL.match(items[0]) if len(items) == 1 else None
    listed = ", ".join(items) + (" 등" if more else "")
    slot = _SLOT.search(opening)
    if slot and slot["noun"] in _BY and opening[slot.end() :].startswith(" 따라"):
        return f"{opening.rstrip('. ')}: {listed}"
    if slot and label and slot["noun"] not in _CASES:
        case = label["label"]
        case += "에는 " if case.endswith(_CASES) else "의 경우 "
        return f"{opening[: slot.start()]}{case}{_filled(opening, slot, label['value'])}"
    if slot and _fits_noun(slot["noun"], items):
        return opening[: slot.start()] + _filled(opening, slot, listed)
    if _ANY_OF.search(opening):
        return _ANY_OF.sub(lambda _: listed, opening, count=1)
    if _AS_FOLLOWS.search(opening):
        return _AS_FOLLOWS.sub(lambda _: f"{listed}이다.", opening)
    return f"{opening.rstrip('. ')}: {listed}"


def _fits_noun(noun: str, items: Sequence[str]) -> bool:
    """Return whether the items can take the place of the noun: a case only by another case."""
    if not noun.endswith(_CASES):
        return True
    return all(item.endswith(_CASES) for item in items)


def _filled(opening: str, slot: re.Match[str], text: str) -> str:
    """Return the text with the slot's particle, and the rest of the opening sentence."""
    after = slot["after"] or ""
    pair = particle_pair(after)
    return (josa(text, pair) if pair else text + after) + opening[slot.end() :]


def _grouped(text: str) -> list[str]:
    """Return the sentences of a line; what limits or continues a sentence stays with it.

    A sentence does not end inside brackets or quotation marks.
    """
    out: list[str] = []
    closed = True
    for part in sentences(text):
        if out and (not closed or _CONTINUES.match(part)):
            out[-1] = f"{out[-1]} {part}"
        else:
            out.append(part)
        closed = _balanced(out[-1])
    return out


def _balanced(text: str) -> bool:
    return sum(map(text.count, "(（「")) <= sum(map(text.count, ")）」"))
