import pytest

from kofinlaw.augment.reading.tables import AnnexTable
from kofinlaw.data.tables.texts import table_rows


@pytest.fixture
def table():
    """Return how to make a table of an annex from its lines."""

    def make(lines: str, *captions: str, unit: str = "감독규정 별표 7", whole=True) -> AnnexTable:
        rows = [line.strip() for line in lines.strip().split("\n")]
        found = tuple(table_rows(rows))
        header = tuple(rows[n] for n in found[0].header)
        shown = tuple(rows[row.line] for row in found)
        return AnnexTable(
            "감독규정",
            unit,
            "유동화 가중치",
            captions,
            header,
            found[0].columns,
            found,
            shown,
            whole,
        )

    return make
