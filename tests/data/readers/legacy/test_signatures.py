"""A file whose content is of another format than its name is refused with the right ending."""

from __future__ import annotations

from pathlib import Path

import docx
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.readers.formats import READERS, read_documents
from kofinlaw.data.readers.legacy.signatures import refuse_other_format

TEXT = "제1조(목적) 이 요령은 우산의 보관을 정한다.\n"


def office_file(folder: Path, kind: str) -> Path:
    path = folder / f"원본.{kind}"
    if kind == "docx":
        document = docx.Document()
        document.add_paragraph(TEXT)
        document.save(str(path))
    else:
        book = openpyxl.Workbook()
        book.worksheets[0].append(["물품", "수량"])
        book.save(path)
    return path


@pytest.mark.parametrize("suffix", [".pdf", ".txt", ".csv", ".html", ".hwpx", ".xlsx"])
def test_a_word_file_with_another_ending_names_its_own(tmp_path: Path, suffix: str) -> None:
    path = office_file(tmp_path, "docx").rename(tmp_path / f"규정{suffix}")
    with pytest.raises(UserError, match="that of a DOCX file") as error:
        list(read_documents(path))
    assert error.value.remedy == "give it the ending .docx"


def test_a_workbook_saved_as_csv_names_its_own_ending(tmp_path: Path) -> None:
    path = office_file(tmp_path, "xlsx").rename(tmp_path / "재고.csv")
    with pytest.raises(UserError, match="that of an XLSX file"):
        list(read_documents(path))


@pytest.mark.parametrize("suffix", [".txt", ".md", ".docx", ".xlsx"])
@pytest.mark.parametrize(
    ("mark", "ending"), [(b"%PDF-1.7\n", ".pdf"), (b"\x89PNG\r\n\x1a\n", ".png")]
)
def test_pages_and_pictures_are_not_read_as_texts(
    tmp_path: Path, suffix: str, mark: bytes, ending: str
) -> None:
    path = tmp_path / f"문서{suffix}"
    path.write_bytes(mark + b"\0" * 20)
    with pytest.raises(UserError) as error:
        list(read_documents(path))
    assert error.value.remedy == f"give it the ending {ending}"


def test_a_picture_with_the_ending_of_another_picture_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "약도.jpg"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    refuse_other_format(path, ".jpg")


@given(suffix=st.sampled_from(sorted(READERS)), text=st.text(min_size=1, max_size=40))
def test_texts_pass_under_every_ending(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, text: str
) -> None:
    path = tmp_path_factory.mktemp("s") / "글"
    path.write_text("조항 " + text, encoding="utf-8")
    refuse_other_format(path, suffix)


@pytest.mark.parametrize("suffix", [".txt", ".md", ".csv", ".pdf", ".docx", ".jsonl"])
@pytest.mark.parametrize(
    "start",
    [
        "<!DOCTYPE html>\n<html>",
        "\ufeff\n <HTML lang='ko'>",
        '<?xml version="1.0" encoding="UTF-8"?>\n<!doctype HTML PUBLIC "-//W3C//DTD XHTML">',
    ],
)
def test_a_web_page_with_another_ending_names_its_own(
    tmp_path: Path, suffix: str, start: str
) -> None:
    path = tmp_path / f"게시판{suffix}"
    path.write_text(f"{start}<body><p>{TEXT}</p></body></html>", encoding="utf-8")
    with pytest.raises(UserError, match="that of a web page") as error:
        list(read_documents(path))
    assert error.value.remedy == "give it the ending .html"


@pytest.mark.parametrize("text", ["<html5> 태그를 쓰는 규칙", "예: <html> 로 시작한다.", "<별표>"])
def test_a_text_that_only_names_a_tag_is_no_web_page(tmp_path: Path, text: str) -> None:
    path = tmp_path / "글.txt"
    path.write_text(f"{text}\n{TEXT}", encoding="utf-8")
    assert text.split()[0] in next(iter(read_documents(path))).text
