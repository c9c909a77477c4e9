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

from kofinlaw.data.korean import bigrams

# Below this a passage says too little to be worth its header; its tokens go to better ones.
SMALLEST_SHARE_TOKENS = 48
# Long lines share more bigrams with any query; an exponent below 1 still lets a line that holds
# the whole answer win over a short one that holds half of it.
LENGTH_EXPONENT = 0.4

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

    `query` is the question with its options; `keep` are phrases whose lines are taken first
    (training keeps the line that decides). A passage that gets too small a share is left out,
    so fewer texts than passages may come back; at least one does while there is a passage.
    """
    texts = [p if isinstance(p, str) else p.text for p in passages]
    needs = [count_tokens(text) for text in texts]
    shares = _shares(needs, budget_tokens)
    wanted = set(bigrams(query))
    out = []
    for text, need, share in zip(texts, needs, shares, strict=False):
        cut = text.strip() if need <= share else _cut(text, wanted, share, count_tokens, keep)
        if cut:
            out.append(cut)
    return out


def _shares(needs: Sequence[int], budget: int) -> list[int]:
    """Tokens for each passage kept, by rank (1, 1/2, 1/3 …); what one does not need flows on."""
    for kept in range(len(needs), 0, -1):
        shares = _fill(needs[:kept], budget)
        if kept == 1 or all(
            s >= min(n, SMALLEST_SHARE_TOKENS) for s, n in zip(shares, needs, strict=False)
        ):
            return shares
    return []


def _fill(needs: Sequence[int], budget: int) -> list[int]:
    shares = [0] * len(needs)
    hungry = list(range(len(needs)))
    rest = budget
    while hungry and rest > 0:
        weight = sum(1 / (i + 1) for i in hungry)
        full = [i for i in hungry if needs[i] <= rest / (i + 1) / weight]
        if not full:
            for i in hungry:
                shares[i] = int(rest / (i + 1) / weight)
            break
        for i in full:
            shares[i] = needs[i]
            rest -= needs[i]
        hungry = [i for i in hungry if i not in full]
    return shares


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


def _lines(body: Sequence[str], wanted: set[str], keep: Sequence[str]) -> list[_Line]:
    grams = [_grams(text) for text in body]
    seen = Counter(gram for line in grams for gram in line)
    parents: list[int] = []
    last = {1: -1, 2: -1}
    for place, text in enumerate(body):
        depth = _depth(text)
        parents.append(last[1] if depth == 2 else (last[2] if depth == 3 else -1))
        if depth < 3:
            last[depth] = place
            if depth == 1:
                last[2] = place
    out = []
    for place, text in enumerate(body):
        shared = grams[place] & wanted
        rarity = sum(math.log(1 + len(body) / seen[gram]) for gram in sorted(shared))
        score = rarity / max(len(grams[place]), 1) ** LENGTH_EXPONENT
        if any(phrase in text for phrase in keep):
            score = math.inf
        out.append(_Line(text.rstrip(), parents[place], score))
    return out


def _cut(
    text: str,
    wanted: set[str],
    budget: int,
    count_tokens: Callable[[str], int],
    keep: Sequence[str],
) -> str:
    """Header and the best-matching lines with those they hang on, in the text's order."""
    rows = [row for row in text.strip().split("\n") if row.strip()]
    header, body = (rows[0], rows[1:]) if len(rows) > 1 else ("", rows)
    left = budget - (count_tokens(header) if header else 0)
    lines = _lines(body, wanted, keep)
    taken: set[int] = set()
    for place in sorted(range(len(lines)), key=lambda i: (-lines[i].score, i)):
        chain = [place]
        while lines[chain[-1]].parent >= 0:
            chain.append(lines[chain[-1]].parent)
        new = [i for i in chain if i not in taken]
        cost = sum(count_tokens(lines[i].text) + 1 for i in new)
        if cost > left and not taken:
            # The best line says more without what it hangs on than the next best with it.
            new, cost = [place], count_tokens(lines[place].text) + 1
        if new and cost <= left:
            taken.update(new)
            left -= cost
    kept = [lines[i].text for i in sorted(taken)]
    if not kept and lines:
        best = max(range(len(lines)), key=lambda i: (lines[i].score, -i))
        kept = [_cut_line(lines[best].text, wanted, max(left, 1), count_tokens, keep)]
    return "\n".join([header, *kept] if header else kept)


def _cut_line(
    text: str,
    wanted: set[str],
    budget: int,
    count_tokens: Callable[[str], int],
    keep: Sequence[str],
) -> str:
    """The best-matching sentences of one long line; at the very least its opening words."""
    parts = [part if part.endswith(".") else part + "." for part in _SENTENCE.split(text.strip())]
    lines = _lines(parts, wanted, keep)
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
