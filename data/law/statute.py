"""Parse statutes and rules into a tree: 편, 장, 절, 관 (divisions) and 조 (articles).

Reads the Markdown format of legalize-kr (`##### 제1조 (목적)`) and plain text (`제1조(목적) …`, in
bold as well: `**제1조(목적)** …`).
부칙 (supplementary provisions) and 별표 (annexes) are separate from the articles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kofinlaw.data.law.amendments import strip_amendments
from kofinlaw.data.law.provisions import Line, provision_tree, read_lines, render_line
from kofinlaw.records import Provision

__all__ = [
    "DIVISIONS",
    "ArticleNode",
    "Section",
    "Statute",
    "looks_like_statute",
    "parse_statute",
    "plain_article",
]

DIVISIONS = "편장절관"

_NUMBER = r"제\s*\d+(?:\s*-\s*\d+)?\s*조(?:\s*의\s*\d+)*"
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+")
_ARTICLE = re.compile(rf"^\s*(?:\*\*)?({_NUMBER})(?:\*\*)?")
_BOLD_LINE = re.compile(r"^\s*\*\*([^*]+)\*\*\s*$")
_DIVISION = re.compile(rf"^\s*(제\s*\d+\s*([{DIVISIONS}])(?:\s*의\s*\d+)*)(?:\s+|$|(?=[<(\[]))")
_SUPPLEMENT = re.compile(r"^\s*부\s*칙\s*(?:$|[<(\[〈（])")
_ANNEX = re.compile(r"^\s*+[<\[〈【]?\s*+(?:별표|별지|서식)\s*+(?:제?\s*+\d|[>\]〉】(]|$)")
_ANNEX_PLAIN = re.compile(r"^\s*+[\[<〈【]\s*(?:별표|별지)\s*+(?:제?\s*+\d[^\]>〉】]*)?[\]>〉】]")
_DELETED = re.compile(r"^[<〈(\[＜]?\s*삭\s*제\s*+[>〉)\]＞]?[\s.]*$")
_BARE = re.compile(rf"^\s*(?:\*\*)?({_NUMBER})(?:\*\*)?\s*$")
# The first article without a title: `제1-1조 이 규정은 …`
_FIRST = re.compile(
    r"^\s*제\s*1(?:\s*-\s*1)?\s*조\s+(?=이 ?(?:법|영|령|규칙|규정|세칙|고시|훈령|예규|지침)[은는])"
)
_MOST_EMPTY = 0.2  # the share of articles without text above which a document is a list of titles
_CLOSING = {"(": ")", "[": "]", "（": "）"}


@dataclass(frozen=True, slots=True)
class ArticleNode:
    """A 조 of a document. `start` and `end` are character offsets in the document's text.

    `text` is the body without header and amendment tags, with one 항, 호 or 목 a line. `path` are
    the titles of the divisions above it.
    """

    number: str
    heading: str
    path: tuple[str, ...]
    lead: str
    text: str
    lines: tuple[Line, ...]
    provisions: tuple[Provision, ...]
    deleted: bool
    amendments: tuple[str, ...]
    start: int
    end: int

    @property
    def header(self) -> str:
        """`제9조(손해배상)`, or only the number."""
        return f"{self.number}({self.heading})" if self.heading else self.number


@dataclass(frozen=True, slots=True)
class Section:
    """A 부칙 or 별표: its title and text."""

    title: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Statute:
    """A parsed statute. `removed` are (start, end, reason) of headings and of the preamble."""

    articles: tuple[ArticleNode, ...]
    supplements: tuple[Section, ...]
    annexes: tuple[Section, ...]
    removed: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class _Boundary:
    """The start of a unit: kind, number or level, title, offsets of its line and of its body."""

    kind: str
    name: str
    title: str
    start: int
    body: int


def looks_like_statute(text: str) -> bool:
    """Return whether at least two lines open an article."""
    found = 0
    for line in text.splitlines():
        if (
            (match := _HEADING.match(line)) and _ARTICLE.match(line[match.end() :])
        ) or plain_article(line) is not None:
            found += 1
        if found >= 2:
            return True
    return False


def parse_statute(text: str) -> Statute:
    """Parse the text of a statute (without front matter) into articles, 부칙 and 별표.

    Never raises an error: text that is not recognised becomes part of the article before it, or a
    removed span.
    """
    boundaries = _boundaries(text)
    articles: list[ArticleNode] = []
    supplements: list[Section] = []
    annexes: list[Section] = []
    removed: list[tuple[int, int, str]] = []
    path: list[tuple[int, str]] = []
    opening = boundaries[0].start if boundaries else len(text)
    if text[:opening].strip():
        removed.append((0, opening, "preamble"))
    for index, here in enumerate(boundaries):
        end = boundaries[index + 1].start if index + 1 < len(boundaries) else len(text)
        if here.kind == "division":
            level = DIVISIONS.index(here.name)
            path = [(depth, title) for depth, title in path if depth < level]
            path.append((level, here.title))
            removed.append((here.start, end, "heading"))
        elif here.kind == "heading":
            removed.append((here.start, end, "heading"))
        elif here.kind == "article":
            articles.append(_article(text, here, end, tuple(title for _, title in path)))
        else:
            section = Section(here.title, text[here.body : end].strip(), here.start, end)
            (supplements if here.kind == "supplement" else annexes).append(section)
    return Statute(
        tuple(_emptied_too(articles)), tuple(supplements), tuple(annexes), tuple(removed)
    )


def _emptied_too(articles: Sequence[ArticleNode]) -> Sequence[ArticleNode]:
    """Return the articles; the few that have no text at all count as deleted.

    A document with many of them is a table of contents, which deletes nothing.
    """
    empty = [node for node in articles if not node.text.strip() and not node.deleted]
    if len(empty) > _MOST_EMPTY * len(articles):
        return articles
    return [replace(node, deleted=True) if not node.text.strip() else node for node in articles]


def _article(text: str, here: _Boundary, end: int, path: tuple[str, ...]) -> ArticleNode:
    lines, tags = read_lines(text, here.body, end)
    lead, provisions = provision_tree(lines)
    header_tags = strip_amendments(text[here.start : here.body])[1]
    body = "\n".join(render_line(line) for line in lines if line.text or line.mark)
    bare = lead.strip()
    deleted = bool(_DELETED.match(bare)) and not provisions
    if not bare and not provisions:
        deleted = (
            any("삭" in tag for tag in (*header_tags, *tags))
            or "삭제" in here.title
            or _BARE.match(text[here.start : here.body]) is not None
        )
    return ArticleNode(
        number=here.name,
        heading=here.title,
        path=path,
        lead=lead,
        text=body,
        lines=tuple(lines),
        provisions=provisions,
        deleted=deleted,
        amendments=(*header_tags, *tags),
        start=here.start,
        end=end,
    )


def _boundaries(text: str) -> list[_Boundary]:
    """Return the starts of divisions, articles, 부칙 and 별표, in order."""
    rows: list[tuple[int, str, int]] = []
    offset = 0
    fenced = False
    for line in text.split("\n"):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        match = None if fenced else _HEADING.match(line)
        if not fenced:
            rows.append((offset, line, len(match.group(1)) if match else 0))
        offset += len(line) + 1
    marked = any(level and _ARTICLE.match(line[level + 1 :]) for _, line, level in rows)
    out: list[_Boundary] = []
    state = _State(marked=marked, emptied=frozenset() if marked else _emptied(rows))
    for offset, line, level in rows:
        if (boundary := state.read(offset, line, level)) is not None:
            out.append(boundary)
    return out


def _emptied(rows: Sequence[tuple[int, str, int]]) -> frozenset[int]:
    """Return the offsets of the lines that only have the number of an article, without text.

    A deleted article is often written so. The line after it is then another number, an article with
    its title, or a division.
    """
    filled = [(offset, line) for offset, line, _ in rows if line.strip()]
    found: set[int] = set()
    follows = True  # nothing, or an article or a division, comes after
    for offset, line in reversed(filled):
        bare = _BARE.match(line) is not None
        if bare and follows:
            found.add(offset)
        follows = (
            (bare and follows)
            or plain_article(line) is not None
            or _DIVISION.match(line) is not None
            or _SUPPLEMENT.match(line) is not None
        )
    return frozenset(found)


@dataclass(slots=True)
class _State:
    """The state of the scan.

    `marked` says whether articles are Markdown headings. `emptied` are the offsets of lines that
    have only the number of an article without text. `part` is the current part, `last` the number
    of the last article, and `supplemented` says whether a 부칙 came before.
    """

    marked: bool
    emptied: frozenset[int] = frozenset()
    part: str = "body"
    last: tuple[int, ...] = ()
    supplemented: bool = False

    def read(self, offset: int, line: str, level: int) -> _Boundary | None:
        """Return the boundary that starts with this line, or None."""
        if not line.strip():
            return None
        bare = line[_HEADING.match(line).end() :] if level else line  # type: ignore[union-attr]
        after = offset + len(line)
        name = _BOLD_LINE.sub(r"\1", bare)
        if _SUPPLEMENT.match(name) and (level or self._may_open_supplement()):
            self.part, self.supplemented = "supplement", True
            return _Boundary("supplement", "", name.strip(), offset, after)
        if (level and _ANNEX.match(name)) or (not level and _ANNEX_PLAIN.match(name)):
            if not level and self.marked:
                return None
            self.part = "annex"
            return _Boundary("annex", "", strip_amendments(name)[0].strip(" #"), offset, after)
        if self.part != "body":
            return None
        return self._body(offset, bare, name, level, after)

    def _may_open_supplement(self) -> bool:
        """Return whether a plain line 부칙 is that of the document here.

        Below a 별표 it may be that of a standard contract in the 별표. It is the document's if
        articles came before and no 부칙.
        """
        if self.part != "annex":
            return True
        return not self.marked and bool(self.last) and not self.supplemented

    def _body(self, offset: int, bare: str, name: str, level: int, after: int) -> _Boundary | None:
        if (level or not self.marked) and (match := _DIVISION.match(name)):
            title = strip_amendments(name)[0].strip()
            if level or (len(title) < 60 and not title.endswith(("다.", "."))):
                return _Boundary("division", match.group(2), title, offset, after)
        if level or not self.marked:
            found = _marked_article(bare) if level else plain_article(bare)
            if found is None and not level:
                found = self._untitled(offset, bare)
            if found and (level or self._follows(found[0])):
                number, heading, body = found
                self.last = _order(number)
                return _Boundary("article", number, heading, offset, after - len(bare) + body)
        return _Boundary("heading", "", bare.strip(), offset, after) if level else None

    def _untitled(self, offset: int, bare: str) -> tuple[str, str, int] | None:
        """Return the article of a line without a title: an emptied one, or the first one."""
        if offset in self.emptied:
            return re.sub(r"[\s*]", "", bare), "", len(bare)
        match = _FIRST.match(bare) if not self.last else None
        return (re.sub(r"\s", "", match.group(0)), "", match.end()) if match else None

    def _follows(self, number: str) -> bool:
        """Return whether the number of a plain line can come next.

        A citation rarely has such a number.
        """
        order = _order(number)
        return not self.last or self.last < order <= (self.last[0] + 60, 10**6)


def _order(number: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", number))


def _balanced(text: str, start: int) -> int:
    """Return the offset after the bracket that closes the bracket at `start`, or -1."""
    opening = text[start]
    closing, depth = _CLOSING[opening], 0
    for offset in range(start, len(text)):
        if text[offset] == opening:
            depth += 1
        elif text[offset] == closing:
            depth -= 1
            if depth == 0:
                return offset + 1
    return -1


def _title(text: str, start: int) -> tuple[str, int]:
    """Return (heading in brackets after the number, offset after the heading)."""
    offset = start
    while offset < len(text) and text[offset].isspace():
        offset += 1
    if offset < len(text) and text[offset] in _CLOSING:
        end = _balanced(text, offset)
        if end > 0:
            heading = strip_amendments(text[offset + 1 : end - 1])[0].strip()
            return heading, end + 2 * text.startswith("**", end)
    return "", start


def _marked_article(bare: str) -> tuple[str, str, int] | None:
    """Return (number, heading, offset of the body) of a Markdown heading that names an article."""
    match = _ARTICLE.match(bare)
    if match is None:
        return None
    heading, end = _title(bare, match.end())
    if not heading and re.match(r"(?!삭\s?제)[가-힣]", bare[end:]):
        return None  # a heading such as `제1조에 따른 신고`
    return re.sub(r"\s", "", match.group(1)), heading, end


def plain_article(line: str) -> tuple[str, str, int] | None:
    """Return (number, heading, offset of the body) of a plain line that opens an article,
    else None.

    Such a line has a heading in brackets, has ① behind the number, or says that the article is
    deleted. A line such as
    `제42조(제2항을 제외한다)는 …` is a citation: a particle follows the bracket.
    """
    match = _ARTICLE.match(line)
    if match is None:
        return None
    heading, end = _title(line, match.end())
    rest = line[end:]
    if heading:
        cited = bool(re.match(r"[가-힣]", rest)) or bool(re.match(r"제\d+[항호]", heading))
        return None if cited else (re.sub(r"\s", "", match.group(1)), heading, end)
    if re.match(r"\s*+[<〈(\[]?\s*+삭\s*제|\s++[*_]{0,3}①(?!\s?항)", rest):
        return re.sub(r"\s", "", match.group(1)), "", end
    return None
