"""Convert the main part of an HTML page to Markdown: headings, paragraphs, lists and tables."""

from __future__ import annotations

import re
from itertools import islice

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PageElement, PreformattedString, Tag

from kofinlaw.data.readers.office.cells import CellRows
from kofinlaw.data.readers.office.number_marks import raised
from kofinlaw.data.readers.page_marks import ListMarks, hiding_selectors, is_hidden, span_of
from kofinlaw.data.readers.tables import cell_text, markdown_rows, tidy_markdown

__all__ = ["html_to_markdown"]

_DROPPED = {
    "script", "style", "noscript", "template", "nav", "header", "footer", "aside", "button",
    "select", "iframe", "svg", "canvas", "object", "embed", "head", "dialog", "menu", "textarea",
    "datalist", "del",
}  # fmt: skip
_BLOCKS = {
    "p", "div", "section", "article", "main", "li", "dd", "dt", "blockquote", "pre", "tr", "table",
    "ul", "ol", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "br", "hr", "caption", "figcaption",
    "address", "body", "html", "td", "th", "tbody", "thead", "tfoot", "center", "fieldset",
}  # fmt: skip
_MENU_ROLE = re.compile(r"^(navigation|banner|contentinfo|search|menu|complementary)$")
_MENU_CLASS = re.compile(
    r"(?:^|[-_\s])(nav|gnb|lnb|snb|menu|footer|header|breadcrumb|sidebar|banner|skip|sns|pagination)"
    r"(?:$|[-_\s])"
)
_KEEPS = re.compile(r"white-space\s{0,9}:\s{0,9}(n|pre|break-spaces)")  # `n`ormal or `n`owrap
_SIGNS = {"mfrac": "/", "msup": "^", "msub": "_"}  # in front of the later parts of a formula
_MAX_LINE_CHARACTERS = 1_000_000
_SHORT_FORM = 200  # characters: a form with more text is the page itself


def html_to_markdown(text: str) -> tuple[str, dict[str, str]]:
    """Return (Markdown, front matter) of a page without menus, footers, scripts and hidden parts.

    The front matter has `title`, and `date` and `license` if meta elements name them. Links are
    not followed, and nothing is loaded.
    """
    soup = BeautifulSoup(text, "lxml")
    meta = _metadata(soup)
    hiding = hiding_selectors(soup)
    root = soup.find("main") or soup.find(role="main") or soup.find("article")
    root = root if isinstance(root, Tag) and len(root.get_text(strip=True)) > 200 else soup
    out = _Writer()
    stack: list[PageElement | str] = [root]  # a str marks the end of an element
    while stack:
        node = stack.pop()
        if isinstance(node, str) and not isinstance(node, Tag):
            if node.startswith("\0"):
                out.close(node[1:])
            elif isinstance(node, NavigableString) and _is_text(node):
                out.write(str(node))
            continue
        if not isinstance(node, Tag) or (node is not root and _dropped(node, hiding)):
            continue
        out.open(node)
        stack.append("\0" + node.name)
        stack.extend(reversed(list(node.children)))
    heading = soup.find("h1")
    if isinstance(heading, Tag) and heading.get_text(strip=True):
        meta["title"] = " ".join(heading.get_text(" ", strip=True).split())
    return out.done(), meta


def _metadata(soup: BeautifulSoup) -> dict[str, str]:
    meta: dict[str, str] = {}
    if soup.title is not None and soup.title.get_text(strip=True):
        meta["title"] = " ".join(soup.title.get_text(" ", strip=True).split())
    names = {
        "date": "date",
        "dcterms.date": "date",
        "article:published_time": "date",
        "rights": "license",
        "license": "license",
        "dcterms.license": "license",
    }
    for tag in soup.find_all("meta"):
        name = str(tag.get("name") or tag.get("property") or "").lower()
        if name in names and tag.get("content"):
            meta.setdefault(names[name], str(tag.get("content")).strip())
    return meta


def _is_text(node: NavigableString) -> bool:
    """Return whether a string is text: not a comment, a doctype or another declaration."""
    return isinstance(node, CData) or not isinstance(node, PreformattedString)


