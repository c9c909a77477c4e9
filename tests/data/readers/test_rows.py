"""JSONL, CSV and Parquet: one document per record."""

from __future__ import annotations

import json
import lzma

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.settings import LimitSettings, SourceSettings


def read(path, **source):
    return list(read_documents(path, SourceSettings(path="x", **source), LimitSettings()))


def test_records_of_tables_become_documents(tmp_path):
    rows = [
        {"제목": "가 지침", "본문": "첫째 본문", "날짜": "20240102"},
        {"제목": "나 지침", "본문": "둘째"},
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in rows), encoding="utf-8")
    one, two = read(path)
    assert (one.title, one.text, one.as_of, one.source) == (
        "가 지침",
        "첫째 본문",
        "2024-01-02",
        "a.jsonl#1",
    )
    assert two.as_of == ""
    csv = tmp_path / "b.csv"
    csv.write_bytes("번호,글\n1,셋째 글\n".encode("cp949"))
    (third,) = read(csv, columns={"text": "글"})
    assert (third.title, third.text) == ("b 1", "셋째 글")
    with pytest.raises(UserError, match="no column 내용"):
        read(csv, columns={"text": "내용"})
    with pytest.raises(UserError, match="no text column"):
        read(csv)


def test_court_decisions_are_laid_out_by_issue(tmp_path):
    row = {
        "사건번호": "2010도1",
        "법원명": "대법원",
        "선고일자": "20101209",
        "사건명": "횡령",
        "판시사항": "[1] 첫째 쟁점\n[2] 둘째 쟁점",
        "판결요지": "[1] 첫째 요지\n[2] 둘째 요지",
        "참조조문": "형법 제356조",
    }
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(lzma.compress(json.dumps(row, ensure_ascii=False).encode()))
    (document,) = read(path)
    assert (document.title, document.kind, document.as_of) == (
        "대법원 2010도1",
        "case",
        "2010-12-09",
    )
    assert "## [2]\n\n판시사항: 둘째 쟁점\n\n판결요지: 둘째 요지" in document.text
    assert "## 참조조문\n\n형법 제356조" in document.text


def test_parquet_is_read(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["본문이다."], "title": ["지침"]}), tmp_path / "a.parquet")
    assert [(d.title, d.text) for d in read(tmp_path / "a.parquet")] == [("지침", "본문이다.")]
