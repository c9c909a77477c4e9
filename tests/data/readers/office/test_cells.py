"""Limits of tables: a small file cannot fill the memory with repeated cells."""

from __future__ import annotations

import zipfile

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.office.cells import checked_rows
from kofinlaw.data.readers.office.docx import docx_to_markdown


def test_rows_get_the_same_length():
    assert checked_rows(iter([["가"], ["나", "다"]])) == [["가", ""], ["나", "다"]]


@pytest.mark.parametrize("row", [["가"] * 1000, ["가" * 100_000]])
def test_rows_behind_the_limit_are_not_read(row):
    rows = iter([row] * 5000)
    with pytest.raises(UserError, match="a table has more than"):
        checked_rows(rows)
    assert len(list(rows)) > 3900


def test_a_wide_row_of_a_docx_file_is_refused(tmp_path):
    cell = '<w:tc><w:tcPr><w:gridSpan w:val="1000"/></w:tcPr><w:p><w:r><w:t>가</w:t></w:r></w:p></w:tc>'
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    with zipfile.ZipFile(tmp_path / "a.docx", "w") as archive:
        archive.writestr(
            "_rels/.rels", f'<R><R Id="a" Type="{kind}" Target="word/document.xml"/></R>'
        )
        archive.writestr(
            "word/document.xml",
            f'<w:document xmlns:w="w"><w:body><w:tbl><w:tr>{cell * 11}</w:tr></w:tbl></w:body></w:document>',
        )
    with pytest.raises(UserError, match="more than 10000 columns"):
        docx_to_markdown(tmp_path / "a.docx", 8)