def _dropped(node: Tag, hiding: frozenset[str]) -> bool:
    """Return whether the element is a menu, a footer, a script, a form for input or hidden."""
    if node.name in _DROPPED:
        return True
    if is_hidden(node, hiding):
        return True
    if node.name == "form" and len(node.get_text(strip=True)) < _SHORT_FORM:
        return True
    if _MENU_ROLE.match(str(node.get("role", ""))):
        return True
    classes: str | list[str] = node.get("class") or []
    names = " ".join(
        [*(classes if isinstance(classes, list) else [classes]), str(node.get("id", ""))]
    )
    # An element with such a name that contains the headings of the page is the page itself.
    return bool(_MENU_CLASS.search(names)) and node.find(["h1", "article", "main"]) is None


def _is_frame(table: Tag) -> bool:
    """Return whether a table has one cell: a frame around paragraphs, or the layout of a page."""
    parts = [table, *table.find_all(["thead", "tbody", "tfoot"], recursive=False)]
    rows = (row for part in parts for row in part.find_all("tr", recursive=False))
    cells = (cell for row in rows for cell in row.find_all(["td", "th"], recursive=False))
    return len(list(islice(cells, 2))) == 1


class _Writer:
    """Collects text into Markdown lines while elements open and close."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.prefix = ""
        self.lists: list[ListMarks] = []
        self.table = CellRows()
        self.cell: Tag | None = None  # the open cell of the outermost table
        self.depth = 0  # of tables: the rows of an inner table are words of the outer cell
        self.frames: list[bool] = []  # of the open tables: a frame of one cell is no table
        self.above = 0  # open `sup` elements
        self.keeps: list[bool] = [False]  # of the open elements: whether line ends are shown

    def write(self, text: str) -> None:
        if self.keeps[-1] and self.cell is None:
            *lines, text = text.split("\n")
            for line in lines:
                self.words.append(line)
                self._end_line()
        text = re.sub(r"\s+", " ", text)
        self.words.append(raised(text) if self.above else text)

    def open(self, node: Tag) -> None:
        name = node.name
        keeps = _KEEPS.search(str(node.get("style", "")))
        self.keeps.append(keeps[1] != "n" if keeps else self.keeps[-1] or name == "pre")
        self.above += name == "sup"
        sign = _SIGNS.get(node.parent.name) if node.parent is not None else None
        if sign and node.find_previous_sibling() is not None:
            self.words.append(sign)
        if name == "table":
            self.frames.append(self.depth == 0 and _is_frame(node))
            self.depth += not self.frames[-1]
            if self.depth == 1:
                self._end_line()
                self.table = CellRows()
        elif name == "tr" and self.depth == 1:
            self._end_line()
            self.table.start_row()
        elif name in ("td", "th") and self.depth == 1:
            self._end_line()
            self.cell = node
        if name in ("ol", "ul", "menu"):
            self.lists.append(ListMarks(node))
        if name == "li" and self.cell is not None:
            self.words.append(" " + self._mark(node))
        elif name in _BLOCKS and self.cell is not None:
            self.words.append(" ")
        elif name in _BLOCKS:
            self._end_line()
            if re.match(r"h[1-6]$", name):
                self.prefix = "#" * int(name[1]) + " "
            elif name == "li":
                self.prefix = self._mark(node)

    def _mark(self, item: Tag) -> str:
        """Return the number or bullet of a list item with a blank behind it."""
        if not self.lists:
            return "- "
        mark = self.lists[-1].next(item)
        return mark if self.cell is None or mark != "- " else ""

    def close(self, name: str) -> None:
        self.keeps.pop()
        self.above -= name == "sup"
        if name in ("ol", "ul", "menu") and self.lists:
            self.lists.pop()
        if name == "table":
            frame = self.frames.pop()
            self.depth -= not frame
            if frame:
                self._end_line()
            elif self.depth == 0:
                self._end_line()
                self.lines.extend(markdown_rows(self.table.filled()))
                self.table = CellRows()
        elif name in ("td", "th") and self.depth == 1 and self.cell is not None:
            width, height = span_of(self.cell, "colspan"), span_of(self.cell, "rowspan")
            self.table.add(cell_text("".join(self.words)), width, height)
            self.words = []
            self.cell = None
        elif name in ("thead", "tbody", "tfoot") and self.depth == 1:
            self.table.end_group()
        elif name in _BLOCKS and self.cell is None:
            self._end_line()
            if name not in ("li", "br", "tr"):
                self.lines.append("")

    def _end_line(self) -> None:
        text = " ".join("".join(self.words).split())[:_MAX_LINE_CHARACTERS]
        if text:
            self.lines.append(self.prefix + text)
            self.prefix = ""
        self.words = []

    def done(self) -> str:
        self._end_line()
        return tidy_markdown(self.lines)
