"""Every format: any bytes are read or refused."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import json
import unicodedata

import docx
import odfdo
import openpyxl
import pptx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.readers.formats import READERS, read_documents
from kofinlaw.data.settings import READABLE, LimitSettings, SourceSettings


def refuse(path, match, **limits):
    with pytest.raises(UserError, match=match):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


def test_a_file_over_the_limit_is_refused(tmp_path):
    path = tmp_path / "a.md"
    path.write_bytes("가".encode() * (700 << 10))
    refuse(path, "more than 1", file_mebibytes=1)


def test_every_reader_has_a_file_name_pattern_in_the_settings():
    assert set(READABLE) == {f"*{suffix}" for suffix in READERS}


def test_a_file_is_read_without_settings(act, tmp_path):
    (document,) = read_documents(act / "가람법.md")
    assert (document.title, document.source) == ("가람법", "가람법.md")
    for name, remedy in (
        ("a.gif", "save it as PNG"),
        ("a.ppt", "save it as PPTX"),
        ("a.xyz", "add a reader"),
    ):
        (tmp_path / name).write_bytes(b"bytes")
        with pytest.raises(UserError, match=rf"no reader for \.{name[2:]}") as error:
            list(read_documents(tmp_path / name))
        assert remedy in error.value.remedy


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(suffix=st.sampled_from(list(READERS)), data=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_read_or_refused_by_every_reader(tmp_path, suffix, data):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data)
    with contextlib.suppress(UserError):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings()))


@pytest.fixture(scope="module")
def whole(files, tmp_path_factory):
    """The bytes of a small file of each format."""
    folder = tmp_path_factory.mktemp("whole")
    files.make_hwpx(folder / "a.hwpx")
    files.make_pdf(folder / "a.pdf", ["The first page of the rules", "The second page"])
    book = openpyxl.Workbook()
    book.active.append(["구분", "값"])
    book.active.append(["가", 1])
    book.save(folder / "a.xlsx")
    deck = pptx.Presentation()
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "제목이다"
    deck.save(folder / "a.pptx")
    odfdo.Document("text").save(folder / "a.odt")
    (folder / "a.rtf").write_bytes(rb"{\rtf1\ansi\ansicpg949 \'b0\'a1\par}")
    return {path.suffix[1:]: path.read_bytes() for path in folder.iterdir()}


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    position=st.floats(0, 1),
    byte=st.integers(0, 255),
    cut=st.booleans(),
    kind=st.sampled_from(["hwpx", "pdf", "xlsx", "pptx", "odt", "rtf"]),
)
def test_damaged_files_are_read_or_refused(whole, tmp_path, position, byte, cut, kind):
    path = tmp_path / f"a.{kind}"
    data = bytearray(whole[kind])
    at = min(int(position * len(data)), len(data) - 1)
    if cut:
        del data[at:]
    else:
        data[at] = byte
    path.write_bytes(bytes(data) or b"x")
    with contextlib.suppress(UserError):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings()))


PROVISIONS = st.lists(
    st.text(st.sampled_from("가나다은행법률제항의 ,."), min_size=1, max_size=12).map(
        lambda words: f"이 규정은 {words}을 정한다"
    ),
    min_size=2,
    max_size=3,
)


def dressed(text, marks):
    """Decompose a text and put invisible marks between its characters."""
    return "".join(c + next(marks) for c in unicodedata.normalize("NFD", text))


@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PROVISIONS, st.data())
def test_decomposed_text_with_marks_gives_the_same_document_in_every_format(tmp_path, lines, data):
    drawn = data.draw(st.lists(st.sampled_from(["", "\u200b", "\ufeff", "\xad"]), min_size=7))
    marks = itertools.cycle(drawn)
    text = "\n".join(f"제{n}조(가) {line}" for n, line in enumerate(lines, 1))
    odd = dressed(text, marks)
    row = {"제목": "가 법", "본문": odd}
    table = io.StringIO()
    csv.writer(table).writerows([["제목", "본문"], ["가 법", odd]])
    plain, frame = f"<p>{'</p><p>'.join(odd.split(chr(10)))}</p>", "<html><body>{}</body></html>"
    for name, content in {
        "a.md": odd,
        "a.txt": odd,
        "a.jsonl": json.dumps(row, ensure_ascii=data.draw(st.booleans())),
        "a.csv": table.getvalue(),
        "a.html": frame.format(plain),
    }.items():
        path = tmp_path / name
        path.write_bytes(content.encode())
        (document,) = read_documents(path)
        assert " ".join(document.text.split()) == " ".join(text.split()), name
    book = docx.Document()
    for line in odd.replace("\x00", "").split("\n"):
        book.add_paragraph(line)
    book.save(tmp_path / "a.docx")
    (document,) = read_documents(tmp_path / "a.docx")
    assert document.text.split() == text.split()
