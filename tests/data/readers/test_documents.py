"""Title, kind, day and licence of a document."""

from __future__ import annotations

import pytest

from kofinlaw.data.frontmatter import iso_day
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_front_matter_gives_title_kind_date_and_licence(act):
    (document,) = read(act / "가람법.md")
    assert (document.title, document.kind, document.as_of) == ("가람법", "statute", "2024-07-01")
    assert document.license == "KR-Copyright-Act-Art7"
    assert document.text.startswith("\n# 가람법")
    assert document.id == "가람법"


@pytest.mark.parametrize(
    "value, wanted",
    [
        ("2024-09-15", "2024-09-15"),
        ("20240915", "2024-09-15"),
        ("2024. 9. 5.", "2024-09-05"),
        ("2024년 9월 5일", "2024-09-05"),
        ("2026-03-01T00:00:00Z", "2026-03-01"),
        ("20249915", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_days_are_written_in_one_form(value, wanted):
    assert iso_day(value) == wanted
