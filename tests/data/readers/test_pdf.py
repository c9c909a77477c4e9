"""PDF text layers: running heads, scans, page limits."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_a_pdf_loses_its_running_heads_and_page_numbers(files, tmp_path):
    long = "A line that goes all the way to the right margin of the page, the"
    pages = [f"Rulebook of the bank\n- {n} -\n{long}\nbody of page {n}." for n in (1, 2, 3)]
    (document,) = read(files.make_pdf(tmp_path / "a.pdf", pages))
    assert [line for line in document.text.splitlines() if line] == [
        f"{long} body of page {n}." for n in (1, 2, 3)
    ]


def refuse(path, match, **limits):
    with pytest.raises(UserError, match=match):
        list(read_documents(path, SourceSettings(path="x"), LimitSettings(**limits)))


def test_a_scanned_pdf_says_that_it_is_one(files, tmp_path):
    refuse(
        files.make_pdf(tmp_path / "a.pdf", ["", "", ""]), "a scan: no text layer on 3 of 3 pages"
    )


def test_a_pdf_with_too_many_pages_is_refused(files, tmp_path):
    refuse(files.make_pdf(tmp_path / "a.pdf", ["x"] * 30), "has 30 pages, more than 20", pages=20)


def test_ten_thousand_empty_pages_are_refused_by_their_number_and_as_a_scan(files, tmp_path):
    path = files.make_pdf(tmp_path / "a.pdf", [""] * 10_000)
    refuse(path, "has 10000 pages, more than 5000")
    refuse(path, "a scan: no text layer on 10000 of 10000 pages", pages=10_000)
