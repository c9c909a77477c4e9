"""Convert ODT to Markdown: headings by outline level, paragraphs, lists, tables as rows.

Tracked deletions, comments and hidden text are not part of the text; numbers of lists are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive, attribute, local_name
from kofinlaw.data.readers.office.cells import CellRows
from kofinlaw.data.readers.office.number_marks import Counters, raised
from kofinlaw.data.readers.office.odt_styles import Level, OdtStyles, list_mark
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown
from kofinlaw.data.table_rows import is_separator

__all__ = ["odt_to_markdown"]

# Deleted text of tracked changes, comments, tables of contents, declarations of fields and forms
_DROPPED = {
    "tracked-changes", "annotation", "annotation-end", "table-of-content", "forms", "bibliography",
    "alphabetical-index", "sequence-decls", "variable-decls", "user-field-decls", "note-citation",
    "ruby-text", "desc", "script",
}  # fmt: skip
# Drawn objects that hold paragraphs
_BOXES = frozenset(["text-box", "custom-shape", "rect", "circle", "ellipse", "polygon", "path"])
_MAX_REPEATED = 1000


def odt_to_markdown(path: Path, expanded_mebibytes: int) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of an ODT file.

    Raises UserError if the archive is broken, encrypted or too large, or has no text document.
    """
    with Archive(path, expanded_mebibytes) as archive:
        archive.refuse_encrypted()
        if "content.xml" not in archive.names:
            raise UserError("no content.xml in the ODT file")
        root = archive.xml("content.xml")
        others = [archive.xml("styles.xml")] if "styles.xml" in archive.names else []
        meta = {}
        if "meta.xml" in archive.names:
            title = next(
                (n for n in archive.xml("meta.xml").iter() if local_name(n.tag) == "title"), None
            )
            if title is not None and (title.text or "").strip():
                meta["title"] = (title.text or "").strip()
    body = next(
        (node for node in root.iter() if local_name(node.tag) == "text" and "office" in node.tag),
        None,
    )
    if body is None:
        raise UserError("the file holds no text document", remedy="save it as DOCX, XLSX or PPTX")
    reader = _Reader(OdtStyles([root, *others]))
    text = tidy_markdown(reader.blocks(body))
    return text, meta | ({"first_heading": reader.heading} if reader.heading else {})


def _dropped(node: Element) -> bool:
    """Return whether the element holds no text of the document; `svg:title` describes a picture."""
    name = local_name(node.tag)
    if name in ("hidden-text", "hidden-paragraph") and attribute(node, "is-hidden") == "true":
        return True
    return name in _DROPPED or (name == "title" and "svg" in node.tag)


@dataclass(slots=True)
class _List:
    """An open list: its levels, and the number of the current item of each level."""

    levels: dict[int, Level]
    counts: list[int]
    mark: str = ""  # of the item whose first paragraph comes next


