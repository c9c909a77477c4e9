"""Convert PPTX to Markdown: one section for each slide, with tables, charts and notes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive, local_name, parse_xml
from kofinlaw.data.readers.office.number_marks import number_mark
from kofinlaw.data.readers.tables import cell_text, markdown_rows

if TYPE_CHECKING:
    from pptx.chart.chart import Chart
    from pptx.shapes.base import BaseShape
    from pptx.slide import Slide
    from pptx.table import Table
    from pptx.text.text import TextFrame

__all__ = ["pptx_to_markdown"]

_NOTES = "발표자 노트"
_NUMBERS = (
    *(("alphaLc", "latin"), ("alphaUc", "LATIN"), ("romanLc", "roman"), ("romanUc", "ROMAN")),
    *(("circleNum", "circled"), ("ea1JpnKor", "hanja"), ("ea1Cht", "hanja"), ("ea1Chs", "hanja")),
)


def pptx_to_markdown(
    path: Path, expanded_mebibytes: int, pages: int
) -> tuple[str, dict[str, str], list[str]]:
    """Return (Markdown, front matter, warnings) of a PPTX file, with the slides in their order.

    Hidden slides are left out with a warning. Pictures are not read; a slide without text is named
    in a warning. Raises UserError if the file is broken, encrypted or too large, or has more than
    `pages` slides.
    """
    with Archive(path, expanded_mebibytes) as archive:
        archive.refuse_declarations()
    try:
        from pptx import Presentation

        with path.open("rb") as handle:
            deck = Presentation(handle)
            slides = list(deck.slides)
            if len(slides) > pages:
                raise UserError(f"the file has {len(slides)} slides, more than {pages}")
            return _deck(slides, str(deck.core_properties.title or ""))
    except UserError:
        raise
    except Exception as error:  # a damaged part causes errors of any type
        raise UserError(f"the PPTX file is damaged: {type(error).__name__}: {error}") from error


def _deck(slides: list[Slide], title: str) -> tuple[str, dict[str, str], list[str]]:
    lines: list[str] = []
    hidden: list[int] = []
    empty: list[int] = []
    for number, slide in enumerate(slides, 1):
        if slide._element.get("show") in ("0", "false"):
            hidden.append(number)
            continue
        body = list(_slide_lines(slide))
        name = _title(slide)
        if not any(body) and not name:
            empty.append(number)
            continue
        lines += [f"## {name or f'슬라이드 {number}'}", "", *body]
    warnings = []
    if hidden:
        warnings.append(f"hidden slides are not read: {_numbers(hidden)}")
    if empty:
        warnings.append(f"slides without text (pictures are not read): {_numbers(empty)}")
    first = _title(slides[0]) if slides and 1 not in hidden else ""
    meta = {"title": title, "slide_title": first}
    return "\n".join(lines).strip() + "\n", {k: v for k, v in meta.items() if v}, warnings


def _numbers(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def _title(slide: Slide) -> str:
    shape = slide.shapes.title
    return " ".join(shape.text_frame.text.split()) if shape is not None else ""


def _slide_lines(slide: Slide) -> Iterator[str]:
    """Yield the lines of a slide without its title: shapes, drawn diagrams, then the notes."""
    title = slide.shapes.title
    for shape in slide.shapes:
        if title is None or shape.shape_id != title.shape_id:
            yield from _shape_lines(shape)
    for relation in slide.part.rels.values():
        if not relation.is_external and relation.reltype.endswith("/diagramData"):
            root = parse_xml(relation.target_part.blob, "a diagram")
            yield from _paragraphs(node.text or "" for node in root.iter() if _is_text(node.tag))
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        notes = " ".join(frame.text.split())
        if notes:
            yield from _paragraphs([f"{_NOTES}: {notes}"])


def _is_text(tag: str) -> bool:
    return local_name(tag) == "t"


def _shape_lines(shape: BaseShape) -> Iterator[str]:
    """Yield the lines of a shape, or of all shapes of a group."""
    from pptx.shapes.graphfrm import GraphicFrame
    from pptx.shapes.group import GroupShape

    stack = [shape]
    while stack:
        shape = stack.pop(0)
        if isinstance(shape, GroupShape):
            stack = [*shape.shapes, *stack]
        elif isinstance(shape, GraphicFrame):
            if shape.has_table:
                yield from markdown_rows(_rows(shape.table))
            elif shape.has_chart:
                yield from _chart_lines(shape.chart)
        elif shape.has_text_frame and not _is_furniture(shape):
            frame: TextFrame = getattr(shape, "text_frame")  # noqa: B009 - the base lacks it
            yield from _paragraphs(_numbered(frame))


def _numbered(frame: TextFrame) -> Iterator[str]:
    """Yield the paragraphs of a shape with the automatic numbers that they state themselves."""
    counts: dict[int, tuple[str, int]] = {}  # level to the type of its numbers and the last one
    for paragraph in frame.paragraphs:
        text, level = paragraph.text, paragraph.level
        properties = paragraph._p.pPr
        own = None
        if properties is not None:
            own = next((n for n in properties if local_name(n.tag) == "buAutoNum"), None)
        counts = {deeper: value for deeper, value in counts.items() if deeper <= level}
        if own is None or not text.strip():
            if text.strip():
                counts.pop(level, None)
            yield text
            continue
        kind, start = own.get("type", ""), own.get("startAt", "1")
        before = counts.get(level)
        first = int(start) if start.isdecimal() and len(start) < 6 else 1
        number = before[1] + 1 if before is not None and before[0] == kind else first
        counts[level] = (kind, number)
        yield f"{_number(number, kind)} {text}"


def _number(number: int, kind: str) -> str:
    """Return a number in a format of DrawingML, such as `arabicPeriod` (20.1.10.61)."""
    form = next((ours for start, ours in _NUMBERS if kind.startswith(start)), "decimal")
    mark = number_mark(number, form)
    if kind.endswith("ParenBoth"):
        return f"({mark})"
    ends = (("Period", "."), ("ParenR", ")"), ("Minus", "-"))
    return mark + next((sign for end, sign in ends if kind.endswith(end)), "")


def _is_furniture(shape: BaseShape) -> bool:
    """Return whether the shape is the slide's number, date or footer."""
    if not shape.is_placeholder:
        return False
    return shape.placeholder_format.type.name in ("SLIDE_NUMBER", "DATE", "FOOTER", "HEADER")


def _paragraphs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        words = " ".join(text.split())
        if words:
            yield words
            yield ""


def _rows(table: Table) -> list[list[str]]:
    """Return the rows of a table; merged cells repeat their text."""
    rows = [[cell_text(cell.text) for cell in row.cells] for row in table.rows]
    for top, row in enumerate(table.rows):
        for left, cell in enumerate(row.cells):
            if cell.is_merge_origin:
                for below in rows[top : top + cell.span_height]:
                    width = len(below[left : left + cell.span_width])
                    below[left : left + width] = [rows[top][left]] * width
    return rows


def _chart_lines(chart: Chart) -> Iterator[str]:
    """Yield the title of a chart, and its figures as a table."""
    if chart.has_title and chart.chart_title.has_text_frame:
        yield from _paragraphs([chart.chart_title.text_frame.text])
    for plot in chart.plots:
        series = list(plot.series)
        header = ["항목", *(cell_text(str(one.name or "")) for one in series)]
        rows = [header]
        for number, category in enumerate(plot.categories):
            values = [one.values[number] if number < len(one.values) else None for one in series]
            rows.append(
                [cell_text(str(category)), *("" if v is None else f"{v:g}" for v in values)]
            )
        yield from markdown_rows(rows)
