"""DOC: files that the test builds from text, pieces and formats of paragraphs."""

from __future__ import annotations

import random
import struct

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents

TEXT_AT = 1024  # where the characters begin in the main stream
IN_TABLE, ROW_END = struct.pack("<HB", 0x2416, 1), struct.pack("<HB", 0x2417, 1)


def read(path):
    return list(read_documents(path))


def make(files, path, paragraphs, notes=(), boxes="", flags=0x200, version=193, cut=None, runs=()):
    """A DOC file of (text with its mark, style, modifiers); `cut` splits the text into two pieces,
    the second of one byte a character; `runs` are (characters, modifiers) of character formats.
    """
    text = "".join(words for words, _, _ in paragraphs)
    note_text = "".join(f"{note}\r" for note in notes)
    whole = text + note_text + boxes
    cut = len(whole) if cut is None else cut
    wide, narrow = whole[:cut].encode("utf-16-le"), whole[cut:].encode("cp1252")
    body = (wide + narrow).ljust(-(-len(wide + narrow) // 512) * 512, b"\0")
    page_at = TEXT_AT + len(body)

    def place(character):
        wide_end = TEXT_AT + len(wide)
        return TEXT_AT + 2 * character if character <= cut else wide_end + character - cut

    ends, formats, at = [0], [], 0
    for words, style, modifiers in paragraphs:
        at += len(words)
        ends.append(at)
        data = struct.pack("<H", style) + modifiers
        data += b"\0" * (1 - len(data) % 2)
        formats.append(bytes([(len(data) + 1) // 2]) + data)
    page = bytearray(512)
    page[: 4 * len(ends)] = b"".join(struct.pack("<I", place(end)) for end in ends)
    top = 510
    for run, data in enumerate(formats):
        top = (top - len(data)) // 2 * 2
        page[top : top + len(data)] = data
        page[4 * len(ends) + 13 * run] = top // 2
    page[511] = len(formats)

    pieces = struct.pack("<III", 0, cut, len(whole)) if narrow else struct.pack("<II", 0, cut)
    codes = struct.pack("<HIH", 0, TEXT_AT, 0)
    if narrow:
        codes += struct.pack("<HIH", 0, 2 * (TEXT_AT + len(wide)) | 0x40000000, 0)
    pieces = b"\x01\x02\x00\xff\xff\x02" + struct.pack("<I", len(pieces + codes)) + pieces + codes
    places = struct.pack("<III", TEXT_AT, place(len(text)), page_at // 512)
    letters = bytearray(512)
    done, ends = 0, [0]
    for number, (length, data) in enumerate(runs):
        done += length
        ends.append(done)
        at = 500 - 16 * number
        letters[at : at + 1 + len(data)] = bytes([len(data)]) + data
        letters[4 * (len(runs) + 1) + number] = at // 2
    letters[: 4 * len(ends)] = b"".join(struct.pack("<I", place(end)) for end in ends)
    letters[511] = len(runs)
    spans = struct.pack("<III", TEXT_AT, place(len(text)), page_at // 512 + 1)
    references = [index for index, letter in enumerate(text) if letter == "\x02"]
    positions = [0]
    for note in notes:
        positions.append(positions[-1] + len(note) + 1)
    refs = struct.pack(f"<{len(references) + 1}I", *references, len(text)) + b"\0\0" * len(
        references
    )
    texts = struct.pack(f"<{len(positions) + 1}I", *positions, len(note_text) + 1)
    table, found = b"", {}
    for number, data in ((33, pieces), (13, places), (12, spans), (2, refs), (3, texts)):
        found[number] = (len(table), len(data))
        table += data
    main = bytearray(TEXT_AT)
    struct.pack_into("<HH", main, 0, 0xA5EC, version)
    struct.pack_into("<H", main, 10, flags)
    struct.pack_into("<8I", main, 76, len(text), len(note_text), 0, 0, 0, 0, len(boxes), 0)
    for number, pair in found.items():
        struct.pack_into("<II", main, 154 + 8 * number, *pair)
    name = "1Table" if flags & 0x200 else "0Table"
    return files.make_ole(
        path, {"WordDocument": bytes(main) + body + bytes(page) + bytes(letters), name: table}
    )


def plain(*texts):
    return [(f"{text}\r", 0, b"") for text in texts]


def row(*cells):
    return [*((f"{cell}\x07", 0, IN_TABLE) for cell in cells), ("\x07", 0, IN_TABLE + ROW_END)]


DOCUMENT = [
    ("여신 지침\r", 0, b""),
    ("총칙\r", 1, b""),
    ("한도는 1억원\x02이다.\x0b둘째 줄\r", 0, b""),
    ("\x13 TOC \\o \x14제1조(목적)\x15\t1\r", 0, b""),
    *row("구분", "", "수수료"),
    ("송금\r", 0, IN_TABLE),
    ("(창구)\x07", 0, IN_TABLE),
    *row("", "500원"),
    ("끝.\r", 0, b""),
]


def test_headings_notes_fields_and_tables(files, tmp_path):
    path = make(files, tmp_path / "a.doc", DOCUMENT, ["상법 제1조"], "글상자\r")
    (document,) = read(path)
    assert (document.title, document.format) == ("여신 지침", "doc")
    assert [line for line in document.text.splitlines() if line] == [
        "여신 지침",
        "# 총칙",
        "한도는 1억원 (상법 제1조)이다.",
        "둘째 줄",
        "제1조(목적) 1",
        "| 구분 |  | 수수료 |",
        "| --- | --- | --- |",
        "| 송금 (창구) |  | 500원 |",
        "끝.",
        "글상자",
    ]


def test_a_table_of_one_cell_is_a_frame_around_paragraphs(files, tmp_path):
    inside = [("제1조(목적) 가\r", 0, IN_TABLE), *row("제2조(뜻) 나")]
    path = make(files, tmp_path / "a.doc", [*plain("앞"), *inside, *plain("끝")])
    assert read(path)[0].text == "앞\n\n제1조(목적) 가\n\n제2조(뜻) 나\n\n끝\n"


def test_pieces_of_one_and_two_bytes_are_joined(files, tmp_path):
    paragraphs = [*plain("한글 먼저", "Plain text of one byte"), *row("a", "b"), *plain("end")]
    (document,) = read(make(files, tmp_path / "a.doc", paragraphs, cut=6, flags=0))
    assert (
        document.text == "한글 먼저\n\nPlain text of one byte\n\n| a | b |\n| --- | --- |\n\nend\n"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [({"flags": 0x300}, "encrypted"), ({"version": 100}, "older than Word 97")],
)
def test_protected_and_older_files_are_named_as_such(files, tmp_path, change, message):
    with pytest.raises(UserError, match=message):
        read(make(files, tmp_path / "a.doc", plain("글"), **change))


def test_other_formats_with_this_name_are_read_as_what_they_are(files, tmp_path):
    path = tmp_path / "a.doc"
    path.write_bytes(rb"{\rtf1\ansi Plain text of a file\par }")
    assert read(path)[0].format == "rtf"
    path.write_text("<html><body><p>본문이 있는 쪽이다.</p></body></html>", encoding="utf-8")
    assert read(path)[0].format == "html"
    for data in (b"plain text", bytes.fromhex("d0cf11e0a1b11ae1")):
        path.write_bytes(data)
        with pytest.raises(UserError, match="cannot be opened"):
            read(path)
    files.make_ole(path, {"FileHeader": b"x"})
    with pytest.raises(UserError, match="not a DOC file"):
        read(path)


def test_pieces_that_overlap_are_refused(files, tmp_path):
    path = make(files, tmp_path / "a.doc", plain("글" * 40))
    data = path.read_bytes()
    pieces = struct.pack("<III", 16, 0, 41)
    assert data.count(pieces) == 1
    path.write_bytes(data.replace(pieces, struct.pack("<III", 16, 0, 0x7FFFFFFF)))
    with pytest.raises(UserError, match="its pieces overlap"):
        read(path)


def test_notes_that_overlap_are_refused(files, tmp_path):
    paragraphs = plain("한도\x02는 1억원\x02이다.")
    path = make(files, tmp_path / "a.doc", paragraphs, ["첫째 각주", "둘째 각주"])
    assert read(path)[0].text == "한도 (첫째 각주)는 1억원 (둘째 각주)이다.\n"
    data = path.read_bytes()
    starts = struct.pack("<III", 0, 6, 12)
    assert data.count(starts) == 1
    path.write_bytes(data.replace(starts, struct.pack("<III", 0, 12, 0)))
    with pytest.raises(UserError, match="its notes overlap"):
        read(path)


def test_damaged_files_raise_nothing_but_user_errors(files, tmp_path):
    good = make(files, tmp_path / "a.doc", DOCUMENT, ["상법 제1조"], "글상자\r").read_bytes()
    chance = random.Random(7)
    refused = 0
    for turn in range(200):
        data = bytearray(good)
        if turn % 3 == 0:
            del data[chance.randrange(len(data)) :]
        else:
            for _ in range(chance.choice((4, 40, 400))):
                data[chance.randrange(len(data))] = chance.randrange(256)
        (tmp_path / "b.doc").write_bytes(bytes(data) or b"x")
        try:
            read(tmp_path / "b.doc")
        except UserError:
            refused += 1
    assert 30 < refused < 200


def test_hidden_and_deleted_text_is_left_out(files, tmp_path):
    deleted, hidden = struct.pack("<HB", 0x0800, 1), struct.pack("<HB", 0x083C, 1)
    shown = struct.pack("<HB", 0x083C, 0)
    runs = [(3, b""), (2, deleted), (4, b""), (3, hidden), (2, shown), (3, deleted), (4, b"")]
    paragraphs = plain("10일3일 이내", "숨음보임") + plain("옛글") + plain("끝이다")
    text = "".join(words for words, _, _ in paragraphs)
    assert text == "10일3일 이내\r숨음보임\r옛글\r끝이다\r"
    (document,) = read(make(files, tmp_path / "a.doc", paragraphs, runs=runs))
    assert document.text == "10일 이내\n\n임\n\n끝이다\n"


def test_automatic_numbers_that_are_not_read_are_counted(files, tmp_path):
    numbered = struct.pack("<HH", 0x460B, 3)
    paragraphs = [("가\r", 0, numbered), ("나\r", 0, numbered), ("다\r", 0, b"")]
    (document,) = read(make(files, tmp_path / "a.doc", paragraphs))
    assert document.warnings == (
        "the automatic numbers of 2 paragraphs are not read; save the file as DOCX",
    )
