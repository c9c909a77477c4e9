"""Pack evidence into a token budget: complete passages if they fit, else the best lines.

Both augment (training examples) and rag (answering) use this module, so that evidence looks the
same in both. A line of a statute is a 항, 호 or 목. A selected line also brings the line above it
in the tree (호 → its 항), because it cannot be understood without it. Of a question with options,
the best line for each option comes first. Lines that only say that a provision is deleted are left
out of a selection. A row of a table brings the header of its table.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.claim_lines import claim_lines
from kofinlaw.data.prompting.claims import Claims
from kofinlaw.data.table_rows import without_separators
from kofinlaw.data.tables.texts import header_above

__all__ = [
    "LAST_WEIGHT",
    "LENGTH_EXPONENT",
    "RANK_WEIGHTS",
    "HasText",
    "line_parents",
    "pack",
    "pack_with_index",
]

# Long lines share more bigrams with any query. With an exponent below 1, a line that contains the
# complete answer still wins over a short line that contains half of it.
LENGTH_EXPONENT = 0.4
# The weight of a passage's lines by the rank of the passage. Equal weights show the deciding lines
# for .90 of 300 held-out generated questions, which quote the law. For hand-written questions they
# show fewer lines of the gold passage: .81, compared with .92 for shares by rank. These weights
# show .87 and .90 (320 tokens).
RANK_WEIGHTS = (1.0, 0.6, 0.45, 0.35, 0.3)
LAST_WEIGHT = 0.25

_PARAGRAPH = re.compile(r"^\s*(?:\*\*)?(?:[①-⑳㉑-㉟㊱-㊿]|제\d+항\b)")
_ITEM = re.compile(r"^\s*\d+(?:의\d+)?\\?\.\s")
_SUBITEM = re.compile(r"^\s*(?:[가-하]|[가-하][가-하])\\?\.\s")
_DELETED = re.compile(
    r"\s*(?:\*\*)?(?:[①-⑳㉑-㉟㊱-㊿]|\d+(?:의\d+)?\\?\.|[가-하]\\?\.)?(?:\*\*)?"
    r" ?삭제(?: ?<[^<>]*>)?\s*"
)
_NO_LETTER = re.compile(r"[\W_]+")
_SHORTEST_TITLE = 4  # letters
_SENTENCE = re.compile(r"(?<=다)\.\s+")


class HasText(Protocol):
    """A passage: any object with a `text`, such as a Chunk."""

    @property
    def text(self) -> str:
        """The text of the passage."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a passage; `parent` is the index of the line above it in the tree, or -1."""

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
    claims: Claims | None = None,
) -> list[str]:
    """Return the texts of the passages, cut to `budget_tokens` in total.

    If all passages fit, they are complete. Otherwise the lines that match the query best are
    selected from all passages until the budget is used, each below the header of its passage. A
    passage without a selected line is omitted. If there is a passage, at least one text is
    returned. Separators of tables (`| --- |`) and lines that repeat the header are left out.

    Args:
        passages: The passages, best first.
        query: The question with its options.
        budget_tokens: The largest number of tokens of all texts.
        count_tokens: The number of tokens of a text.
        keep: Phrases whose lines are selected first. Training uses it for the deciding line.
        claims: What the options claim: the best line for each is selected next.
    """
    packed = pack_with_index(passages, query, budget_tokens, count_tokens, keep=keep, claims=claims)
    return [text for _, text in packed]


def pack_with_index(
    passages: Sequence[HasText | str],
    query: str,
    budget_tokens: int,
    count_tokens: Callable[[str], int],
    *,
    keep: Sequence[str] = (),
    claims: Claims | None = None,
) -> list[tuple[int, str]]:
    """Pack as `pack` does, with the index of each text's passage,
    because passages may be omitted.
    """
    texts = [_without_title_again(p if isinstance(p, str) else p.text) for p in passages]
    if sum(count_tokens(text) for text in texts) <= budget_tokens:
        return [(index, text) for index, text in enumerate(texts) if text]
    wanted = frozenset(bigrams(query))
    split = [_split(text) for text in texts]
    lines = _lines([body for _, body in split], wanted, keep)
    order = _order(lines, [header for header, _ in split], claims)
    taken: list[set[int]] = [set() for _ in texts]
    left = budget_tokens
    for passage, line in order:
        rows, have = lines[passage], taken[passage]
        header = split[passage][0]
        opening = count_tokens(header) + 1 if header and not have else 0
        chain = [line]
        while rows[chain[-1]].parent >= 0:
            chain.append(rows[chain[-1]].parent)
        new = [n for n in chain if n not in have]
        cost = opening + sum(count_tokens(rows[n].text) + 1 for n in new)
        if cost > left and not any(taken):
            # The best line without its parent is more useful than the second best with it.
            new, cost = [line], opening + count_tokens(rows[line].text) + 1
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
        passage, line = order[0]
        header = split[passage][0]
        room = max(budget_tokens - count_tokens(header), 1)
        cut = _cut_line(lines[passage][line].text, wanted, room, count_tokens, keep)
        out = [(passage, f"{header}\n{cut}" if header else cut)]
    return out


