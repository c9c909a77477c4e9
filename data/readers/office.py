"""Convert HWPX and DOCX to Markdown: headings by style, paragraphs, tables as rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive, attribute, local_name
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown

__all__ = ["docx_to_markdown", "hancom_symbols", "hwpx_to_markdown", "style_prefix"]

_OUTLINE = re.compile(r"^\s*(?:개요|제목|heading|outline)\s*(\d)\s*$", re.IGNORECASE)
# Hancom's own characters in the private use area: boxed numbers, one old syllable, and bullets.
_BOXED = re.compile("[\U000f02b1-\U000f02c4]")
_BULLET = re.compile("^((?:#{1,6} |\\| )?)[\ue000-\uf8ff\U000f0000-\U000ffffd] ?", re.MULTILINE)
_MAX_SPAN = 1000
_MAX_COLUMNS = 10_000
_TITLE = re.compile(r"^\s*(?:title|제목)\s*$", re.IGNORECASE)


def hwpx_to_markdown(path: Path, expanded_mebibytes: int) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of an HWPX file, with the sections in the order
    of their numbers.

    Raises UserError if the archive is broken or too large, or has no sections.
    """
    with Archive(path, expanded_mebibytes) as archive:
        archive.refuse_encrypted()
        sections = sorted(
            (n for n in archive.names if re.search(r"(?:^|/)section\d+\.xml$", n, re.IGNORECASE)),
            key=lambda n: int(re.findall(r"\d+", n)[-1]),
        )
        if not sections:
            raise UserError("no Contents/section*.xml in the HWPX file")
        styles = _hwpx_styles(archive)
        lines: list[str] = []
        for name in sections:
            for paragraph in archive.xml(name):
                if local_name(paragraph.tag) == "p":
                    lines.extend(_hwpx_paragraph(paragraph, styles))
        return hancom_symbols(tidy_markdown(lines)), _package_metadata(archive)


def hancom_symbols(text: str) -> str:
    """Return a text with Hancom's private characters as Unicode where their meaning is known.

    A boxed number becomes `[1]`, a symbol at the start of a line or row a bullet (`·`).
    """
    text = text.replace("\uf53a", "한")
    text = _BOXED.sub(lambda match: f"[{ord(match[0]) - 0xF02B0}]", text)
    return _BULLET.sub(r"\1· ", text)


def _hwpx_styles(archive: Archive) -> dict[str, str]:
    """Return the Markdown prefix (`# `, `## ` …) of each style id, for styles named `개요 n`."""
    header = next((n for n in archive.names if n.lower().endswith("header.xml")), None)
    if header is None:
        return {}
    out = {}
    for node in archive.xml(header).iter():
        if local_name(node.tag) != "style":
            continue
        names = (node.get("name") or "", node.get("engName") or "")
        if prefix := style_prefix(names):
            out[node.get("id", "")] = prefix
    return out


def style_prefix(names: Sequence[str]) -> str:
    """Return the Markdown prefix of a style of Hancom's with these names, such as `## ` for
    `개요 1`; empty for ordinary text. The document's own title is level 1.
    """
    level = next((int(m.group(1)) for n in names if (m := _OUTLINE.match(n))), 0)
    if level:
        return "#" * min(6, level + 1) + " "
    return "# " if any(_TITLE.match(n) for n in names) else ""


def _hwpx_paragraph(paragraph: Element, styles: dict[str, str]) -> Iterator[str]:
    """Yield the line of the paragraph, then the rows of its tables."""
    words: list[str] = []
    tables: list[Element] = []
    for run in paragraph:
        if local_name(run.tag) != "run":
            continue
        for node in run:
            name = local_name(node.tag)
            if name == "t":
                words.append(_hwpx_text(node))
            elif name == "tbl":
                tables.append(node)
            elif name in ("rect", "ellipse", "container", "polygon"):
                words.extend(_hwpx_text(t) for t in node.iter() if local_name(t.tag) == "t")
    text = "".join(words).strip()
    if text:
        yield styles.get(paragraph.get("styleIDRef", ""), "") + text
        yield ""
    for table in tables:
        yield from markdown_rows(_hwpx_rows(table))


def _hwpx_rows(table: Element) -> list[list[str]]:
    """Return the rows of a table; cells that are merged over rows or columns repeat their text."""
    rows: dict[int, dict[int, str]] = {}
    trs = [row for row in table if local_name(row.tag) == "tr"]
    for number, row in enumerate(trs):
        column = 0
        for cell in (node for node in row if local_name(node.tag) == "tc"):
            place = {local_name(node.tag): node for node in cell}
            address, span = place.get("cellAddr"), place.get("cellSpan")
            top = _count(address, "rowAddr", number)
            left = _count(address, "colAddr", column)
            text = _cell_text(cell)
            for below in range(top, top + min(_count(span, "rowSpan", 1), _MAX_SPAN)):
                for right in range(left, left + min(_count(span, "colSpan", 1), _MAX_SPAN)):
                    rows.setdefault(below, {})[right] = text
            column = left + 1
    width = max((max(row) + 1 for row in rows.values()), default=0)
    if width > _MAX_COLUMNS:
        raise UserError(f"a table has more than {_MAX_COLUMNS} columns")
    return [[rows[row].get(column, "") for column in range(width)] for row in sorted(rows)]


