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


def test_merged_cells_of_a_ruled_table_keep_their_words(files, tmp_path):
    def line(x, y, x2, y2):
        return f"{x} {y} m {x2} {y2} l S\n"

    def shown(x, y, text):
        return f"BT /F1 10 Tf {x} {y} Td ({text}) Tj ET\n"

    frame = line(60, 600, 360, 600) + line(60, 540, 360, 540) + line(160, 580, 360, 580)
    frame += line(160, 560, 360, 560) + line(60, 600, 60, 540) + line(160, 600, 160, 540)
    frame += line(260, 580, 260, 540) + line(360, 600, 360, 540)
    words = shown(64, 566, "Grade") + shown(225, 586, "Fees of the branch")
    words += (
        shown(164, 566, "Desk")
        + shown(264, 566, "Online")
        + shown(164, 546, "500")
        + shown(264, 546, "0")
    )
    (document,) = read(files.make_pdf(tmp_path / "a.pdf", [""], frame + words))
    assert document.text.splitlines() == [
        "| Grade | Fees of the branch | Fees of the branch |",
        "| --- | --- | --- |",
        "| Grade | Desk | Online |",
        "| Grade | 500 | 0 |",
    ]