def _order(
    lines: Sequence[Sequence[_Line]], headers: Sequence[str], claims: Claims | None
) -> list[tuple[int, int]]:
    """Return (passage, line) in the order of selection: kept lines, the best line for each claim,
    the others by their score.
    """
    places = [(p, n) for p, rows in enumerate(lines) for n in range(len(rows))]
    first: dict[tuple[int, int], int] = {}
    if claims is not None and claims.texts:
        grams = [[_grams(line.text) for line in rows] for rows in lines]
        parents = [[line.parent for line in rows] for rows in lines]
        first = {at: n for n, at in enumerate(claim_lines(claims, headers, grams, parents))}

    def key(at: tuple[int, int]) -> tuple[bool, int, float, tuple[int, int]]:
        score = lines[at[0]][at[1]].score
        return score < math.inf, first.get(at, len(first)), -score, at

    shown = [at for at in places if not _DELETED.fullmatch(lines[at[0]][at[1]].text)]
    return sorted(shown or places, key=key)


def _without_title_again(text: str) -> str:
    """Return the passage without separators of tables, and without lines right below its header
    that only repeat the end of the header, such as the title of an annex.
    """
    header, *body = without_separators(text).strip().split("\n")
    letters = _NO_LETTER.sub("", header)
    while len(body) > 1:
        first = _NO_LETTER.sub("", body[0])
        if first and (len(first) < _SHORTEST_TITLE or not letters.endswith(first)):
            break
        body = body[1:]
    return "\n".join([header, *body])


def _split(text: str) -> tuple[str, list[str]]:
    """Return (header, lines of the body): the first of several lines is the header."""
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
    """Return the bigrams of a line, cached because many questions use the same articles."""
    return frozenset(bigrams(text))


def _lines(
    bodies: Sequence[Sequence[str]], wanted: frozenset[str], keep: Sequence[str]
) -> list[list[_Line]]:
    """Return the lines of each body with their parents and scores; rare bigrams count more."""
    seen = Counter(gram for body in bodies for text in body for gram in _grams(text))
    total = sum(len(body) for body in bodies)
    out = []
    for rank, body in enumerate(bodies):
        weight = RANK_WEIGHTS[rank] if rank < len(RANK_WEIGHTS) else LAST_WEIGHT
        rows = []
        for text, parent in zip(body, line_parents(body), strict=True):
            grams = _grams(text)
            rarity = sum(math.log(1 + total / seen[gram]) for gram in sorted(grams & wanted))
            score = weight * rarity / max(len(grams), 1) ** LENGTH_EXPONENT
            if any(phrase in text for phrase in keep):
                score = math.inf
            rows.append(_Line(text.rstrip(), parent, score))
        out.append(rows)
    return out


def line_parents(body: Sequence[str]) -> list[int]:
    """Return for each line the index of its 항 or 호, of a table's header for its rows, or -1."""
    parents = []
    last = {1: -1, 2: -1}
    for index, text in enumerate(body):
        depth = _depth(text)
        parents.append(last[1] if depth == 2 else (last[2] if depth == 3 else -1))
        if depth < 3:
            last[depth] = index
            if depth == 1:
                last[2] = index
    for row, header in header_above(body).items():
        parents[row] = header[-1]
        for upper, lower in itertools.pairwise(header):
            parents[lower] = upper
    return parents


def _cut_line(
    text: str,
    wanted: frozenset[str],
    budget: int,
    count_tokens: Callable[[str], int],
    keep: Sequence[str],
) -> str:
    """Return the best-matching sentences of a long line, or at least its first words."""
    parts = [part if part.endswith(".") else part + "." for part in _SENTENCE.split(text.strip())]
    lines = _lines([parts], wanted, keep)[0]
    taken: set[int] = set()
    for index in sorted(range(len(parts)), key=lambda i: (-lines[i].score, i)):
        cost = count_tokens(parts[index]) + 1
        if cost <= budget:
            taken.add(index)
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