def _count(node: Element | None, name: str, default: int) -> int:
    value = node.get(name, "") if node is not None else ""
    return int(value) if value.isdecimal() else default


def _hwpx_text(node: Element) -> str:
    parts = [node.text or ""]
    for child in node:
        name = local_name(child.tag)
        parts.append("\n" if name == "lineBreak" else " " if name in ("tab", "nbSpace") else "")
        parts.append(child.tail or "")
    return "".join(parts)


def docx_to_markdown(path: Path, expanded_mebibytes: int) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of a DOCX file.

    Raises UserError if the archive is broken or too large, or has no document part.
    """
    with Archive(path, expanded_mebibytes) as archive:
        if "word/document.xml" not in archive.names:
            raise UserError("no word/document.xml in the DOCX file")
        styles = _docx_styles(archive)
        notes = _docx_notes(archive)
        root = archive.xml("word/document.xml")
        body = next((node for node in root if local_name(node.tag) == "body"), root)
        lines: list[str] = []
        for node in _inside(body, "p", "tbl"):
            if local_name(node.tag) == "p":
                lines.extend(_docx_paragraph(node, styles, notes))
            else:
                lines.extend(markdown_rows(_docx_rows(node)))
        return tidy_markdown(lines), _package_metadata(archive)


def _inside(parent: Element, *names: str) -> Iterator[Element]:
    """Yield the elements with these names, also those in content controls and inserted parts."""
    for node in parent:
        name = local_name(node.tag)
        if name in names:
            yield node
        elif name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"):
            yield from _inside(node, *names)


def _docx_rows(table: Element) -> list[list[str]]:
    """Return the rows of a table; cells that are merged over rows or columns repeat their text."""
    rows: list[list[str]] = []
    for row in _inside(table, "tr"):
        cells: list[str] = []
        for cell in _inside(row, "tc"):
            text, width = _cell_text(cell), 1
            for node in next((n for n in cell if local_name(n.tag) == "tcPr"), ()):
                name = local_name(node.tag)
                if name == "gridSpan" and _value(node).isdigit():
                    width = min(int(_value(node)), _MAX_SPAN)
                elif name == "vMerge" and _value(node) != "restart" and rows:
                    above = rows[-1]
                    text = above[len(cells)] if len(cells) < len(above) else text
            cells += [text] * width
        rows.append(cells)
    return rows


def _docx_styles(archive: Archive) -> dict[str, str]:
    if "word/styles.xml" not in archive.names:
        return {}
    out = {}
    for style in archive.xml("word/styles.xml"):
        if local_name(style.tag) != "style":
            continue
        name = next((_value(n) for n in style if local_name(n.tag) == "name"), "")
        if match := _OUTLINE.match(name):
            out[attribute(style, "styleId")] = "#" * min(6, int(match.group(1))) + " "
        elif _TITLE.match(name):
            out[attribute(style, "styleId")] = "# "
    return out


def _docx_notes(archive: Archive) -> dict[str, str]:
    """Return the texts of footnotes and endnotes by the kind of their reference and its id."""
    out = {}
    for kind in ("footnote", "endnote"):
        name = f"word/{kind}s.xml"
        for note in archive.xml(name) if name in archive.names else ():
            if text := _cell_text(note):
                out[f"{kind}Reference {attribute(note, 'id')}"] = text
    return out


def _docx_paragraph(node: Element, styles: dict[str, str], notes: dict[str, str]) -> Iterator[str]:
    """Yield the line of a paragraph, with its footnotes in brackets."""
    prefix = ""
    words: list[str] = []
    for child in _shown(node):
        name = local_name(child.tag)
        if name == "pStyle" and not words:
            prefix = styles.get(_value(child), "")
        elif name == "t":
            words.append(child.text or "")
        elif name == "tab":
            words.append(" ")
        elif note := notes.get(f"{name} {attribute(child, 'id')}"):
            words.append(f" ({note})")
        elif name in ("br", "cr") or (name == "p" and child is not node):  # a text box
            words.append("\n")
    text = "".join(words).strip()
    if text:
        yield prefix + text
        yield ""


def _shown(node: Element) -> Iterator[Element]:
    """Yield an element and all below it, without the copies for old programs and moved text."""
    yield node
    for child in node:
        if local_name(child.tag) not in ("Fallback", "moveFrom"):
            yield from _shown(child)


def _cell_text(cell: Element) -> str:
    """Return all words of a cell on one line, with those of inner tables."""
    words = []
    for node in _shown(cell):
        name = local_name(node.tag)
        words.append(_hwpx_text(node) if name == "t" else " " if name in ("p", "br", "tab") else "")
    return cell_text("".join(words))


def _value(node: Element) -> str:
    return attribute(node, "val")


def _package_metadata(archive: Archive) -> dict[str, str]:
    """Return the title from `content.hpf` (HWPX) or `docProps/core.xml` (DOCX).

    Their days say when the file was saved, not when its text came into force: they are not read.
    """
    meta: dict[str, str] = {}
    for name in archive.names:
        if name.lower().endswith(("content.hpf", "docprops/core.xml")):
            for node in archive.xml(name).iter():
                tag, text = local_name(node.tag), (node.text or "").strip()
                if tag == "title" and text:
                    meta.setdefault("title", text)
    return meta
