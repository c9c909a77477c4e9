"""Rows and separators of Markdown tables; separators are not words of a text."""

from __future__ import annotations

import pytest

from kofinlaw.data.chunking import chunk_document
from kofinlaw.data.readers.documents import make_document
from kofinlaw.data.settings import ChunkSettings, SourceSettings
from kofinlaw.data.table_rows import is_row, is_separator


@pytest.mark.parametrize(
    "line",
    ["| --- | --- |", "|---|---|", "--- | ---", "|:--|--:|:-:|", "  | --- |", "---", "|-|-|"],
)
def test_separators(line):
    assert is_separator(line)


@pytest.mark.parametrize(
    "line", ["| 가 | -- |", "- 은행", "-", "| 가 |", "", "|  |", "2 - 3", "–––"]
)
def test_other_lines_are_no_separators(line):
    assert not is_separator(line)


def test_rows():
    assert is_row("| 가 | 나 |")
    assert not is_row("| 가 |")


def chunk_texts(text, kind=None, limit=1024):
    document = make_document(text, SourceSettings(path="x", kind=kind), "x.md", "markdown", {})
    done = chunk_document(document, ChunkSettings(max_tokens=limit))
    return [chunk.text for chunk in done.chunks], [article.text for article in done.articles]


@pytest.mark.parametrize("kind", ["rule", "guideline", "manual"])
@pytest.mark.parametrize("limit", [64, 1024])
def test_no_separator_reaches_a_chunk_or_an_article(kind, limit):
    rows = "\n".join(f"| 영업점장 | {n}억원 이하의 여신을 결정한다 |" for n in range(1, 9))
    table = f"| 직위 | 전결권 |\n| --- | :---: |\n{rows}"
    text = (
        f"# 여신 규정\n\n제1조(목적) 이 규정은 여신의 심사를 정한다.\n\n"
        f"제2조(전결권) ① 전결권은 다음 표와 같다.\n\n{table}\n\n② 영업점장은 보고하여야 한다.\n"
    )
    chunks, articles = chunk_texts(text, kind, limit)
    assert "영업점장 | 8억원" in "\n".join(chunks)
    assert not any("---" in words for words in (*chunks, *articles))
