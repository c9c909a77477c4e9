"""Convert HWPX to Markdown: what a reader of the accepted document sees, once and in order.

Tracked deletions, hidden comments, memos, headers and footers are not part of the text.

Source: KS X 6101 (OWPML).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive, local_name
from kofinlaw.data.readers.office.cells import CellRows
from kofinlaw.data.readers.office.docx_lists import is_bullet
from kofinlaw.data.readers.office.docx_styles import child
from kofinlaw.data.readers.office.hancom import (
    Head,
    Numbering,
    ParagraphHeads,
    hancom_symbols,
    style_prefix,
)
from kofinlaw.data.readers.office.number_marks import number_mark, raised
from kofinlaw.data.readers.office.package_title import package_title
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown

__all__ = ["hwpx_to_markdown"]

_MAX_SPAN = 1000
_SIGNS = {"lineBreak": "\n", "tab": " ", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}
# Drawn objects of a run; a shape holds paragraphs, a container other shapes
_OBJECTS = frozenset(["tbl", "pic", "container", "rect", "ellipse", "arc", "polygon", "curve"])
_OBJECTS |= frozenset(["connectLine", "line", "ole", "video", "textart", "chart"])
_FORMS = frozenset(["edit", "comboBox", "listBox", "checkBtn", "radioBtn", "btn"])
_COUNTED = frozenset(["TABLE", "PICTURE", "EQUATION"])  # the numbers of captions


def hwpx_to_markdown(path: Path, expanded_mebibytes: int) -> tuple[str, dict[str, str], list[str]]:
    """Return (Markdown, front matter, warnings) of an HWPX file, with the sections in the order
    of their numbers.

    A warning says that the file ends inside deleted text. Raises UserError if the archive is broken
    or too large, or has no sections.
    """
    with Archive(path, expanded_mebibytes) as archive:
        archive.refuse_encrypted()
        sections = sorted(
            (n for n in archive.names if re.search(r"(?:^|/)section\d+\.xml$", n, re.IGNORECASE)),
            key=lambda n: int(re.findall(r"\d+", n)[-1]),
        )
        if not sections:
            raise UserError("no Contents/section*.xml in the HWPX file")
        header = next((n for n in archive.names if n.lower().endswith("header.xml")), None)
        reader = _Reader(archive.xml(header) if header else Element("head"))
        lines = [line for name in sections for line in reader.lines(archive.xml(name))]
        warnings = ["not read: the text behind a tracked deletion that does not end"]
        text = hancom_symbols(tidy_markdown(lines))
        unended = reader.deleted or reader.unended
        return text, package_title(archive), warnings if unended else []


@dataclass(slots=True)
class _Paragraph:
    """A paragraph while it is read, with the objects in front of its words and behind them."""

    prefix: str = ""
    mark: str = ""
    words: list[str] = field(default_factory=list)
    first: list[Element] = field(default_factory=list)
    objects: list[Element] = field(default_factory=list)
    joins: bool = False

    @property
    def line(self) -> str:
        """The number and the text; a bullet without text is not shown."""
        text = "".join(self.words).strip()
        return f"{self.mark}{text}".strip() if text or not is_bullet(self.mark) else ""


class _Reader:
    """Reads the sections of a document in order, so that numbers count and deletions end."""

    def __init__(self, header: Element) -> None:
        self._styles: dict[str, str] = {}
        self._kinds: dict[str, tuple[str, str, int]] = {}  # of the heads of paragraphs
        self._above: set[str] = set()  # the shapes of characters that are above the line
        numberings: dict[str, Numbering] = {}
        bullets: dict[str, str] = {}
        for node in header.iter():
            name, identity = local_name(node.tag), node.get("id", "")
            if name == "style":
                names = (node.get("name") or "", node.get("engName") or "")
                self._styles[identity] = style_prefix(names)
            elif name == "numbering":
                numberings[identity] = Numbering(dict(_heads(node)))
            elif name == "bullet":
                bullets[identity] = node.get("char", "") or "·"
            elif name == "charPr":
                if child(node, "supscript") is not None:
                    self._above.add(identity)
            elif name == "paraPr":
                head = next((n for n in node.iter() if local_name(n.tag) == "heading"), None)
                if head is not None:
                    kind = (head.get("type", ""), head.get("idRef", ""), _count(head, "level", 0))
                    self._kinds[identity] = kind
        self._heads = ParagraphHeads(numberings, bullets)
        self.deleted: set[str] = set()  # the ids of open marks of deleted text
        self.unended = False  # whether a deletion did not end in its cell, note or text box

    def lines(self, parent: Element) -> Iterator[str]:
        """Yield the Markdown lines of the paragraphs in an element."""
        for one in self._paragraphs(parent):
            for node in one.first:
                yield from self._object(node)
            if one.line:
                yield one.prefix + one.line
                yield ""
            for node in one.objects:
                yield from self._object(node)

    def words(self, parent: Element) -> str:
        """Return all words in an element on one line, as in a cell or a note."""
        out: list[str] = []
        for one in self._paragraphs(parent):
            out += [self._object_words(node) for node in one.first]
            out.append(one.line)
            out += [self._object_words(node) for node in one.objects]
        return cell_text(" ".join(out))

    def _paragraphs(self, parent: Element) -> Iterator[_Paragraph]:
        open_one: _Paragraph | None = None
        outside = set(self.deleted)
        for node in parent:
            if local_name(node.tag) != "p":
                continue
            read = self._paragraph(node, open_one)
            open_one = read if read.joins else None
            if not read.joins:
                yield read
        if open_one is not None:
            yield open_one
        if local_name(parent.tag) == "subList" and self.deleted - outside:
            self.deleted, self.unended = outside, True

    def _paragraph(self, node: Element, before: _Paragraph | None) -> _Paragraph:
        """Read a paragraph; `before` is the one that it continues: its end was deleted."""
        out = _Paragraph() if before is None else before
        out.prefix = self._styles.get(node.get("styleIDRef", ""), "")
        out.joins = False
        for run in _shown(node):
            if local_name(run.tag) == "run":
                start = len(out.words)
                for part in _shown(run):
                    self._part(part, out)
                if run.get("charPrIDRef", "") in self._above:
                    out.words[start:] = map(raised, out.words[start:])
        out.joins = out.joins or bool(self.deleted)
        if not out.joins:
            kind, identity, level = self._kinds.get(node.get("paraPrIDRef", ""), ("", "", 0))
            out.mark = self._heads.mark(kind, identity, level)
        return out

    def _part(self, node: Element, out: _Paragraph) -> None:
        """Add a part of a run to its paragraph: text, a note, a number, an object."""
        name = local_name(node.tag)
        if name == "t":
            self._text(node, out)
        elif name == "secPr":
            self._heads.outline = node.get("outlineShapeIDRef", "")
        elif self.deleted:
            return
        elif name in _OBJECTS:
            (out.objects if "".join(out.words).strip() else out.first).append(node)
        elif name == "ctrl":
            out.words += [self._control(control) for control in node]
        elif name == "dutmal":
            main, over = (_plain(child(node, part)) for part in ("mainText", "subText"))
            out.words.append(f"{main}({over})" if over else main)
        elif name == "compose":
            text = node.get("composeText", "")
            circled = "CIRCLE" in node.get("circleType", "") and text.isdecimal() and len(text) < 4
            out.words.append(number_mark(int(text), "circled") if circled else text)
        elif name == "equation":
            out.words.append(_stated_text(node))
        elif name in _FORMS:
            apart = " " if out.words and not out.words[-1].endswith(" ") else ""
            out.words.append(apart + _form_text(node))

    def _text(self, node: Element, out: _Paragraph) -> None:
        """Add the shown words of a `t` element; marks inside it begin and end deleted text."""
        out.words.append("" if self.deleted else node.text or "")
        for mark in node:
            name = local_name(mark.tag)
            if name in ("deleteBegin", "deleteEnd"):
                self._delete(name, mark.get("Id") or mark.get("id") or "")
                out.joins = out.joins or mark.get("paraend") in ("1", "true")
            elif not self.deleted:
                out.words.append(_SIGNS.get(name) or _plain(mark))
            out.words.append("" if self.deleted else mark.tail or "")

    def _delete(self, name: str, identity: str) -> None:
        """Open or close deleted text; an end without a beginning of the same id closes all."""
        if name == "deleteBegin":
            self.deleted.add(identity)
        elif identity in self.deleted:
            self.deleted.remove(identity)
        else:
            self.deleted.clear()

    def _control(self, node: Element) -> str:
        """Return a note in brackets, or the number of a caption; empty for other controls."""
        name = local_name(node.tag)
        if name in ("footNote", "endNote"):
            words = " ".join(self.words(part) for part in node if local_name(part.tag) == "subList")
            return f" ({words.strip()})" if words.strip() else ""
        if name == "autoNum" and node.get("numType") in _COUNTED:
            form = child(node, "autoNumFormat")
            about = form.attrib if form is not None else {}
            number = number_mark(_count(node, "num", 1), about.get("type", "DIGIT"))
            return about.get("prefixChar", "") + number + about.get("suffixChar", "")
        return ""

    def _object(self, node: Element) -> Iterator[str]:
        """Yield the lines of an object with its caption."""
        caption = child(node, "caption")
        above = caption is not None and caption.get("side") in ("TOP", "LEFT")
        if caption is not None and above:
            yield from self._lists_below(caption)
        name = local_name(node.tag)
        if name == "tbl":
            cells = [n for row in node if local_name(row.tag) == "tr" for n in row]
            if len(cells) == 1:  # a frame around paragraphs
                yield from self._lists_below(cells[0])
            else:
                yield from markdown_rows(self._rows(node))
        elif text := _stated_text(node):
            yield from (text, "")
        else:
            for part in node:
                if local_name(part.tag) == "drawText":
                    yield from self._lists_below(part)
                elif local_name(part.tag) in _OBJECTS:
                    yield from self._object(part)
        if caption is not None and not above:
            yield from self._lists_below(caption)

    def _lists_below(self, node: Element) -> Iterator[str]:
        for part in node:
            if local_name(part.tag) == "subList":
                yield from self.lines(part)

    def _object_words(self, node: Element) -> str:
        """Return the words of an object on one line; those of an inner table without bars."""
        out: list[str] = []
        for part in node:
            name = local_name(part.tag)
            if name == "subList":
                out.append(self.words(part))
            elif name in ("caption", "drawText", "tr", "tc") or name in _OBJECTS:
                out.append(self._object_words(part))
        return " ".join([_stated_text(node), *out])

    def _rows(self, table: Element) -> list[list[str]]:
        """Return the rows of a table; merged cells repeat their text."""
        rows = CellRows()
        for row in table:
            if local_name(row.tag) != "tr":
                continue
            rows.start_row()
            for cell in row:
                if local_name(cell.tag) != "tc":
                    continue
                text = cell_text(self._object_words(cell))
                address, span = child(cell, "cellAddr"), child(cell, "cellSpan")
                width, height = (
                    min(_count(span, name, 1), _MAX_SPAN) for name in ("colSpan", "rowSpan")
                )
                column = _count(address, "colAddr", -1)
                rows.add(text, width, height, None if column < 0 else column)
        return rows.filled()


def _heads(numbering: Element) -> Iterator[tuple[int, Head]]:
    """Yield (level from 0, its head) of a numbering."""
    for node in numbering.iter():
        if local_name(node.tag) == "paraHead":
            head = Head(node.text or "", node.get("numFormat", ""), _count(node, "start", 1))
            yield _count(node, "level", 1) - 1, head


def _shown(parent: Element) -> Iterator[Element]:
    """Yield the parts of an element; of `switch`, only the first of its cases."""
    for node in parent:
        if local_name(node.tag) == "switch":
            yield from next(iter(node), ())
        else:
            yield node


def _stated_text(node: Element) -> str:
    """Return the text that an object has itself: the words of an equation or of drawn letters."""
    if local_name(node.tag) == "equation":
        return " ".join(_plain(child(node, "script")).split())
    return node.get("text", "") if local_name(node.tag) == "textart" else ""


def _form_text(node: Element) -> str:
    """Return what a form field shows: its words, the selected entry, or its caption."""
    words = _plain(child(node, "text")) or node.get("selectedValue") or node.get("caption", "")
    mark = {"CHECKED": "☑ ", "UNCHECKED": "☐ "}.get(node.get("value", ""), "")
    return f"{mark}{words}" if words else ""


def _plain(node: Element | None) -> str:
    return "".join(node.itertext()) if node is not None else ""


def _count(node: Element | None, name: str, default: int) -> int:
    value = node.get(name, "") if node is not None else ""
    return int(value) if value.isdecimal() and len(value) < 12 else default
