"""Convert statutes from the law portal's interface (XML or JSON) to Markdown.

The names are those of the portal's published guide (`법령`, `기본정보`, `조문`, `조문단위` …), but
no nesting of them is required. Every text below 조문, 부칙 and 별표 is written in the file's order,
with the title of an article or annex in its heading.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.annexes import annex_name, annex_spelling
from kofinlaw.data.law.statute import plain_article
from kofinlaw.data.readers.portal.nodes import Node, json_tree, xml_tree
from kofinlaw.data.readers.portal.texts import (
    bare_number,
    count_pictures,
    count_texts,
    lines_of,
    number_of,
)

__all__ = ["portal_to_markdown"]

_LEVELS = {"편": "#", "장": "##", "절": "###", "관": "####"}
_FACTS = {
    "법령명_한글": "제목",
    "법령명한글": "제목",
    "행정규칙명": "제목",
    "법령ID": "법령ID",
    "행정규칙ID": "행정규칙ID",
    "행정규칙종류": "행정규칙종류",
    "공포일자": "공포일자",
    "공포번호": "공포번호",
    "발령일자": "발령일자",
    "시행일자": "시행일자",
    "소관부처": "소관부처",
    "소관부처명": "소관부처",
}
_DOCUMENTS = ("법령", "AdmRulService", "행정규칙")
_FACT_SECTIONS = ("기본정보", "행정규칙기본정보")
_ANNEXES = ("별표", "별지", "서식")
_DIVISION = re.compile(rf"\s*제\s*\d+\s*(?:[-의]\s*\d+\s*)*([{''.join(_LEVELS)}])")
_TITLE = 60  # characters of the title of a division
_SUPPLEMENT = re.compile(r"\s*부\s*칙\s*(?=$|[<(\[〈（])")


def portal_to_markdown(path: Path) -> tuple[str, dict[str, str], list[str]]:
    """Return (Markdown in the format of legalize-kr, front matter, warnings) of a portal document.

    The warnings name and count what is not in the text: sections such as 제개정이유, annexes that
    are only linked files, and pictures.

    Raises UserError if the file is not well-formed, or does not come from the portal.
    """
    data = path.read_bytes()
    tree = json_tree(data) if path.suffix.lower() == ".json" else xml_tree(data, path.name)
    documents = list(_documents(tree))
    if not documents:
        raise UserError("not a statute of the law portal: no 법령 or AdmRulService at the top")
    facts = _facts(documents[0])
    if not facts.get("제목"):
        raise UserError("the document names no statute (법령명_한글, 행정규칙명)")
    writer = _Writer()
    lines = [f"# {facts['제목']}", "", *writer.document(documents[0])]
    for other in documents[1:]:
        writer.leave_out(other, f"further {other.name}")
    return "\n".join(lines) + "\n", facts, writer.warnings()


def _documents(tree: Node, depth: int = 0) -> Iterator[Node]:
    """Yield the statutes and rules at the top of a tree, or inside an envelope around them."""
    for node in tree.nodes:
        if node.name in _DOCUMENTS and node.parts:
            yield node
        elif depth == 0:
            yield from _documents(node, 1)


def _facts(document: Node) -> dict[str, str]:
    found: dict[str, str] = {}
    for section in document.nodes:
        for node in section.nodes if section.name in _FACT_SECTIONS else ():
            if node.name in _FACTS and node.own_text:
                found.setdefault(_FACTS[node.name], node.own_text)
    return found


class _Writer:
    """Writes the sections of a document, and counts what it leaves out."""

    def __init__(self) -> None:
        self.left_out: Counter[str] = Counter()
        self.without_text = self.pictures = 0

    def warnings(self) -> list[str]:
        """Return what is not in the text, by name and count."""
        out = []
        if self.left_out:
            named = ", ".join(f"{name} ({count})" for name, count in self.left_out.items())
            out.append(f"texts outside 조문, 부칙 and 별표 are left out: {named}")
        if self.without_text:
            out.append(
                f"annexes without text, only a title or a linked file: {self.without_text}; "
                "put their files next to this one"
            )
        if self.pictures:
            out.append(
                f"pictures inside the text are not read: {self.pictures}; a formula or a table "
                "may be missing"
            )
        return out

    def document(self, document: Node) -> Iterator[str]:
        """Yield the lines of all sections, in the order of the file."""
        supplements = False
        self.pictures += count_pictures(document)
        for section in document.nodes:
            if section.name == "조문내용":
                yield from _rule_article(section)
            elif section.name == "조문":
                yield from self._articles(section)
            elif section.name.startswith("부칙"):
                yield from _supplements(section, first=not supplements)
                supplements = True
            elif section.name in _ANNEXES:
                yield from self._annexes(section)
            elif section.name not in _FACT_SECTIONS:
                self.leave_out(section, section.name)
        if document.own_text:
            yield from document.own_text.splitlines()

    def leave_out(self, section: Node, name: str) -> None:
        """Count the texts of a section that is not written."""
        if count := count_texts(section):
            self.left_out[name] += count

    def _articles(self, section: Node) -> Iterator[str]:
        """Yield the articles of a section; text around them is written where it is."""
        contents = [node for node in section.nodes if node.name == "조문내용"]
        if sum(plain_article(node.own_text) is not None for node in contents) > 1:
            yield from _in_parts(section, ("조문내용",), _rule_article)
        elif contents or section.has("조문번호"):
            yield from _article(section)
        else:
            yield from _in_parts(section, ("조문단위", "조문"), self._articles)

    def _annexes(self, section: Node) -> Iterator[str]:
        unit = f"{section.name}단위"
        if section.has(unit):
            yield from _in_parts(section, (unit,), self._annex)
        else:
            yield from self._annex(section)

    def _annex(self, unit: Node) -> Iterator[str]:
        """Yield the heading and the text of an annex."""
        form = unit.name.startswith(("별지", "서식")) or unit.first("별표구분") in ("서식", "별지")
        first, second = (
            unit.first(*(f"{word}{kind}" for word in _ANNEXES)) for kind in ("번호", "가지번호")
        )
        number, branch = number_of(first)
        branch = bare_number(second) or branch
        name = annex_spelling("별지" if form else "별표", number, f"의{branch}" if branch else "")
        names = [f"{word}제목" for word in _ANNEXES]
        title = " ".join(unit.first(*names).split())
        body = list(lines_of(_without_first(unit, names)))
        if title or body:
            self.without_text += not body
            if not (title or number) and annex_name(body[0]):
                title, *body = body
            stated = annex_name(title)
            named = bool(stated) and (not number or any(map(str.isdecimal, stated)))
            heading = title if named else f"[{name}] {title}"
            yield from ("", f"## {heading.strip()}", "", *body, "")
        elif unit.parts:
            self.without_text += 1


def _in_parts(
    section: Node, names: Sequence[str], write: Callable[[Node], Iterator[str]]
) -> Iterator[str]:
    """Yield what `write` makes of the inner nodes with these names, and the text between them."""
    loose: list[str | Node] = []
    for part in section.parts:
        if isinstance(part, Node) and part.name in names:
            yield from lines_of(Node("", tuple(loose)))
            loose = []
            yield from write(part)
        else:
            loose.append(part)
    yield from lines_of(Node("", tuple(loose)))


def _without_first(unit: Node, names: Sequence[str]) -> Node:
    """Return a node without the own text of its first inner node with one of these names."""
    parts = list(unit.parts)
    for index, part in enumerate(parts):
        if isinstance(part, Node) and part.name in names and part.own_text:
            inner = tuple(part.nodes)
            parts[index : index + 1] = [Node(part.name, inner)] if inner else []
            break
    return Node(unit.name, tuple(parts))


def _article(unit: Node) -> Iterator[str]:
    """Yield the heading of an article and all its text, or a division (`제1장 총칙`)."""
    if unit.first("조문여부") == "전문":
        yield from _divisions(lines_of(unit))
        return
    content = next((n for n in unit.nodes if n.name == "조문내용" and n.own_text), None)
    text = content.own_text if content else ""
    found = plain_article(text)
    number, branch = number_of(unit.first("조문번호"))
    branch = bare_number(unit.first("조문가지번호")) or branch
    name = f"제{number}조" + (f"의{branch}" if branch else "") if number else ""
    name = name or (found[0] if found else "")
    title = " ".join(unit.first("조문제목").split())
    cut = 0
    if found is not None and found[0] == name and _letters(title or found[1]) == _letters(found[1]):
        title = title or found[1]
        cut = found[2]
    unit = _without_first(unit, ("조문제목",)) if title else unit
    if name:
        yield from (f"##### {name} ({title})" if title else f"##### {name}", "")
    elif title:
        yield from (title, "")
    parts = (
        _cut(part, cut) if isinstance(part, Node) and part is content else part
        for part in unit.parts
    )
    yield from lines_of(Node(unit.name, tuple(parts)))
    yield ""


def _cut(node: Node, characters: int) -> Node:
    """Return a node without the first characters of its own text."""
    parts: list[str | Node] = []
    started = False
    for part in node.parts:
        if isinstance(part, str) and characters > 0:
            bare = part if started else part.lstrip()
            started = started or bool(bare)
            part, characters = bare[characters:], characters - len(bare)
        parts.append(part)
    return Node(node.name, tuple(parts))


def _letters(text: str) -> str:
    return re.sub(r"\s", "", text)


def _rule_article(node: Node) -> Iterator[str]:
    """Yield an article of an administrative rule, which is one text, or a division.

    A text may hold all articles and divisions of the rule; then each begins a line.
    """
    text = node.own_text
    lines = text.splitlines(keepends=True)
    places = accumulate(map(len, lines), initial=0)
    starts = [at for at, line in zip(places, lines, strict=False) if _opens(line.strip())]
    if len(starts) > 1 and not any(node.nodes):
        for start, end in pairwise([0, *(at for at in starts if at), len(text)]):
            yield from _rule_article(Node(node.name, (text[start:end],)))
        return
    found = plain_article(text)
    if found is None:
        yield from _divisions(lines_of(node))
        return
    number, title, body = found
    yield from (f"##### {number} ({title})" if title else f"##### {number}", "")
    yield from lines_of(_cut(node, body))
    yield ""


def _opens(line: str) -> bool:
    """Return whether a line opens an article or is the title of a division."""
    title = _DIVISION.match(line) if len(line) < _TITLE else None
    return plain_article(line) is not None or bool(title and line[title.end() :][:1] in ("", " "))


def _divisions(lines: Iterator[str]) -> Iterator[str]:
    """Yield the titles of divisions (`제1장 총칙`) as headings, and other text as a paragraph."""
    joined: list[str] = []
    for line in lines:
        words = " ".join(line.split())
        if joined and not _DIVISION.match(words):
            joined[-1] += f" {words}"
        elif words:
            joined.append(words)
    for words in joined:
        match = _DIVISION.match(words)
        yield from (f"{_LEVELS[match[1]] if match else ''} {words}".strip(), "")


def _supplements(section: Node, *, first: bool) -> Iterator[str]:
    """Yield 부칙; the line `부칙 <제1호,…>` opens each one, and a heading those without it."""
    units = [index for index, part in enumerate(section.parts) if _is_supplement(part)]
    if len(units) > 1:
        for start, end in pairwise([0, *units[1:], len(section.parts)]):
            yield from _supplements(Node(section.name, section.parts[start:end]), first=first)
            first = False
        return
    texts = list(lines_of(section))
    if texts and (first or not _SUPPLEMENT.match(texts[0])):
        yield from ("", "## 부칙", "")
    yield from texts


def _is_supplement(part: str | Node) -> bool:
    return isinstance(part, Node) and part.name == "부칙단위"
