"""Make tiny files of every format, and a corpus of them."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pypdfium2

from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.settings import DataSettings

ACT = """---
제목: 가람법
법령ID: '000001'
공포일자: 2024-01-02
시행일자: 2024-07-01
출처: https://www.law.go.kr/법령/가람법
---

# 가람법

##### 제1조 (목적)

이 법은 은행 이용자의 권리를 지키는 것을 목적으로 한다. <개정 2024.1.2>

##### 제2조 (정의)

**①** 용어의 뜻은 다음과 같다.

  1\\. "이용자"란 은행과 거래하는 사람을 말한다.
  2\\. "수수료"란 이용자가 내는 돈을 말한다.

**②** 제1항제2호의 수수료는 제3조에 따른다.

##### 제3조 (수수료)

은행은 수수료를 미리 알려야 하며, 「나래법」 제5조를 지킨다.
"""


def build(sources, out, count_tokens=None, protected_texts=(), **settings):
    """The counts of the corpus that the sources give in `out`."""
    listed = [s if isinstance(s, dict) else str(s) for s in sources]
    return build_corpus(
        DataSettings(sources=listed, **settings),
        out,
        base=out.parent,
        count_tokens=count_tokens,
        protected_texts=protected_texts,
    )


def make_zip(path: Path, members: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


HWPX_HEADER = (
    '<hh:head xmlns:hh="http://www.hancom.co.kr/hwpml/2011/head"><hh:styles>'
    '<hh:style id="0" name="바탕글" engName="Normal"/>'
    '<hh:style id="2" name="개요 1" engName="Outline 1"/></hh:styles></hh:head>'
)
HWPX_SECTION = (
    '<hs:sec xmlns:hs="http://www.hancom.co.kr/hwpml/2011/section" '
    'xmlns:hp="http://www.hancom.co.kr/hwpml/2011/paragraph">'
    '<hp:p styleIDRef="0"><hp:run><hp:t>첫 문단<hp:tab/>이다.</hp:t></hp:run></hp:p>'
    '<hp:p styleIDRef="2"><hp:run><hp:t>접수와 </hp:t></hp:run><hp:run><hp:t>분류</hp:t></hp:run></hp:p>'
    '<hp:p styleIDRef="0"><hp:run><hp:tbl>'
    "<hp:tr><hp:tc><hp:subList><hp:p><hp:run><hp:t>등급</hp:t></hp:run></hp:p></hp:subList></hp:tc>"
    "<hp:tc><hp:subList><hp:p><hp:run><hp:t>책임자</hp:t></hp:run></hp:p></hp:subList></hp:tc></hp:tr>"
    "<hp:tr><hp:tc><hp:subList><hp:p><hp:run><hp:t>가</hp:t></hp:run></hp:p></hp:subList></hp:tc>"
    "<hp:tc><hp:subList><hp:p><hp:run><hp:t>부장</hp:t></hp:run></hp:p></hp:subList></hp:tc></hp:tr>"
    "</hp:tbl></hp:run></hp:p></hs:sec>"
)


def make_hwpx(path: Path, section: str = HWPX_SECTION) -> Path:
    return make_zip(
        path,
        {
            "mimetype": "application/hwp+zip",
            "Contents/header.xml": HWPX_HEADER,
            "Contents/section0.xml": section,
            "Contents/content.hpf": '<p xmlns:opf="o"><opf:title>민원 편람</opf:title>'
            '<opf:meta name="ModifiedDate">2026-03-01T00:00:00Z</opf:meta></p>',
        },
    )


def make_pdf(path: Path, pages: list[str], drawn: str = "") -> Path:
    """A PDF whose pages each show lines of Latin text (standard font, no embedding).

    `drawn` are operators added to each page's content.
    """
    objects: list[bytes] = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    kids = []
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    for text in pages:
        lines = "".join(
            f"BT /F1 10 Tf 50 {780 - 14 * n} Td ({line}) Tj ET\n"
            for n, line in enumerate(text.split("\n"))
        )
        stream = (lines + drawn).encode("latin-1")
        kids.append(f"{len(objects) + 1} 0 R")
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >>"
            + f" /Contents {len(objects) + 2} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>".encode()
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    xref = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        xref,
    )
    path.write_bytes(out)
    return path


def ruled_table(rows: list[list[str]], left: int = 60, top: int = 600) -> str:
    """PDF operators that draw a table with lines, 100 points a column and 20 a row."""
    width, height = 100 * len(rows[0]), 20 * len(rows)
    lines = [
        f"{left} {top - 20 * n} m {left + width} {top - 20 * n} l S" for n in range(len(rows) + 1)
    ]
    lines += [
        f"{left + 100 * n} {top} m {left + 100 * n} {top - height} l S"
        for n in range(len(rows[0]) + 1)
    ]
    for index, row in enumerate(rows):
        lines += [
            f"BT /F1 10 Tf {left + 100 * n + 4} {top - 20 * index - 14} Td ({cell}) Tj ET"
            for n, cell in enumerate(row)
        ]
    return "\n".join(lines) + "\n"


SAMPLE_PDF = Path(__file__).parents[2] / "data/sample/corpus/재해복구_훈련_시행세칙.pdf"


def page_bitmap(page: int = 0, scale: float = 200 / 72):
    """A page of the sample PDF as a picture: Korean text, as a scanner would see it."""
    document = pypdfium2.PdfDocument(SAMPLE_PDF)
    return document[page].render(scale=scale, grayscale=True)


def page_text(page: int = 0) -> str:
    """The text layer of a page of the sample PDF."""
    return pypdfium2.PdfDocument(SAMPLE_PDF)[page].get_textpage().get_text_range()


def make_scan(path: Path, pages: str) -> Path:
    """A PDF whose pages are a picture of the sample's first page (`s`), the text of its second page
    (`t`), an empty page (`e`), or a white picture (`w`).
    """
    out = pypdfium2.PdfDocument.new()
    sample = pypdfium2.PdfDocument(SAMPLE_PDF)
    for kind in pages:
        if kind == "t":
            out.import_pages(sample, [1])
            continue
        page = out.new_page(595, 842)
        if kind == "e":
            continue
        bitmap = page_bitmap() if kind == "s" else pypdfium2.PdfBitmap.new_native(60, 80, 1)
        if kind == "w":
            bitmap.fill_rect((255, 255, 255, 255), 0, 0, 60, 80)
        image = pypdfium2.PdfImage.new(out)
        image.set_bitmap(bitmap)
        image.set_matrix(pypdfium2.PdfMatrix().scale(595, 842))
        page.insert_obj(image)
        page.gen_content()
    out.save(path)
    return path


def make_ole(path: Path, streams: dict[str, bytes]) -> Path:
    """An OLE file with these streams, `/` between folder and stream, each of at least 4096 bytes."""
    size, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    body, fat = b"", []
    entries: list[list] = [["Root Entry", 5, free, free, free, end, 0]]

    def add(name: str, kind: int, start: int, length: int, parent: int) -> int:
        entries.append([name, kind, free, free, free, start, length])
        number = len(entries) - 1
        # Brothers are a chain to the right.
        if entries[parent][4] == free:
            entries[parent][4] = number
        else:
            last = entries[parent][4]
            while entries[last][3] != free:
                last = entries[last][3]
            entries[last][3] = number
        return number

    folders: dict[str, int] = {}
    for name, data in streams.items():
        folder, _, plain = name.rpartition("/")
        if folder and folder not in folders:
            folders[folder] = add(folder, 1, 0, 0, 0)
        data = data.ljust(4096, b"\0")
        add(plain, 2, len(fat), len(data), folders.get(folder, 0))
        sectors = -(-len(data) // size)
        fat += [*range(len(fat) + 1, len(fat) + sectors), end]
        body += data.ljust(sectors * size, b"\0")
    directory = len(fat)
    table = b""
    for name, kind, left, right, child, start, length in entries:
        text = (name + "\0").encode("utf-16-le")
        table += text.ljust(64, b"\0") + struct.pack(
            "<HBBIII", len(text), kind, 1, left, right, child
        )
        table += b"\0" * 36 + struct.pack("<IQ", start, length)
    sectors = -(-len(table) // size)
    fat += [*range(directory + 1, directory + sectors), end]
    body += table.ljust(sectors * size, b"\0")
    first_fat = len(fat)
    count = -(-(first_fat + 1) // 127)
    fat += [0xFFFFFFFD] * count
    packed = b"".join(struct.pack("<I", entry) for entry in fat)
    body += packed.ljust(count * size, b"\xff")
    header = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 16
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, count, directory, 0, 4096, end, 0, end, 0)
    header += b"".join(struct.pack("<I", first_fat + n) for n in range(count)).ljust(436, b"\xff")
    path.write_bytes(header + body)
    return path
