"""Convert ODT to Markdown: headings by outline level, paragraphs, lists, tables as rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive, attribute, local_name
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown

__all__ = ["odt_to_markdown"]

# Deleted text of tracked changes, comments, tables of contents, declarations of fields and forms
_DROPPED = {
    "tracked-changes", "annotation", "annotation-end", "table-of-content", "forms", "bibliography",
    "alphabetical-index", "sequence-decls", "variable-decls", "user-field-decls", "note-citation",
    "ruby-text", "desc", "script",
}  # fmt: skip
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
    return tidy_markdown(_blocks(body)), meta


def _dropped(node: Element) -> bool:
    """Return whether the element holds no text of the document; `svg:title` describes a picture."""
    name = local_name(node.tag)
    return name in _DROPPED or (name == "title" and "svg" in node.tag)


def _blocks(parent: Element, prefix: str = "") -> Iterator[str]:
    """Yield the lines of the headings, paragraphs, lists and tables below an element."""
    for node in parent:
        name = local_name(node.tag)
        if _dropped(node):
            continue
        if name == "h":
            level = _number(node, "outline-level", 1)
            yield from _paragraph(node, "#" * min(6, level) + " ")
        elif name == "p":
            yield from _paragraph(node, prefix)
        elif name == "table":
            yield from markdown_rows(_rows(node))
        elif name == "list":
            yield from _blocks(node, "- ")
        else:
            yield from _blocks(node, prefix)


def _paragraph(node: Element, prefix: str) -> Iterator[str]:
    text, frames = _text(node)
    if text:
        yield prefix + text
        yield ""
    for frame in frames:
        yield from _blocks(frame)


def _text(node: Element) -> tuple[str, list[Element]]:
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
        if name == "text-box":
            frames.append(item)
            continue
        if _dropped(item):
            continue
        if name in ("s", "tab"):
            words.append(" ")
        elif name == "line-break":
            words.append("\n")
        elif name == "note-body":
            words.append(" (")
            stack.append(")")
        inner: list[Element | str] = [item.text or ""]
        for child in item:
            inner += [child, child.tail or ""]
        stack += reversed(inner)
    lines = (" ".join(line.split()) for line in "".join(words).split("\n"))
    return "\n".join(line for line in lines if line), frames


def _rows(table: Element) -> list[list[str]]:
    """Return the rows of a table; cells that span rows or columns repeat their text."""
    rows: list[list[str]] = []
    below: dict[int, tuple[int, str]] = {}  # column to (rows left, text) of a cell from above
    for row in _table_rows(table):
        cells: list[str] = []
        right, text = 0, ""
        for cell in row:
            name = local_name(cell.tag)
            if name not in ("table-cell", "covered-table-cell"):
                continue
            for _ in range(min(_number(cell, "number-columns-repeated", 1), _MAX_REPEATED)):
                column = len(cells)
                if name == "table-cell":
                    text = _cell(cell)
                    right = _number(cell, "number-columns-spanned", 1) - 1
                    height = _number(cell, "number-rows-spanned", 1) - 1
                    if height > 0:
                        below.update(
                            {
                                column + n: (height, text)
                                for n in range(min(right + 1, _MAX_REPEATED))
                            }
                        )
                    cells.append(text)
                elif right > 0:
                    right -= 1
                    cells.append(text)
                else:
                    left, above = below.get(column, (0, ""))
                    cells.append(above if left > 0 else "")
                    below[column] = (left - 1, above)
        rows.append(cells)
    width = max((len(_trimmed(row)) for row in rows), default=0)
    return [[*row[:width], *[""] * (width - len(row))] for row in rows]


def _trimmed(row: list[str]) -> list[str]:
    """Return the row without the empty cells at its end, which fill a sheet to its last column."""
    end = len(row)
    while end and not row[end - 1]:
        end -= 1
    return row[:end]


def _table_rows(node: Element) -> Iterator[Element]:
    for child in node:
        name = local_name(child.tag)
        if name == "table-row":
            yield child
        elif name in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _table_rows(child)


def _cell(cell: Element) -> str:
    return cell_text(" ".join(_blocks(cell)))


def _number(node: Element, name: str, default: int) -> int:
    value = attribute(node, name)
    return int(value) if value.isdigit() else default
