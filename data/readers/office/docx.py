"""Convert DOCX to Markdown: what a reader of the accepted document sees, once and in order.

Tracked changes count as accepted. Comments, hidden text, instructions of fields, headers and
footers are not part of the text.

Source: ISO/IEC 29500-1, 17 (WordprocessingML).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from kofinlaw.data.readers.archives import Archive, attribute, local_name
from kofinlaw.data.readers.office.cells import MAX_COLUMNS, checked_rows
from kofinlaw.data.readers.office.docx_fields import Fields
from kofinlaw.data.readers.office.docx_lists import Lists, is_bullet, symbol
from kofinlaw.data.readers.office.docx_math import formula_text
from kofinlaw.data.readers.office.docx_parts import DocxParts
from kofinlaw.data.readers.office.docx_styles import Styles, child, is_on, value
from kofinlaw.data.readers.office.number_marks import raised
from kofinlaw.data.readers.office.package_title import package_title
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown

__all__ = ["docx_to_markdown"]

_MAX_SPAN = 1000
# What a reader of the accepted document does not see
_GONE = frozenset(["del", "moveFrom", "pPr", "rPr", "tblPr", "sdtPr", "sdtEndPr", "rPrChange"])
_GONE |= frozenset(["delText", "delInstrText", "annotationRef", "ffData", "rt"])
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
_SIGNS = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
# Content that is in other parts of the file and is not read
_ELSEWHERE = {"altChunk": "embedded documents (altChunk)", "chart": "charts"}


def docx_to_markdown(path: Path, expanded_mebibytes: int) -> tuple[str, dict[str, str], list[str]]:
    """Return (Markdown, front matter, warnings) of a DOCX file.

    The warnings count embedded documents and charts, which are not read. Raises UserError if the
    archive is broken or too large, or has no document part.
    """
    with Archive(path, expanded_mebibytes) as archive:
        parts = DocxParts(archive)
        reader = _Reader(parts)
        root = archive.xml(parts.main)
        body = child(root, "body")
        text = tidy_markdown(reader.lines(root if body is None else body))
        reader.end()
        left_out = ", ".join(f"{name} ({count})" for name, count in reader.left_out.items())
        warnings = [f"not read: {left_out}"] if left_out else []
        heading = {"first_heading": reader.heading} if reader.heading else {}
        return text, package_title(archive) | heading, warnings


@dataclass(slots=True)
class _Paragraph:
    """A paragraph while it is read.

    `boxes` are the text boxes that are anchored behind text, `first` those in front of it.
    `joins` says whether the next paragraph continues it: its end was deleted or is hidden.
    `hidden` says whether its style hides its text, `counted` whether its list counted it.
    """

    prefix: str = ""
    mark: str = ""
    words: list[str] = field(default_factory=list)
    first: list[Element] = field(default_factory=list)
    boxes: list[Element] = field(default_factory=list)
    joins: bool = False
    hidden: bool = False
    counted: bool = False

    @property
    def text(self) -> str:
        return "".join(self.words).strip()

    @property
    def line(self) -> str:
        """The number and the text; a bullet without text is not shown."""
        text = self.text
        return f"{self.mark}{text}".strip() if text or not is_bullet(self.mark) else ""

    def anchor(self, box: Element) -> None:
        """Keep a text box; one between words comes behind the paragraph."""
        (self.boxes if self.text else self.first).append(box)


class _Reader:
    """Reads the parts of a document in order, so that lists count and fields end."""

    def __init__(self, parts: DocxParts) -> None:
        self._parts = parts
        self._styles = Styles.of(parts)
        self._lists = Lists(parts, self._styles)
        self._notes = {
            kind: {attribute(note, "id"): note for note in parts.root(kind)}
            for kind in _NOTES.values()
        }
        self._fields = Fields()
        self.left_out: Counter[str] = Counter()
        self.heading = ""  # the first numbered heading of level 1, without its number

    def end(self) -> None:
        """Count a field that does not end: what is behind it counts as its instruction."""
        if self._fields.hide:
            self.left_out["the text behind a field that does not end"] += 1

    def lines(self, parent: Element) -> Iterator[str]:
        """Yield the Markdown lines of the paragraphs and tables in an element."""
        for item in self._blocks(parent):
            if isinstance(item, Element):
                cells = [cell for row in _table_rows(item) for cell in _cells(row)]
                if len(cells) == 1:  # a frame around paragraphs
                    yield from self.lines(cells[0])
                else:
                    yield from markdown_rows(checked_rows(self._rows(item)))
                continue
            for box in item.first:
                yield from self.lines(box)
            if item.line:
                if item.prefix == "# " and item.mark and not self.heading:
                    self.heading = item.text
                yield item.prefix + item.line
            below = [line for box in item.boxes for line in self.lines(box)]
            if any(line.startswith("|") for line in below):
                yield ""
                yield from below
            else:
                yield from filter(None, below)
            if item.line or below:
                yield ""

    def words(self, parent: Element) -> str:
        """Return all words in an element on one line, as in a cell or a note."""
        out: list[str] = []
        for item in self._blocks(parent):
            if isinstance(item, Element):
                out += [self.words(cell) for row in _table_rows(item) for cell in _cells(row)]
            else:
                out += [self.words(box) for box in item.first]
                out.append(item.line)
                out += [self.words(box) for box in item.boxes]
        return cell_text(" ".join(out))

    def _blocks(self, parent: Element) -> Iterator[_Paragraph | Element]:
        """Yield the paragraphs of an element, and its tables."""
        open_one: _Paragraph | None = None
        for node in _inside(parent, "p", "tbl", "altChunk"):
            if local_name(node.tag) == "p":
                read = self._paragraph(node, open_one)
                open_one = read if read.joins else None
                if not read.joins:
                    yield read
                continue
            if open_one is not None:
                yield open_one
                open_one = None
            if local_name(node.tag) == "altChunk":
                self.left_out[_ELSEWHERE["altChunk"]] += 1
            else:
                yield node
        if open_one is not None:
            yield open_one

    def _paragraph(self, node: Element, before: _Paragraph | None) -> _Paragraph:
        """Read a paragraph; `before` is the one that it continues."""
        properties = child(node, "pPr")
        style = value(child(properties, "pStyle"))
        end = child(properties, "rPr")
        gone = child(end, "del") is not None or child(end, "moveFrom") is not None
        hidden_end = is_on(child(end, "vanish")) or is_on(child(end, "specVanish"))
        out = _Paragraph() if before is None else before
        out.prefix = self._styles.prefix(style)
        out.hidden = bool(self._styles.hides(style))
        self._read(node, out, hidden=False)
        out.joins = gone or (bool(hidden_end) and bool(out.text))
        if not gone and not out.counted and (out.text or not hidden_end):
            # A paragraph whose end was deleted has the number of the next one.
            out.mark, out.counted = self._mark(properties, style), True
        return out

    def _mark(self, properties: Element | None, style: str) -> str:
        """Return the automatic number of a paragraph; it is counted."""
        own = child(properties, "numPr")
        by_style, level_by_style = self._styles.list_of(style)
        direct = value(child(own, "numId"))
        list_id = direct or by_style
        level = value(child(own, "ilvl"))
        if not level:
            styles = [] if direct else self._styles.with_parents(style)
            linked = self._lists.level_of_styles(list_id, styles)
            level = str(linked) if linked is not None else "0" if direct else level_by_style
        return self._lists.mark(list_id, int(level) if level.isdecimal() else 0)

    def _read(self, parent: Element, out: _Paragraph, *, hidden: bool) -> None:
        """Add the words below an element to a paragraph."""
        for node in parent:
            name = local_name(node.tag)
            if name in _GONE:
                continue
            if name == "fldChar":
                shown = self._fields.mark(node)
                out.words.append("" if hidden else shown)
            elif name == "instrText":
                self._fields.instruct(node.text or "")
            elif name == "r":
                self._run(node, out)
            elif name == "AlternateContent":
                self._read(_chosen(node), out, hidden=hidden)
            elif hidden or self._fields.hide:
                if name != "txbxContent":
                    self._read(node, out, hidden=hidden)  # a field may begin or end there
            elif name == "txbxContent":
                out.anchor(node)
            elif (words := self._words_of(node, name)) is not None:
                out.words.append(words)
            else:
                self._read(node, out, hidden=hidden)
                if name == "ruby":
                    out.words.append(_above(node))

    def _run(self, node: Element, out: _Paragraph) -> None:
        start = len(out.words)
        self._read(node, out, hidden=self._is_hidden(node, out))
        if value(child(child(node, "rPr"), "vertAlign")) == "superscript":
            out.words[start:] = map(raised, out.words[start:])

    def _words_of(self, node: Element, name: str) -> str | None:
        """Return the words of an element that shows something itself; None for a container."""
        if name in _SIGNS:
            return _SIGNS[name]
        if name in _NOTES:
            return self._note(_NOTES[name], attribute(node, "id"))
        match name:
            case "t":
                return node.text or ""
            case "oMath":
                return formula_text(node)
            case "sym":
                code = attribute(node, "char")
                return symbol(int(code, 16)) if _is_hexadecimal(code) else "·"
            case "relIds":
                return self._diagram(attribute(node, "dm"))
            case "textpath":
                return attribute(node, "string")
            case "chart":
                self.left_out[_ELSEWHERE["chart"]] += 1
                return ""
        return None

    def _is_hidden(self, run: Element, paragraph: _Paragraph) -> bool:
        """Return whether a run is hidden: by itself, its style, or the paragraph's style."""
        properties = child(run, "rPr")
        own = is_on(child(properties, "vanish"))
        if own is None and properties is not None:
            own = self._styles.hides(value(child(properties, "rStyle")))
        return paragraph.hidden if own is None else own

    def _note(self, kind: str, identity: str) -> str:
        """Return a note in brackets; a note is shown at its first reference."""
        note = self._notes[kind].pop(identity, None)
        words = self.words(note) if note is not None else ""
        return f" ({words})" if words else ""

    def _diagram(self, identity: str) -> str:
        """Return the words of a drawn diagram (SmartArt), each of its texts on a line."""
        root = self._parts.related(identity)
        if root is None:
            return ""
        points = (node for node in root.iter() if local_name(node.tag) == "pt")
        texts = (
            "".join(t.text or "" for t in p.iter() if local_name(t.tag) == "t") for p in points
        )
        return "".join(f"\n{text}" for text in texts if text.strip())

    def _rows(self, table: Element) -> Iterator[list[str]]:
        """Yield the rows of a table; cells that are merged over rows or columns repeat their
        text. A row that is too wide ends behind `MAX_COLUMNS`.
        """
        above: list[str] = []
        for row in _table_rows(table):
            cells = [""] * _count(child(child(row, "trPr"), "gridBefore"), 0)
            for cell in _cells(row):
                about = child(cell, "tcPr")
                text, width = self.words(cell), _count(child(about, "gridSpan"), 1)
                down, across = child(about, "vMerge"), child(about, "hMerge")
                if across is not None and value(across) != "restart" and cells:
                    text = cells[-1]
                elif len(cells) < len(above) and (_is_continued(down) or _is_tracked(about)):
                    text = above[len(cells)]
                cells += [text] * min(width, MAX_COLUMNS + 1 - len(cells))
            yield cells
            above = cells


