"""Evidence within a token budget: whole passages where they fit, else their best-matching lines.

Used by augment (what the model is trained on) and rag (what it is asked with) alike, so that
evidence looks the same in both. A line of a statute is a 항, 호 or 목; one that is kept brings
the line it hangs on (호 → its 항), without which it cannot be read.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from kofinlaw.data.korean.words import bigrams

# Long lines share more bigrams with any query; an exponent below 1 still lets a line that holds
# the whole answer win over a short one that holds half of it.
LENGTH_EXPONENT = 0.4
# What a passage's lines count for by its rank. Equal weights show the deciding lines of generated
# questions, which quote the law, in .90 of 300 held-out ones, but fewer lines of the gold passage
# of hand-written ones (.81 for .92 with shares by rank); these show .87 and .90 (320 tokens).
RANK_WEIGHTS = (1.0, 0.6, 0.45, 0.35, 0.3)
LAST_WEIGHT = 0.25

_PARAGRAPH = re.compile(r"^\s*(?:\*\*)?(?:[①-⑳㉑-㉟㊱-㊿]|제\d+항\b)")
_ITEM = re.compile(r"^\s*\d+(?:의\d+)?\\?\.\s")
_SUBITEM = re.compile(r"^\s*(?:[가-하]|[가-하][가-하])\\?\.\s")
_SENTENCE = re.compile(r"(?<=다)\.\s+")


class HasText(Protocol):
    """A passage: anything with a `text` (a Chunk)."""

    @property
    def text(self) -> str:
        """The passage as it is shown."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a passage: `parent` is the place of the line it hangs on, -1 for none."""

    text: str
    parent: int
    score: float


def pack(
    passages: Sequence[HasText | str],
    query: str,
    budget_tokens: int,
    count_tokens: Callable[[str], int],
    *,
    keep: Sequence[str] = (),
) -> list[str]:
    """The passages' texts, best first, cut to `budget_tokens` in all.

    All are whole where they fit together. Else the lines that match the query best are taken over
    all passages until the budget is spent, each under its passage's header; a passage of which no
    line is taken is left out. `query` is the question with its options; `keep` are phrases whose
    lines are taken first (training keeps the line that decides). At least one text comes back
    while there is a passage.
    """
    return [
        text for _, text in pack_with_index(passages, query, budget_tokens, count_tokens, keep=keep)
    ]


def pack_with_index(
    passages: Sequence[HasText | str],
    query: str,
    budget_tokens: int,
    count_tokens: Callable[[str], int],
    *,
    keep: Sequence[str] = (),
) -> list[tuple[int, str]]:
    """`pack`, each text with its passage's place: some may be left out between others."""
    texts = [(p if isinstance(p, str) else p.text).strip() for p in passages]
    if sum(count_tokens(text) for text in texts) <= budget_tokens:
        return [(place, text) for place, text in enumerate(texts) if text]
    wanted = frozenset(bigrams(query))
    split = [_split(text) for text in texts]
    lines = _lines([body for _, body in split], wanted, keep)
    order = sorted(
        ((p, n) for p, rows in enumerate(lines) for n in range(len(rows))),
        key=lambda at: (-lines[at[0]][at[1]].score, at),
    )
    taken: list[set[int]] = [set() for _ in texts]
    left = budget_tokens
    for passage, place in order:
        rows, have = lines[passage], taken[passage]
        header = split[passage][0]
        opening = count_tokens(header) + 1 if header and not have else 0
        chain = [place]
        while rows[chain[-1]].parent >= 0:
            chain.append(rows[chain[-1]].parent)
        new = [n for n in chain if n not in have]
        cost = opening + sum(count_tokens(rows[n].text) + 1 for n in new)
        if cost > left and not any(taken):
            # The best line says more without what it hangs on than the next best with it.
            new, cost = [place], opening + count_tokens(rows[place].text) + 1
        if new and cost <= left:
            have.update(new)
            left -= cost
    out = []
    for number, have in enumerate(taken):
        if have:
            header, rows = split[number][0], lines[number]
            shown = [*([header] if header else []), *(rows[n].text for n in sorted(have))]
            out.append((number, "\n".join(shown)))
    if not out and order:
        passage, place = order[0]
        header = split[passage][0]
        room = max(budget_tokens - count_tokens(header), 1)
        cut = _cut_line(lines[passage][place].text, wanted, room, count_tokens, keep)
        out = [(passage, f"{header}\n{cut}" if header else cut)]
    return out


def _split(text: str) -> tuple[str, list[str]]:
    """(header, body lines): the first of several lines is the header."""
    rows = [row for row in text.split("\n") if row.strip()]
    return (rows[0], rows[1:]) if len(rows) > 1 else ("", rows)


def _depth(line: str) -> int:
    if _PARAGRAPH.match(line):
        return 1
    if _ITEM.match(line):
        return 2
    return 3 if _SUBITEM.match(line) else 1


@lru_cache(maxsize=20_000)
def _grams(text: str) -> frozenset[str]:
    """A line's bigrams; the same articles come up for many questions."""
    return frozenset(bigrams(text))


def _lines(
    bodies: Sequence[Sequence[str]], wanted: frozenset[str], keep: Sequence[str]
) -> list[list[_Line]]:
    """Each body's lines with what they hang on and how well they match, rare bigrams most."""
    seen = Counter(gram for body in bodies for text in body for gram in _grams(text))
    total = sum(len(body) for body in bodies)
    out = []
    for rank, body in enumerate(bodies):
        weight = RANK_WEIGHTS[rank] if rank < len(RANK_WEIGHTS) else LAST_WEIGHT
        rows = []
        for text, parent in zip(body, _parents(body), strict=True):
            grams = _grams(text)
            rarity = sum(math.log(1 + total / seen[gram]) for gram in sorted(grams & wanted))
            score = weight * rarity / max(len(grams), 1) ** LENGTH_EXPONENT
            if any(phrase in text for phrase in keep):
                score = math.inf
            rows.append(_Line(text.rstrip(), parent, score))
        out.append(rows)
    return out


def _parents(body: Sequence[str]) -> list[int]:
    """For each line the place of the 항 or 호 it hangs on, -1 for none."""
    parents = []
    last = {1: -1, 2: -1}
    for place, text in enumerate(body):
        depth = _depth(text)
        parents.append(last[1] if depth == 2 else (last[2] if depth == 3 else -1))
        if depth < 3:
            last[depth] = place
            if depth == 1:
                last[2] = place
    return parents


def _cut_line(
    text: str,
    wanted: frozenset[str],
    budget: int,
    count_tokens: Callable[[str], int],
    keep: Sequence[str],
) -> str:
    """The best-matching sentences of one long line; at the very least its opening words."""
    parts = [part if part.endswith(".") else part + "." for part in _SENTENCE.split(text.strip())]
    lines = _lines([parts], wanted, keep)[0]
    taken: set[int] = set()
    for place in sorted(range(len(parts)), key=lambda i: (-lines[i].score, i)):
        cost = count_tokens(parts[place]) + 1
        if cost <= budget:
            taken.add(place)
            budget -= cost
    if taken:
        return " ".join(parts[i] for i in sorted(taken))
    words = text.split()
    low, high = 1, len(words)
    while low < high:
        middle = (low + high + 1) // 2
        fits = count_tokens(" ".join(words[:middle])) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    return " ".join(words[:low]) + " …"
