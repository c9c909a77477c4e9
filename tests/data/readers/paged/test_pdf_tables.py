"""Ruled tables of a PDF."""

from __future__ import annotations

from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_a_ruled_table_in_a_pdf_is_kept_as_rows(files, tmp_path):
    rows = [["Grade", "Owner", "Days"], ["A", "Director of the desk", "3"], ["B", "", "14"]]
    path = files.make_pdf(
        tmp_path / "a.pdf",
        ["The grades of complaints are set in the table\nbelow for every branch of the bank."],
        files.ruled_table(rows),
    )
    (document,) = read(path)
    assert document.text.splitlines()[-4:] == [
        "| Grade | Owner | Days |",
        "| --- | --- | --- |",
        "| A | Director of the desk | 3 |",
        "| B |  | 14 |",
    ]
    assert "branch of the bank." in document.text.split("|")[0]


def test_frames_around_paragraphs_are_no_table(files, tmp_path):
    drawn = "50 300 400 500 re S\n55 700 390 90 re S\n"
    path = files.make_pdf(
        tmp_path / "a.pdf", ["The first line in a frame\nThe second line\nThe third line"], drawn
    )
    assert "|" not in read(path)[0].text
