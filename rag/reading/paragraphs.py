"""Find the paragraph of a passage that decides a question, and the words that it shares with it.

A reader of the evidence needs the paragraph whole: a 호 with the opening sentence above it, an
opening sentence with its 호, a row of a table with the head of the table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from kofinlaw.data.korean.words import bigrams
from kofinlaw.data.prompting.packing import LENGTH_EXPONENT, line_parents
from kofinlaw.data.table_rows import is_row, is_separator
from kofinlaw.rag.reading.candidates import asks_for_list
from kofinlaw.rag.reading.rarity import Rarity

__all__ = ["MOST_ITEMS", "Paragraph", "deciding_paragraph", "matching_words"]

MOST_ITEMS = 20  # items below an opening sentence; of a longer list the first ones are shown

_WORD = re.compile(r"\d[\d,.]*[가-힣%]*|[A-Za-z][A-Za-z0-9-]*|[가-힣]+|[一-鿿]+")
_NUMBER = re.compile(r"(\d[\d,.]*)([가-힣%]*)")
_VERB = re.compile(r"(?<=..)(?:하|되|해|한|할|함|된|될|됨)(?s:.*)")
_PARTICLE = re.compile(
    r"(?<=..)(?:에게서|에게는|에게|에서는|에서|에는|에|으로서|으로|로서|로|이란|란|까지|부터|이나|"
    r"은|는|이|가|을|를|의|와|과|도|만)$"
)
# The beginnings of words that a question has in common with any paragraph.
_WEAK = re.compile(
    "무엇|언제|어떤|어떻|어느|얼마|누구|다음|하여|하는|있는|있다|없는|없다|경우|대하|대한|관하|관한|따라|따른"
    "|위하|위한|것은|것이|것을|설명|서술|기술|옳은|옳지|틀린|맞는|알맞|해당|이내|까지|부터|하나|모두|각각|그리|안에"
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of a passage: the passage's heading (empty if it has none) and its lines.

    `left_out` counts the items of a long list that are not among the lines.
    """

    header: str
    lines: tuple[str, ...]
    left_out: int = 0


def deciding_paragraph(question: str, text: str, answer: str = "", *, read: str = "") -> Paragraph:
    """Return the paragraph of a passage that has most in common with a question and its answer.

    Lines are compared by the bigrams that they share with the question, weighted by rarity and
    divided by a root of their length, as when evidence is packed into a prompt.

    Args:
        question: The question; it also decides whether a list is shown whole.
        text: The passage. The first of several lines is its heading.
        answer: The answer or the chosen option.
        read: The part of the passage that a model read; empty: all of it. The deciding line is one
            of its lines. The paragraph around that line is always whole.
    """
    rows = [row.strip() for row in text.split("\n") if row.strip()]
    header, body = (rows[0], rows[1:]) if len(rows) > 1 else ("", rows)
    body = [row for row in body if not is_separator(row)] or body
    if not body:
        return Paragraph(header, ())
    parents = _with_table_heads(body, line_parents(body))
    heads = {parents[n] for n, row in enumerate(body) if is_row(row) and parents[n] >= 0}
    lines = {row.strip() for row in read.split("\n")}
    among = [n for n, row in enumerate(body) if row in lines] or list(range(len(body)))
    best = _best_line(f"{question} {answer}", body, among, heads)
    if parents[best] >= 0 and asks_for_list(question) and not is_row(body[best]):
        best = parents[best]
    chain = [best]
    while parents[chain[-1]] >= 0:
        chain.append(parents[chain[-1]])
    below = _below(best, parents)
    shown = sorted([*chain, *below[:MOST_ITEMS]])
    return Paragraph(header, tuple(body[n] for n in shown), max(len(below) - MOST_ITEMS, 0))


def matching_words(text: str, asked: str) -> list[tuple[int, int]]:
    """Return the spans of a text whose words occur in a question, in order, by character.

    Words are compared without particles and verb endings: `보관하여야` and `보관하는` share `보관`.
    Numbers match with their unit only.
    """
    wanted = {_stem(word) for word in _WORD.findall(asked) if not _WEAK.match(word)}
    wanted = {stem for stem in wanted if len(stem) > 1 or stem.isdigit()}
    spans = []
    for match in _WORD.finditer(text):
        length = _common(match.group(0), wanted)
        if length:
            spans.append((match.start(), match.start() + length))
    return spans


def _stem(word: str) -> str:
    number = _NUMBER.match(word)
    if number:
        return number[1].replace(",", "").rstrip(".") + number[2][:1]
    if not "가" <= word[0] <= "힣":
        return word.lower()
    return _PARTICLE.sub("", _VERB.sub("", word))


def _common(word: str, wanted: AbstractSet[str]) -> int:
    """Return how many characters at the start of a word are wanted; 0 for none."""
    stem = _stem(word)
    if word[0].isdigit() or not "가" <= word[0] <= "힣":
        return len(word) if stem in wanted else 0
    if stem in wanted:
        return len(stem)
    if _WEAK.match(word):
        return 0
    found = [one for one in wanted if one.startswith(stem) or stem.startswith(one)]
    return max((min(len(one), len(stem)) for one in found if len(stem) > 1), default=0)


def _best_line(
    asked: str, body: Sequence[str], among: Sequence[int], heads: AbstractSet[int]
) -> int:
    """Return which of some lines is nearest to what is asked; the head of a table only if no other
    line is near.
    """
    wanted = frozenset(bigrams(asked))
    grams = [frozenset(bigrams(row)) for row in body]
    rarity = Rarity(grams)
    values = [rarity.total(row & wanted) / max(len(row), 1) ** LENGTH_EXPONENT for row in grams]
    return max(among, key=lambda n: (n not in heads and values[n], values[n], -n))


def _with_table_heads(body: Sequence[str], parents: Sequence[int]) -> list[int]:
    """Return the parents with the first row of each table as the parent of its other rows."""
    out, head = list(parents), -1
    for n, row in enumerate(body):
        if not is_row(row):
            head = -1
        elif head < 0:
            head = n
        else:
            out[n] = head
    return out


def _below(line: int, parents: Sequence[int]) -> list[int]:
    found: list[int] = []
    for n in range(line + 1, len(parents)):
        if parents[n] == line or parents[n] in found:
            found.append(n)
    return found
