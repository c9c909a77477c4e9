"""Two corpora compared article by article."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.data.corpus_diff import Changes, compare_corpora


def test_two_corpora_are_compared_article_by_article(build, act, tmp_path):
    build([act], tmp_path / "one")
    path = act / "가람법.md"
    text = path.read_text(encoding="utf-8")
    text = text.replace("권리를", "권익을").replace("제3조 (수수료)", "제3조 (요금)")
    head, _, tail = text.partition("##### 제2조")
    text = head + "##### 제2조\n\n삭제 <2025.1.1>\n\n##### 제3조" + tail.partition("##### 제3조")[2]
    path.write_text(text + "\n##### 제4조 (벌칙)\n\n과태료를 부과한다.\n", encoding="utf-8")
    build([act], tmp_path / "two")
    assert compare_corpora(tmp_path / "one", tmp_path / "two") == Changes(
        added=("가람법 제4조",),
        amended=("가람법 제1조",),
        repealed=("가람법 제2조",),
        moved=("가람법 제3조",),
        same=0,
    )
    assert compare_corpora(tmp_path / "one", tmp_path / "one").same == 3
    with pytest.raises(UserError, match="no such file"):
        compare_corpora(tmp_path / "one", tmp_path / "none")