class _Reader:
    """Reads the parts of a document in order, so that numbers count."""

    def __init__(self, styles: OdtStyles) -> None:
        self._styles = styles
        self._outline = Counters()
        self.heading = ""  # the first numbered heading of level 1, without its number
        self._ends: dict[str, int] = {}  # the last number of each list, by its style or id

    def blocks(self, parent: Element, within: _List | None = None) -> Iterator[str]:
        """Yield the lines of the headings, paragraphs, lists and tables below an element."""
        for node in parent:
            name = local_name(node.tag)
            if _dropped(node) or self._is_hidden(node):
                continue
            if name == "h":
                level = min(10, _number(node, "outline-level", 1))
                mark = self._take(within) if within else self._heading(node, level)
                if level == 1 and mark and not self.heading:
                    self.heading = self._text(node)[0]
                yield from self._paragraph(node, "#" * min(6, level) + " " + mark)
            elif name == "p":
                yield from self._paragraph(node, self._take(within))
            elif name == "table":
                cells = [
                    n for r in _table_rows(node) for n in r if local_name(n.tag) == "table-cell"
                ]
                if len(cells) == 1:  # a frame around paragraphs
                    yield from self.blocks(cells[0])
                else:
                    yield from markdown_rows(self._rows(node))
            elif name == "list":
                yield from self._list(node, within)
            else:
                yield from self.blocks(node, within)

    def _is_hidden(self, node: Element) -> bool:
        if local_name(node.tag) in ("p", "h", "span"):
            return self._styles.hides(attribute(node, "style-name"))
        return local_name(node.tag) == "section" and attribute(node, "display") == "none"

    def _heading(self, node: Element, level: int) -> str:
        """Return the number of a heading that is in no list, by the outline of the document."""
        here = self._styles.outline.get(level - 1)
        if here is None or not here.form or attribute(node, "is-list-header") == "true":
            return ""
        self._outline.count(level - 1, here.start, list(range(-1, 16)))
        counts = [
            self._outline.shown(n, self._styles.outline.get(n, Level()).start) for n in range(level)
        ]
        return list_mark(self._styles.outline, counts)

    @staticmethod
    def _take(within: _List | None) -> str:
        """Return the mark of an item for its first paragraph."""
        if within is None:
            return ""
        mark, within.mark = within.mark, ""
        return mark

    def _list(self, node: Element, outer: _List | None) -> Iterator[str]:
        """Yield the items of a list; one inside another list is a level deeper."""
        style = attribute(node, "style-name")
        levels = self._styles.levels(style) if style or outer is None else outer.levels
        above = outer.counts if outer else []
        level = len(above)
        ours = style or f"level {level}"
        continued = attribute(node, "continue-list") or ours
        goes_on = attribute(node, "continue-numbering") == "true" or continued != ours
        start = levels.get(level, Level()).start
        at = self._ends.get(continued, start - 1) if goes_on else start - 1
        for item in node:
            name = local_name(item.tag)
            if name not in ("list-item", "list-header"):
                continue
            inner = _List(levels, [*above, at])
            if name == "list-item":
                at = _number(item, "start-value", at + 1)
                inner.counts[-1] = at
                here = levels.get(level, Level(bullet=True))
                inner.mark = list_mark(levels, inner.counts) or ("- " if here.bullet else "")
            yield from self.blocks(item, inner)
        for key in filter(None, (ours, attribute(node, "id"))):
            self._ends[key] = at

    def _paragraph(self, node: Element, prefix: str) -> Iterator[str]:
        text, frames = self._text(node)
        if text:
            yield prefix + text
            yield ""
        for frame in frames:
            yield from self.blocks(frame)

    def _text(self, node: Element) -> tuple[str, list[Element]]:
        """Return the words of a paragraph, and the text boxes that are anchored in it."""
        words: list[str] = []
        frames: list[Element] = []
        stack: list[Element | str] = [node]
        while stack:
            item = stack.pop()
            if isinstance(item, str):
                words.append(item)
                continue
            name = local_name(item.tag)
            if name in _BOXES:
                frames.append(item)
                continue
            if len(item) == 0 and attribute(item, "style-name") in self._styles.above:
                item = raised(item.text or "") if not self._is_hidden(item) else ""
                words.append(item)
                continue
            if _dropped(item) or (item is not node and self._is_hidden(item)):
                continue
            if name in ("s", "tab"):
                words.append(" ")
            elif name == "line-break":
                words.append("\n")
            elif name == "note-body":
                words.append(" (" + " ".join(self.blocks(item)).strip() + ")")
                continue
            inner: list[Element | str] = [item.text or ""]
            for child in item:
                inner += [child, child.tail or ""]
            stack += reversed(inner)
        lines = (" ".join(line.split()) for line in "".join(words).split("\n"))
        return "\n".join(line for line in lines if line), frames

    def _cell(self, cell: Element) -> str:
        """Return all words of a cell on one line; those of an inner table without bars."""
        lines = (line for line in self.blocks(cell) if not is_separator(line))
        return cell_text(" ".join(line.strip("| ").replace(" | ", " ") for line in lines))

    def _rows(self, table: Element) -> list[list[str]]:
        """Return the rows of a table; cells that span rows or columns repeat their text.

        The empty cells at the end of a row, which fill a sheet to its last column, are left out.
        Raises UserError if the table is too large.
        """
        rows = CellRows()
        for row in _table_rows(table):
            rows.start_row()
            column = 0
            empty: list[int] = []  # columns that count only if a cell with text follows
            for cell in row:
                name = local_name(cell.tag)
                if name not in ("table-cell", "covered-table-cell"):
                    continue
                repeated = min(_number(cell, "number-columns-repeated", 1), _MAX_REPEATED)
                columns = range(column, column + repeated)
                column += repeated
                text = self._cell(cell) if name == "table-cell" else ""
                if not text:
                    empty += columns if name == "table-cell" else ()
                    continue
                width = min(_number(cell, "number-columns-spanned", 1), _MAX_REPEATED)
                height = _number(cell, "number-rows-spanned", 1)
                for at in empty:
                    rows.add("", column=at)
                for at in columns:
                    rows.add(text, width, height, at)
                empty = []
        return rows.filled()


def _table_rows(node: Element) -> Iterator[Element]:
    for child in node:
        name = local_name(child.tag)
        if name == "table-row":
            yield child
        elif name in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _table_rows(child)


def _number(node: Element, name: str, default: int) -> int:
    value = attribute(node, name)
    return int(value) if value.isdigit() else default
