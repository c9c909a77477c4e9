"""PDF text layers: running heads, scans, page limits."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.readers.paged import pdf
from kofinlaw.data.readers.paged.page_lines import Line
from kofinlaw.data.readers.paged.tesseract import Ocr, ReadPage, install_command
from kofinlaw.data.readers.paged.unread_pages import NoTextError
from kofinlaw.data.settings import LimitSettings, SourceSettings
from kofinlaw.files import read_jsonl
from kofinlaw.records import Chunk, Rejected
from kofinlaw.texts import markdown_text


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_a_pdf_loses_its_running_heads_and_page_numbers(files, tmp_path):
    long = "A line that goes all the way to the right margin of the page, the"
    pages = [f"Rulebook of the bank\n- {n} -\n{long}\nbody of page {n}." for n in (1, 2, 3)]
    (document,) = read(files.make_pdf(tmp_path / "a.pdf", pages))
    assert [line for line in document.text.splitlines() if line] == [
        f"{long} body of page {n}." for n in (1, 2, 3)
    ]


@pytest.fixture
def no_ocr(tmp_path_factory, monkeypatch):
    """A search path without any program."""
    monkeypatch.setenv("PATH", str(tmp_path_factory.mktemp("empty")))


def refusal(path, **limits):
    with pytest.raises(UserError) as caught:
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))
    return caught.value


def test_a_scan_names_its_pages_and_the_command_that_reads_them(files, tmp_path, no_ocr):
    error = refusal(files.make_scan(tmp_path / "a.pdf", "sess"))
    assert isinstance(error, NoTextError)
    (unread,) = error.unread
    assert (unread.pages, unread.reason) == ((1, 3, 4), "needs_ocr")
    start = "pages 1, 3-4: no text layer → Tesseract is not installed: "
    assert unread.detail == start + install_command()


def test_a_scan_between_pages_with_text_is_named_and_the_others_are_read(files, tmp_path, no_ocr):
    (document,) = read(files.make_scan(tmp_path / "a.pdf", "tswt"))
    assert [one.pages for one in document.pages.unread] == [(2, 3)]
    starts = document.pages.starts
    assert starts[1] == starts[2] == starts[3]
    assert document.text[: starts[1]] == document.text[starts[3] :] != ""


def test_ocr_can_be_forbidden(files, tmp_path):
    error = refusal(files.make_scan(tmp_path / "a.pdf", "s"), ocr_pages=0)
    assert error.message == "page 1: no text layer → raise data.limits.ocr_pages to read them"


@pytest.fixture
def fake_ocr(monkeypatch):
    """Each page is read as the next of these."""

    def pages(*read):
        monkeypatch.setattr(pdf, "find_ocr", lambda: Ocr(program="x"))
        waiting = iter(read)

        def results(pictures, ocr, seconds):
            for picture in pictures:
                assert len(picture.pixels) == picture.width * picture.height
                yield next(waiting)

        monkeypatch.setattr(pdf, "read_pictures", results)

    return pages


def page_of(*texts, confidence=0.9):
    size = 0.7 / max(1, len(texts))
    lines = [Line(text, 100.0, 0.85 - size * n, 10.0) for n, text in enumerate(texts)]
    return ReadPage(tuple(lines), confidence)


def test_mixed_pages_are_read_page_by_page(files, tmp_path, fake_ocr):
    fake_ocr(
        page_of("제7조(보관) 자료는", "5년 보관한다."),
        page_of("흐린 글", confidence=0.41),
        ReadPage(),
    )
    (document,) = read(files.make_scan(tmp_path / "a.pdf", "tssw"))
    assert document.text.endswith("제7조(보관) 자료는\n5년 보관한다.\n")
    assert document.pages.ocr == ((2, 0.9),)
    assert [(one.pages, one.reason) for one in document.pages.unread] == [
        ((3,), "ocr_unsure"),
        ((4,), "ocr_failed"),
    ]
    why = "page 3: confidence 0.41 is below 0.75 → scan them again, or lower data.limits.ocr_confidence"
    assert document.pages.unread[0].detail == why


def test_pages_beyond_the_limit_are_named(files, tmp_path, fake_ocr):
    fake_ocr(page_of("첫 쪽"))
    path = files.make_scan(tmp_path / "a.pdf", "sss")
    (document,) = read_documents(path, None, LimitSettings(ocr_pages=1))
    assert [one.pages for one in document.pages.unread] == [(2, 3)]


@pytest.mark.parametrize("found", [page_of("업무"), ReadPage()], ids=["fewer", "none"])
def test_fewer_words_than_the_text_layer_do_not_replace_it(files, tmp_path, fake_ocr, found):
    fake_ocr(found)
    picture = "q 595 0 0 842 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q"
    (document,) = read(files.make_pdf(tmp_path / "a.pdf", ["Manual of the branch 2025"], picture))
    assert (document.text, document.pages.ocr) == ("Manual of the branch 2025\n", ())
    assert document.pages.unread == ()  # the page has no other words


def test_a_page_with_a_few_words_that_ocr_cannot_read_is_named(files, tmp_path, fake_ocr):
    fake_ocr(ReadPage(problem="OCR took more than 120 seconds"))
    picture = "q 595 0 0 842 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID x EI Q"
    (document,) = read(files.make_pdf(tmp_path / "a.pdf", ["Manual of the branch 2025"], picture))
    assert [one.reason for one in document.pages.unread] == ["ocr_failed"]


def test_a_long_list_of_pages_does_not_hide_the_command(files, tmp_path, no_ocr, build):
    folder = tmp_path / "docs"
    folder.mkdir()
    files.make_scan(folder / "a.pdf", "ts" * 100)
    counts = build([folder], tmp_path / "out")
    line = counts.last_lines[1]
    assert line.startswith("needs OCR: docs/a.pdf: pages 2, 4, 6, ")
    assert " … (100 pages): no text layer → " in line
    assert line.endswith(install_command())


def test_a_font_without_unicode_needs_ocr(files, tmp_path, fake_ocr):
    path = files.make_pdf(tmp_path / "a.pdf", ["ABCABC ABC ABCAB"])
    named = b"/BaseFont /Helvetica >>"
    custom = b"/BaseFont /Helvetica /Encoding << /Differences [65 /g01 /g02 /g03] >> >>"
    path.write_bytes(path.read_bytes().replace(named, custom))
    fake_ocr(page_of("사람이 보는 글"))
    (document,) = read(path)
    assert document.text == "사람이 보는 글\n"


@pytest.mark.parametrize(
    ("title", "expected"), [(b"FEFF00410042", "AB"), (b"FEFFD8000041", "The first page")]
)
def test_a_stated_title_that_is_not_unicode_does_not_lose_the_file(
    files, tmp_path, title, expected
):
    path = files.make_pdf(tmp_path / "The_first_page.pdf", ["Rules of the branch"])
    data = path.read_bytes().replace(b"/Helvetica >>", b"/Helvetica /Title <%s> >>" % title)
    path.write_bytes(data.replace(b"/Root 1 0 R", b"/Root 1 0 R /Info 3 0 R"))
    (document,) = read(path)
    assert (document.title, document.text) == (expected, "Rules of the branch\n")


def test_a_chunk_keeps_its_pages_and_its_confidence(files, tmp_path, fake_ocr, build):
    fake_ocr(
        page_of("제1조(목적) 자료를 5년 동안 보관한다.", "제6조(중단) 다음의 경우에 중단한다.")
    )
    folder = tmp_path / "docs"
    folder.mkdir()
    files.make_scan(folder / "세칙.pdf", "st")
    build([folder], tmp_path / "out")
    chunks = {c.path: c for c in read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk)}
    found = {name.split("(")[0]: (c.pages, c.ocr) for name, c in chunks.items()}
    assert found["제1조"] == ("1", "0.90")
    assert found["제6조"] == ("1-2", "0.90")
    assert found["제3장 평가 > 제8조"] == ("2", "")
    card = (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    assert "## Read by OCR" in card
    assert "| docs/세칙.pdf | 1 | 0.90 | 1: 0.90 |" in card


def test_unread_pages_are_in_the_last_lines_the_card_and_the_rejects(
    files, tmp_path, no_ocr, build
):
    folder = tmp_path / "docs"
    folder.mkdir()
    files.make_scan(folder / "혼합.pdf", "ts")
    files.make_scan(folder / "스캔.pdf", "s")
    counts = build([folder], tmp_path / "out")
    command = install_command()
    part = f"docs/혼합.pdf: page 2: no text layer → Tesseract is not installed: {command}"
    whole = f"docs/스캔.pdf: page 1: no text layer → Tesseract is not installed: {command}"
    assert counts.last_lines == (
        "1 of 2 files read, 1 of them only in part, 1 need OCR",
        f"needs OCR: {whole}",
        f"needs OCR: {part}",
    )
    card = (tmp_path / "out" / "card.md").read_text(encoding="utf-8")
    assert "1 of 2 files are read, 1 of them only in part." in card
    shown = markdown_text(part.removeprefix("docs/혼합.pdf: "))
    assert f"| docs/혼합.pdf | needs_ocr | {shown} |" in card
    rejects = [
        (r.id, r.reason, r.record) for r in read_jsonl(tmp_path / "out/rejected.jsonl", Rejected)
    ]
    assert [row[:2] for row in rejects] == [
        ("docs/스캔.pdf", "needs_ocr"),
        ("docs/혼합.pdf", "needs_ocr"),
    ]
    assert '"pages": [2]' in rejects[1][2]


def test_a_pdf_with_a_password_says_so(files, tmp_path):
    path = files.make_pdf(tmp_path / "a.pdf", ["one line"])
    locked = (
        b"/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -3904 "
        b"/O <" + b"ab" * 32 + b"> /U <" + b"cd" * 32 + b"> >> /ID [<00> <00>]"
    )
    path.write_bytes(path.read_bytes().replace(b"/Root 1 0 R", b"/Root 1 0 R " + locked))
    with pytest.raises(UserError, match="encrypted") as error:
        pdf.pdf_to_text(path, LimitSettings())
    assert error.value.remedy == "save it without a password"


def test_a_pdf_with_too_many_pages_is_refused(files, tmp_path):
    path = files.make_pdf(tmp_path / "a.pdf", ["x"] * 30)
    assert refusal(path, pages=20).message == "the PDF has 30 pages, more than 20"


def test_ten_thousand_empty_pages_are_refused_by_their_number_and_without_ocr(files, tmp_path):
    path = files.make_pdf(tmp_path / "a.pdf", [""] * 10_000)
    assert refusal(path).message == "the PDF has 10000 pages, more than 5000"
    assert refusal(path, pages=10_000).message == "the PDF has no text: 10000 blank pages"


def test_a_text_layer_wins_over_ocr_of_the_same_rule(files, tmp_path, fake_ocr, build):
    fake_ocr(page_of("제1조(목적) 흐리게 읽은 글이다."))
    folder = tmp_path / "docs"
    folder.mkdir()
    files.make_scan(folder / "가.pdf", "s")
    (folder / "나.pdf").write_bytes(files.SAMPLE_PDF.read_bytes())
    source = {"path": str(folder), "title": "재해복구 훈련 시행세칙", "as_of": "2026-02-10"}
    build([source], tmp_path / "out")
    assert {c.source for c in read_jsonl(tmp_path / "out" / "chunks.jsonl", Chunk)} == {
        "docs/나.pdf"
    }
    (reject,) = read_jsonl(tmp_path / "out" / "rejected.jsonl", Rejected)
    assert (reject.id, reject.reason) == ("docs/가.pdf", "same_day")


def test_a_damaged_page_is_named_and_the_others_are_read(files, tmp_path):
    path = files.make_pdf(tmp_path / "a.pdf", ["The first page of the rules", "The second page"])
    path.write_bytes(
        path.read_bytes().replace(b"6 0 obj\n<< /Type /Page", b"6 0 obj\n(( /Type /Page")
    )
    (document,) = read(path)
    assert document.text == "The first page of the rules\n"
    assert [one.detail for one in document.pages.unread] == ["page 2: the page is damaged"]