def _inside(parent: Element, *names: str) -> Iterator[Element]:
    """Yield the elements with these names, also those in content controls and inserted parts."""
    for node in parent:
        name = local_name(node.tag)
        if name in names:
            yield node
        elif name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"):
            yield from _inside(node, *names)
        elif name == "AlternateContent":
            yield from _inside(_chosen(node), *names)


def _chosen(alternatives: Element) -> Element:
    """Return the content of `mc:AlternateContent` that is shown: the first one with words."""
    branches = [b for b in alternatives if local_name(b.tag) in ("Choice", "Fallback")]
    for branch in branches:
        if any(local_name(node.tag) in ("t", "relIds", "chart", "sym") for node in branch.iter()):
            return branch
    return branches[0] if branches else alternatives


def _is_continued(down: Element | None) -> bool:
    """Return whether `w:vMerge` says that a cell continues the one above."""
    return down is not None and value(down) != "restart"


def _is_tracked(about: Element | None) -> bool:
    """Return whether a tracked change merges a cell with the one above."""
    merge = child(about, "cellMerge")
    return merge is not None and attribute(merge, "vMerge") == "cont"


def _table_rows(table: Element) -> Iterator[Element]:
    """Yield the rows of a table without deleted ones."""
    for row in _inside(table, "tr"):
        if child(child(row, "trPr"), "del") is None:
            yield row


def _cells(row: Element) -> Iterator[Element]:
    """Yield the cells of a row without deleted ones."""
    for cell in _inside(row, "tc"):
        if child(child(cell, "tcPr"), "cellDel") is None:
            yield cell


def _above(ruby: Element) -> str:
    """Return the small text above other text in brackets."""
    inner = (t for rt in ruby if local_name(rt.tag) == "rt" for t in rt.iter())
    words = "".join(t.text or "" for t in inner if local_name(t.tag) == "t")
    return f"({words})" if words.strip() else ""


def _is_hexadecimal(text: str) -> bool:
    return 0 < len(text) <= 6 and all(c in "0123456789abcdefABCDEF" for c in text)


def _count(node: Element | None, default: int) -> int:
    text = value(node)
    return min(int(text), _MAX_SPAN) if text.isdecimal() and len(text) < 9 else default
