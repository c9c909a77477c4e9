"""HWP 5: files that the test builds record by record, and those of another writer."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings

STYLE, PARAGRAPH, TEXT, CONTROL, LIST, TABLE = 26, 66, 67, 71, 72, 77


def read(path, **limits):
    return list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


def record(tag, level, data=b""):
    if len(data) < 0xFFF:
        return struct.pack("<I", tag | level << 10 | len(data) << 20) + data
    return struct.pack("<II", tag | level << 10 | 0xFFF << 20, len(data)) + data


def control(code, name):
    """The eight places of a control character in the text."""
    return struct.pack("<H4s8xH", code, name, code).decode("utf-16-le")


def paragraph(text, level=0, style=0):
    head = struct.pack("<IIHB", len(text), 0, 0, style).ljust(22, b"\0")
    body = (text + "\r").encode("utf-16-le")
    return record(PARAGRAPH, level, head) + record(TEXT, level + 1, body)


def cell(column, row, text, level, columns=1, rows=1):
    place = struct.pack("<HHIHHHH", 1, 0, 0, column, row, columns, rows)
    return record(LIST, level, place) + paragraph(text, level)


def style(name, english):
    return record(STYLE, 1, b"".join(
        struct.pack("<H", len(n)) + n.encode("utf-16-le") for n in (name, english)
    ))  # fmt: skip


def make(files, path, section, flags=1, styles=b""):
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000300, flags)

    def packed(data):
        machine = zlib.compressobj(wbits=-15)
        return machine.compress(data) + machine.flush() if flags & 1 else data

    streams = {"FileHeader": header, "DocInfo": packed(styles)}
    for number, data in enumerate([section] if isinstance(section, bytes) else section):
        streams[f"BodyText/Section{number}"] = packed(data)
    return files.make_ole(path, streams)


GRID = (
    paragraph("아래 표와 같다." + control(11, b" lbt"))
    + record(CONTROL, 1, b" lbt")
    + record(LIST, 2, b"\0" * 8)
    + paragraph("표 1. 수수료", 2)
    + record(TABLE, 2, struct.pack("<IHH", 0, 3, 3))
    + cell(0, 0, "구분", 2, rows=2)
    + cell(1, 0, "수수료", 2, columns=2)
    + cell(1, 1, "창구", 2)
    + cell(2, 1, "인터넷", 2)
    + cell(0, 2, "송금", 2)
    + cell(1, 2, "500원", 2)
    + cell(2, 2, "면제", 2)
)


def test_headings_notes_tables_and_sections_in_reading_order(files, tmp_path):
    note = record(CONTROL, 1, b"  nf") + record(LIST, 2, b"\0" * 8) + paragraph("상법 제1조", 2)
    first = (
        paragraph("제1장 총칙", style=1)
        + paragraph("한도는 1억원이다" + control(17, b"  nf") + "." + control(9, b"") + "끝")
        + note
        + GRID
    )
    box = (
        record(CONTROL, 1, b" osg")
        + record(76, 2)
        + record(LIST, 3, b"\0" * 8)
        + paragraph("글상자", 3)
    )
    second = paragraph("둘째 구역" + control(11, b" osg")) + box
    path = make(
        files,
        tmp_path / "수수료 지침.hwp",
        [first, second],
        styles=style("바탕글", "Normal") + style("개요 1", "Outline 1"),
    )
    (document,) = read(path)
    assert (document.title, document.format) == ("수수료 지침", "hwp")
    assert [line for line in document.text.splitlines() if line] == [
        "## 제1장 총칙",
        "한도는 1억원이다 (상법 제1조). 끝",
        "아래 표와 같다.",
        "표 1. 수수료",
        "| 구분 | 수수료 | 수수료 |",
        "| --- | --- | --- |",
        "| 구분 | 창구 | 인터넷 |",
        "| 송금 | 500원 | 면제 |",
        "둘째 구역",
        "글상자",
    ]


def test_a_table_of_one_cell_is_a_frame_around_paragraphs(files, tmp_path):
    table = (
        paragraph(control(11, b" lbt"))
        + record(CONTROL, 1, b" lbt")
        + record(TABLE, 2, struct.pack("<IHH", 0, 1, 1))
        + cell(0, 0, "제1조(목적) 가", 2)
        + paragraph("제2조(뜻) 나", 2)
        + paragraph("끝")
    )
    (document,) = read(make(files, tmp_path / "a.hwp", table))
    assert document.text == "제1조(목적) 가\n\n제2조(뜻) 나\n\n끝\n"


def test_private_characters_of_hancom_become_unicode(files, tmp_path):
    lines = ["\U000f02b1 추진 배경", "\uf0a7 첫째", "\uf53a글과 \uf123"]
    path = make(files, tmp_path / "a.hwp", b"".join(map(paragraph, lines)))
    (document,) = read(path)
    assert document.text.split("\n\n") == ["[1] 추진 배경", "· 첫째", "한글과 \uf123\n"]


@pytest.mark.parametrize(
    ("flags", "message"),
    [(2, "encrypted"), (4, "distribution document"), (16, "DRM"), (256, "encrypted")],
)
def test_protected_files_are_named_as_such(files, tmp_path, flags, message):
    path = make(files, tmp_path / "a.hwp", paragraph("글"), flags=flags | 1)
    with pytest.raises(UserError, match=message):
        read(path)


def test_files_without_compression_and_with_another_format(files, tmp_path):
    (document,) = read(make(files, tmp_path / "a.hwp", paragraph("압축하지 않은 글"), flags=0))
    assert document.text == "압축하지 않은 글\n"
    files.make_hwpx(tmp_path / "b.hwp")
    assert read(tmp_path / "b.hwp")[0].format == "hwpx"
    (tmp_path / "c.hwp").write_bytes(b"HWP Document File V3.00 \x1a\1\2\3\4\5")
    with pytest.raises(UserError, match="HWP 3"):
        read(tmp_path / "c.hwp")
    files.make_ole(tmp_path / "d.hwp", {"WordDocument": b"x"})
    with pytest.raises(UserError, match="not an HWP 5 file"):
        read(tmp_path / "d.hwp")


def test_a_bomb_a_huge_table_and_deep_records_are_refused(files, tmp_path):
    path = make(files, tmp_path / "a.hwp", paragraph("가" * 1_000_000))
    with pytest.raises(UserError, match="unpacks to more than the limit"):
        read(path, expanded_mebibytes=1)
    wide = GRID.replace(struct.pack("<IHH", 0, 3, 3), struct.pack("<IHH", 0, 60_000, 60_000))
    with pytest.raises(UserError, match="more than 1000000 cells"):
        read(make(files, path, wide))
    many = GRID.replace(struct.pack("<IHH", 0, 3, 3), struct.pack("<IHH", 0, 400, 400))
    with pytest.raises(UserError, match="more than 1000000 cells"):
        read(make(files, path, many * 7))
    tall = struct.pack("<IHH", 0, 1000, 900)
    merged = record(TABLE, 2, tall) + cell(0, 0, "가" * 100, 2, columns=900, rows=1000)
    table = paragraph("표" + control(11, b" lbt")) + record(CONTROL, 1, b" lbt") + merged
    with pytest.raises(UserError, match="20000000 characters"):
        read(make(files, path, table))
    with pytest.raises(UserError, match="nests too deep"):
        read(make(files, path, b"".join(record(PARAGRAPH, n) for n in range(200))))


def test_damaged_files_raise_nothing_but_user_errors(files, tmp_path):
    good = make(
        files, tmp_path / "a.hwp", GRID * 3, styles=style("개요 1", "Outline 1")
    ).read_bytes()
    flat = make(files, tmp_path / "a.hwp", GRID * 3, flags=0).read_bytes()
    chance = random.Random(5)
    refused = 0
    for turn in range(120):
        data = bytearray(good if turn % 2 else flat)
        if turn % 3 == 0:
            del data[chance.randrange(len(data)) :]
        else:
            for _ in range(chance.choice((1, 8, 60))):
                data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "b.hwp").write_bytes(bytes(data) or b"x")
        try:
            read(tmp_path / "b.hwp")
        except UserError:
            refused += 1
    assert 20 < refused < 120


def test_hwp_5_written_by_another_library_is_read_with_its_table(tmp_path):
    writer = pytest.importorskip("hwp_converter_ai")
    path = tmp_path / "민원 편람.hwp"
    text = "# 민원 편람\n\n## 접수\n\n창구에서 민원을 받아 당일에 적는다.\n\n"
    text += (
        "| 등급 | 책임자 |\n| --- | --- |\n| 가 | 부장 |\n| 나 | 과장 |\n\n처리 기한은 14일이다.\n"
    )
    writer.HwpWriter().from_markdown(text, path)
    (document,) = read(path)
    assert document.title == "민원 편람"
    assert [line for line in document.text.splitlines() if line.strip()] == [
        "민원 편람",
        "## 접수",
        "창구에서 민원을 받아 당일에 적는다.",
        "| 등급 | 책임자 |",
        "| --- | --- |",
        "| 가 | 부장 |",
        "| 나 | 과장 |",
        "처리 기한은 14일이다.",
    ]


def shape(kind, level, identity=1):
    """A paragraph shape whose number is of a kind (1 outline, 2 number, 3 bullet) and level."""
    return record(25, 1, struct.pack("<I", kind << 23 | level << 25).ljust(30, b"\0") + struct.pack(
        "<HH", identity, 0))  # fmt: skip


def numbering(*heads):
    """A numbering of these (text, code of its format, first number); seven levels."""
    data = b"".join(
        struct.pack("<IhhIH", code << 5, 0, 50, 0xFFFFFFFF, len(text)) + text.encode("utf-16-le")
        for text, code, _ in heads
    )
    return record(23, 1, data + struct.pack("<H7I", 1, *(start for *_, start in heads)))


HEADS = [("제^1조", 0, 1), ("^2", 1, 1), ("^3.", 8, 1), ("^4)", 10, 3), *[("^5", 0, 1)] * 3]


@pytest.mark.parametrize("kind", [1, 2])
def test_automatic_numbers_of_outlines_and_lists(files, tmp_path, kind):
    info = b"".join(
        [shape(0, 0), *(shape(kind, n) for n in range(4)), numbering(*HEADS), style("개요 1", "x")]
    )
    section = record(CONTROL, 1, (b"dces" + b"\0" * 14 + struct.pack("<H", 1)))

    def par(text, at, level=0):
        head = struct.pack("<IIHB", len(text), 0, at, 1).ljust(22, b"\0")
        return record(PARAGRAPH, level, head) + record(
            TEXT, level + 1, (text + "\r").encode("utf-16-le")
        )

    steps = [
        (1, "(목적)"),
        (2, "가"),
        (3, "나"),
        (3, "다"),
        (4, "라"),
        (2, "마"),
        (1, "(정의)"),
        (2, "바"),
    ]
    body = par(control(2, b"dces"), 0) + section + b"".join(par(text, at) for at, text in steps)
    (document,) = read(make(files, tmp_path / "a.hwp", body, styles=info))
    assert document.text.split("\n\n") == [
        *["제1조 (목적)", "① 가", "가. 나", "나. 다", "ㄷ) 라", "② 마", "제2조 (정의)", "① 바\n"],
    ]


def test_numbers_of_captions_and_equations(files, tmp_path):
    number = record(CONTROL, 1, b"onta" + struct.pack("<IHHHH", 4, 3, 0, 0, ord(".")))
    equation = record(CONTROL, 1, b"deqe") + record(
        88, 2, struct.pack("<IH", 0, 8) + "a over b".encode("utf-16-le")
    )
    text = "표 " + control(18, b"onta") + " 수수료 " + control(11, b"deqe")
    (document,) = read(make(files, tmp_path / "a.hwp", paragraph(text) + number + equation))
    assert document.text == "표 3. 수수료 a over b\n"
