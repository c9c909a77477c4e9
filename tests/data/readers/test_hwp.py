"""HWP 5, with the extra."""

from __future__ import annotations

import pytest

from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_hwp_5_written_by_another_library_is_read_with_its_table(tmp_path):
    pytest.importorskip("hwp_hwpx_parser")
    writer = pytest.importorskip("hwp_converter_ai")
    path = tmp_path / "민원 편람.hwp"
    text = "# 민원 편람\n\n## 접수\n\n창구에서 민원을 받아 당일에 적는다.\n\n"
    text += (
        "| 등급 | 책임자 |\n| --- | --- |\n| 가 | 부장 |\n| 나 | 과장 |\n\n처리 기한은 14일이다.\n"
    )
    writer.HwpWriter().from_markdown(text, path)
    (document,) = read(path)
    assert document.title == "민원 편람"
    assert [line for line in document.text.splitlines() if line.strip()] == [
        "민원 편람",
        "접수",
        "창구에서 민원을 받아 당일에 적는다.",
        "| 등급 | 책임자 |",
        "| --- | --- |",
        "| 가 | 부장 |",
        "| 나 | 과장 |",
        "처리 기한은 14일이다.",
    ]
