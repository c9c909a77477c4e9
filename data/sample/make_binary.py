"""Create the PDF and HWPX of the sample corpus from `sources/`, and the contest question file.

Run this script by hand after a change to `sources/` or `questions.jsonl`; the installation does not
run it. It needs `reportlab`, `python-hwpx` and the Nanum Gothic font (OFL; Debian package
`fonts-nanum`), of which the PDF embeds a subset. Every run gives the same bytes.

    python data/sample/make_binary.py [--font NanumGothic.ttf]
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import json
import re
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PDF_TITLE = "재해복구 훈련 시행세칙"
HWPX_TITLE = "민원 응대 편람"
FONT = Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf")


def stem(title: str) -> str:
    """Return the file name of a document: its title with underscores."""
    return title.replace(" ", "_")


def make_pdf(source: Path, out: Path, font: Path) -> None:
    """Write the text on A4 pages with a running head and page numbers.

    Lines break between any two characters, as in PDFs of Korean law, so that readers of the text
    layer must join them again.
    """
    from reportlab.lib.enums import TA_CENTER
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import mm
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    pdfmetrics.registerFont(TTFont("Nanum", str(font)))
    body = ParagraphStyle(
        "body", fontName="Nanum", fontSize=11, leading=19, wordWrap="CJK", spaceAfter=5
    )
    chapter = ParagraphStyle("chapter", body, fontSize=13, alignment=TA_CENTER, spaceBefore=10)
    heading = ParagraphStyle("title", chapter, fontSize=18, leading=30)

    def furniture(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Nanum", 8)
        canvas.drawString(25 * mm, 283 * mm, "가람솔은행 사규집")
        canvas.drawRightString(185 * mm, 283 * mm, PDF_TITLE)
        canvas.drawCentredString(105 * mm, 12 * mm, f"- {document.page} -")

    story = []
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines()):
        if not line:
            continue
        is_chapter = (line.startswith("제") and "장 " in line[:5]) or line == "부칙"
        style = heading if number == 0 else chapter if is_chapter else body
        story.append(Paragraph(line, style))
    document = SimpleDocTemplate(
        str(out),
        pagesize=A4,
        leftMargin=25 * mm,
        rightMargin=25 * mm,
        topMargin=25 * mm,
        bottomMargin=25 * mm,
        title=PDF_TITLE,
        author="kofinlaw",
        invariant=1,
    )
    document.build(story, onFirstPage=furniture, onLaterPages=furniture)


def make_hwpx(source: Path, out: Path) -> None:
    """Write headings, paragraphs and a table as HWPX, the same bytes on every run."""
    from hwpx import HwpxDocument

    document = HwpxDocument.new()
    rows: list[list[str]] = []
    for line in [*source.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
            continue
        if rows:
            table = document.add_table(len(rows), len(rows[0]))
            for i, row in enumerate(rows):
                for j, cell in enumerate(row):
                    table.set_cell_text(i, j, cell)
            rows = []
        if line.startswith("#"):
            level = len(line) - len(line.lstrip("#"))
            document.add_heading(line.lstrip("# "), level=level)
        elif line:
            document.add_paragraph(line, inherit_style=False)
    buffer = io.BytesIO()
    document.save_to_stream(buffer)
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(out, "w") as fixed:
        for entry in made.infolist():
            clean = zipfile.ZipInfo(entry.filename, date_time=(2026, 3, 1, 0, 0, 0))
            clean.compress_type = entry.compress_type
            fixed.writestr(clean, with_fixed_values(entry.filename, made.read(entry)))


def with_fixed_values(name: str, content: bytes) -> bytes:
    """Return the part with fixed values for paragraph ids, title, author and dates."""
    if name == "Contents/section0.xml":
        numbers = itertools.count(1)
        pattern = r'(<hp:(?:p|tbl) (?:[^>]* )?id=")\d{5,}"'
        return re.sub(
            pattern, lambda found: f'{found[1]}{next(numbers)}"', content.decode()
        ).encode()
    if name == "Contents/content.hpf":
        text = content.decode().replace("<opf:title/>", f"<opf:title>{HWPX_TITLE}</opf:title>")
        text = text.replace("synthetic-fixture-author", "kofinlaw")
        text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "2026-03-01T00:00:00Z", text)
        return re.sub(r"2025년 9월 17일[^<]*", "2026년 3월 1일", text).encode()
    return content


def make_contest_file(questions: Path, out: Path) -> None:
    """Write the questions in the contest's format: `ID,Question`, with one option a line."""
    with open(out, "w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["ID", "Question"])
        for line in questions.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            options = [f"{label} {text}" for label, text in enumerate(item["options"], 1)]
            writer.writerow([item["id"], "\n".join([item["question"], *options])])


def main() -> None:
    """Create all three files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", type=Path, default=FONT)
    font = parser.parse_args().font
    corpus, sources = HERE / "corpus", HERE / "sources"
    make_pdf(sources / f"{stem(PDF_TITLE)}.txt", corpus / f"{stem(PDF_TITLE)}.pdf", font)
    make_hwpx(sources / f"{stem(HWPX_TITLE)}.txt", corpus / f"{stem(HWPX_TITLE)}.hwpx")
    if (HERE / "questions.jsonl").exists():
        make_contest_file(HERE / "questions.jsonl", HERE / "contest_questions.csv")


if __name__ == "__main__":
    main()
