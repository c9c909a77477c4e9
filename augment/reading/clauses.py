"""Split articles into clauses and sentences, simplified for questions.

A clause is one 항, or the body of an article without 항: its main sentence, its exception (다만 …)
and its 호. All brackets are removed. A bracket that changes the meaning (…는 제외한다) marks the
clause as `restricted`; one that only defines or explains (이하 …라 한다) does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from kofinlaw.augment.reading.names import normalize
from kofinlaw.records import Article, Provision

__all__ = [
    "Clause",
    "bracket_spans",
    "bracketed",
    "clauses",
    "clean",
    "item_noun",
    "line_letters",
    "sentences",
    "simplify",
]

_AMENDMENT = re.compile(
    r"(?<!\s)\s*+[<\[](?:개정|신설|전문개정|본조신설|단서|종전|제목|시행일|삭제)[^<>\[\]]*[>\]]"
)
_ITEM_NOUN = re.compile(
    r"(행위|경우|사항|자|사람|것|조치|업무|정보|기관|법인|서류|요건|기준|방법|회사|때)$"
)
# 어음법 and 수표법 except with 그러나.
_EXCEPTS = ("다만", "그러나")


@dataclass(frozen=True)
class Clause:
    """One 항, or the body of an article without 항.

    `label` is `제1항` or empty. `main` is the first sentence, `proviso` the exception (다만 …),
    `rest` the other sentences. `items` are the texts of the 호 and 목 without further division.
    `restricted` is whether a bracket that changes the meaning was removed.
    """

    article: Article
    label: str
    main: str
    proviso: str
    rest: tuple[str, ...]
    items: tuple[str, ...]
    restricted: bool

    @property
    def citation(self) -> str:
        """How a text cites the clause: `제9조제1항`."""
        return self.article.number + self.label

    @cached_property
    def body(self) -> str:
        """Main sentence, exception and 호 in one text."""
        return " ".join([self.main, self.proviso, *self.rest, *self.items]).strip()


def clean(text: str) -> str:
    """Return the text without amendment tags and repeated blanks."""
    return re.sub(r"\s+", " ", _AMENDMENT.sub("", text)).strip()


def bracket_spans(text: str) -> list[tuple[int, int]]:
    """Return (start, end) of the outermost round or square brackets.

    An unclosed one ends with the text.
    """
    spans, depth, start = [], 0, 0
    for index, char in enumerate(text):
        if char in "([":
            if depth == 0:
                start = index
            depth += 1
        elif char in ")]" and depth:
            depth -= 1
            if depth == 0:
                spans.append((start, index + 1))
    if depth:
        spans.append((start, len(text)))
    return spans


def bracketed(article: Article, sentence: str) -> str:
    """Return what brackets hold in the line of the article that says a sentence without them."""
    letters = normalize(sentence)
    lines = [line for line in article.text.split("\n") if letters in line_letters(line)]
    return " ".join(line[s + 1 : e].rstrip(")") for line in lines for s, e in bracket_spans(line))


def _explains(inside: str) -> bool:
    """Return whether a bracket only defines or explains (이하 …라 한다, …을 말한다, 漢字)."""
    return inside.startswith("이하") or "말한다" in inside or not re.search("[가-힣]", inside)


def simplify(text: str, *, keep: bool = False) -> tuple[str, bool]:
    """Return (text without brackets, whether one of them changes the meaning).

    `keep` keeps the brackets that change the meaning (…는 제외한다).
    """
    out, last, restricted = [], 0, False
    for start, end in bracket_spans(text):
        changes = not _explains(text[start + 1 : end - 1])
        restricted |= changes
        out.append(text[last : end if keep and changes else start])
        last = end
    out.append(text[last:])
    return clean("".join(out)), restricted


def sentences(text: str) -> list[str]:
    """Split a text into sentences that end in `다.` outside brackets."""
    out, start, depth = [], 0, 0
    for index, char in enumerate(text):
        if char in "([":
            depth += 1
        elif char in ")]":
            depth = max(depth - 1, 0)
        elif char == "." and depth == 0 and text[max(index - 1, 0)] == "다":
            out.append(text[start : index + 1].strip())
            start = index + 1
    tail = text[start:].strip()
    return [*out, tail] if tail else out


def _leaves(children: Sequence[Provision]) -> Iterator[str]:
    for child in children:
        text = clean(child.text)
        if text and not child.children and not text.startswith("삭제"):
            yield text


def _clause(
    article: Article, label: str, text: str, children: Sequence[Provision]
) -> Clause | None:
    text = clean(text)
    if not text or text.startswith("삭제"):
        return None
    simple, restricted = simplify(text)
    parts = sentences(simple)
    if not parts:
        return None
    provisos = [s for s in parts[1:] if s.startswith(_EXCEPTS)]
    rest = tuple(s for s in parts[1:] if not s.startswith(_EXCEPTS))
    return Clause(
        article=article,
        label=label,
        main=parts[0],
        proviso=provisos[0] if provisos else "",
        rest=rest,
        items=tuple(_leaves(children)),
        restricted=restricted,
    )


def clauses(article: Article) -> list[Clause]:
    """Return the article's clauses in order, without deleted ones."""
    if article.deleted:
        return []
    paragraphs = [p for p in article.provisions if re.fullmatch(r"제\d+항(?:의\d+)?", p.label)]
    found: list[Clause | None] = []
    if paragraphs:
        found = [_clause(article, p.label, p.text, p.children) for p in paragraphs]
    else:
        lead = article.lead or ("" if article.provisions else article.text)
        found = [_clause(article, "", lead, article.provisions)]
    return [clause for clause in found if clause is not None]


def item_noun(text: str) -> str:
    """Return the noun that ends a 호 (행위, 경우, 사항 …); empty for any other ending."""
    match = _ITEM_NOUN.search(text.rstrip("."))
    return match.group(1) if match else ""


def line_letters(line: str) -> str:
    """Return the letters and digits of a line of the law, to search for a phrase of `focus`.

    Brackets and marks of amendment are left out, as in the sentences of a clause.
    """
    return normalize(simplify(clean(line))[0])
