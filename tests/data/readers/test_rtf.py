"""RTF as Word, WordPad and Hancom write it."""

from __future__ import annotations

import time

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.readers.rtf import rtf_to_markdown

HEAD = r"{\rtf1\ansi\ansicpg949\deff0{\fonttbl{\f0\fnil\fcharset0 Malgun Gothic;}}" "\n"


def hexed(text):
    """The text in hexadecimal bytes of CP949, as WordPad writes it."""
    return "".join(f"\\'{byte:02x}" for byte in text.encode("cp949"))


def word(text):
    """The text as Word writes it: the code point, then the bytes of CP949 for older readers."""
    return r"{\uc2 " + "".join(f"\\u{ord(c)}{hexed(c)}" for c in text) + "}"


def rtf(body, head=HEAD):
    return (head + body + "}").encode("ascii")


def test_hexadecimal_and_unicode_hangul_are_read():
    body = rf"\pard\f0 {hexed('심사자료 보관')}\par {word('심사자료는 5년 동안 보관한다.')}\par"
    text, _ = rtf_to_markdown(rtf(body))
    assert text == "심사자료 보관\n\n심사자료는 5년 동안 보관한다.\n"


def test_a_character_whose_second_byte_is_a_letter_or_on_the_next_line_is_read():
    assert "똠".encode("cp949") == b"\x8cc"
    body = r"\pard " + "\\'8cc" + hexed("양꿍") + r"\par " + hexed("가나")[:12] + "\n"
    body += hexed("가나")[12:] + r"\par"
    text, _ = rtf_to_markdown(rtf(body))
    assert text == "똠양꿍\n\n가나\n"


def test_raw_bytes_are_read():
    text, _ = rtf_to_markdown(HEAD.encode() + "\\pard 규정을 지킨다.\\par}".encode("cp949"))
    assert text == "규정을 지킨다.\n"


def test_tables_become_rows_and_headings_are_found():
    row = r"\trowd\cellx1000\cellx2000\pard\intbl %s\cell %s\cell\row "
    body = rf"\pard\s1\outlinelevel0 {hexed('제1장 총칙')}\par\pard "
    body += row % (hexed("등급"), hexed("한도")) + row % (
        hexed("가") + r"\par " + hexed("나"),
        "5|6",
    )
    body += rf"\pard a|b {hexed('끝')}\par"
    text, _ = rtf_to_markdown(rtf(body))
    assert text == ("# 제1장 총칙\n\n| 등급 | 한도 |\n| --- | --- |\n| 가 나 | 5/6 |\n\na|b 끝\n")


def test_the_title_comes_from_the_file_the_first_line_or_the_name(tmp_path):
    info = HEAD + r"{\info{\title %s}}"
    body = rf"\pard {hexed('메모 규정')}\par {hexed('내용이다.')}\par"
    path = tmp_path / "메모.rtf"
    path.write_bytes(rtf(body, info % hexed("여신 메모")))
    assert [d.title for d in read_documents(path)] == ["여신 메모"]
    path.write_bytes(rtf(body, info % "Document1"))
    assert [d.title for d in read_documents(path)] == ["메모 규정"]
    path.write_bytes(rtf(rf"\pard {hexed('내용이다.')}\par", info % "Untitled"))
    assert [d.title for d in read_documents(path)] == ["메모"]


def test_what_is_not_rtf_is_refused():
    with pytest.raises(UserError, match="not an RTF file"):
        rtf_to_markdown(b"hello")


def test_a_large_picture_and_many_fields_take_no_time():
    field = r"{\field{\*\fldinst{ PAGE }}{\fldrslt 1}}"
    picture = r"{\pict\pngblip " + "ab" * 2_000_000 + "}"
    started = time.process_time()
    rows = r"\trowd \intbl " * 20_000  # without an end
    body = r"\pard " + field * 2000 + picture + rows + hexed("끝") + r"\par"
    text, _ = rtf_to_markdown(rtf(body))
    assert text.endswith("끝\n")
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            r"\pard a{\deleted\revauthdel1 old}b\par c\deleted d\'30\par\deleted0 e\par",
            "ab\n\nce\n",
        ),
        (r"\pard a{\v hid}b\v h\v0 c{\v x\plain y}\par", "abcy\n"),
        (r"\pard a{\footnote \pard note{\b one}\par two}b\par", "a (noteone two)b\n"),
        (r"\pard{\listtext\plain 1.\tab}a\par{\pntext 2.\tab}b\par", "1. a\n\n2. b\n"),
        (
            r"\pard a{\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt \pard box {\b text}\par}}"
            r"{\shprslt{\*\do{\dptxbxtext\pard box\par}}}}b\par end\par",
            "ab\n\nbox text\n\nend\n",
        ),
        (
            r"\trowd\cellx1000\pard\intbl Article 1\par Article {\b 2}\cell\row \pard c\par",
            "Article 1\n\nArticle 2\n\nc\n",
        ),
        (r"\pard a{\*\annotation x}{\field{\*\fldinst y}{\fldrslt z}}\par", "az\n"),
    ],
)
def test_what_a_reader_sees(body, expected):
    assert rtf_to_markdown(rtf(body))[0] == expected


def test_merged_cells_keep_their_columns():
    def row(edges, *cells):
        return (
            rf"\trowd{edges}\pard\intbl " + "".join(cell + r"\cell " for cell in cells) + r"\row "
        )

    body = (
        row(r"\clvmgf\cellx1000\clmgf\cellx2000\clmrg\cellx3000", "A", "B", "")
        + row(r"\clvmrg\cellx1000\clbrdrt\brdrs\cellx2010\cellx3000", "", "C", "D")
        + row(r"\cellx1000\cellx3000", "E", "F")
    )
    assert rtf_to_markdown(rtf(body))[0].splitlines() == [
        *["| A | B | B |", "| --- | --- | --- |", "| A | C | D |", "| E | F | F |"],
    ]


def test_a_table_whose_rows_repeat_a_text_too_often_is_refused():
    edges = "".join(rf"\cellx{100 * n}" for n in range(1, 401))
    cells = r"\cell " * 400
    wide = rf"\trowd{edges}\pard\intbl x{cells}\row "
    merged = rf"\trowd\cellx40000\pard\intbl {'x' * 5000}\cell\row "
    with pytest.raises(UserError, match="a table has more than"):
        rtf_to_markdown(rtf(wide + merged * 11))
