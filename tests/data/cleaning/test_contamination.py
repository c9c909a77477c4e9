"""Protected texts inside other texts."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.data.cleaning import contamination

QUESTION = "전자금융거래법상 이용자의 고의나 중대한 과실이 없는 경우 손해배상 책임을 지는 자는 누구인가?\n은행\n이용자"


LONG = (
    "금융회사는 전자금융거래가 안전하게 처리될 수 있도록 선량한 관리자로서의 주의를 다하여야 하며, "
    "접근매체의 위조나 변조로 사고가 발생한 때에는 이용자에게 지체 없이 알리고 그 손해를 배상하여야 한다. "
    "이용자는 접근매체를 도난당한 사실을 안 때에는 즉시 그 사실을 신고하여야 한다."
)


def test_a_question_inside_another_text_is_found_despite_spacing():
    texts = [
        "은행은 이용자의 고의나 중대한 과실이 없는 경우 책임을 진다.",
        "기출: " + QUESTION.replace(" ", "").replace("\n", " / ") + " 정답은 1번",
        "",
    ]
    hits = contamination.overlap(texts, ["짧은 글", QUESTION])
    assert [(h.text, h.protected, h.share) for h in hits] == [(1, 1, 1.0)]


def test_a_near_duplicate_is_found_though_its_edits_break_many_long_runs():
    copy = LONG.replace("관리자로서", "관리자로써").replace("손해를", "손실을")
    hits = contamination.overlap([copy, LONG[:40], LONG * 3], [LONG])
    assert [(h.text, h.protected) for h in hits] == [(0, 0), (2, 0)]
    ours, theirs = contamination.normalise(copy), contamination.normalise(LONG)
    long_runs = {theirs[n : n + 13] for n in range(len(theirs) - 12)}
    assert sum(run in ours for run in long_runs) / len(long_runs) < 0.8
    first, second = ({text[n : n + 5] for n in range(len(text) - 4)} for text in (ours, theirs))
    assert hits[0].share == round(len(first & second) / len(first | second), 4)


@given(
    st.text(alphabet="가나다라마바사아자차카타파하", min_size=26, max_size=120),
    st.lists(st.tuples(st.integers(0, 119), st.sampled_from(["", "거", "너더"])), max_size=5),
)
@example("가가가가가가가가가가가가가가가가나가가가나가가가가가", [(16, "")])
def test_every_near_duplicate_is_found(text, edits):
    copy = list(text)
    for position, new in edits:
        copy[position % len(copy)] = new
    ours = "".join(copy)
    first, second = ({t[n : n + 5] for n in range(len(t) - 4)} for t in (ours, text))
    similarity = len(first & second) / len(first | second) if first | second else 0
    hits = contamination.overlap([ours], [text])
    if similarity >= contamination.THRESHOLD:
        assert hits
        assert hits[0].share >= round(similarity, 4)


def test_a_short_protected_text_counts_only_if_the_texts_are_equal():
    hits = contamination.overlap(["은행법은?", "은행법은 무엇인가? 은행법은?"], ["은행법은"])
    assert [(h.text, h.protected) for h in hits] == [(0, 0)]


def test_protected_files_are_read_by_question_and_options(tmp_path):
    (tmp_path / "q.jsonl").write_text(
        '{"id": "1", "question": "물음", "options": ["가", "나"]}\n', encoding="utf-8"
    )
    (tmp_path / "q.csv").write_bytes('ID,Question\nT1,"물음 둘\n1 가"\n'.encode("cp949"))
    (tmp_path / "q.txt").write_text("첫 문단\n\n둘째 문단\n", encoding="utf-8")
    assert contamination.read_protected(tmp_path / "q.jsonl") == ["물음\n가\n나"]
    assert contamination.read_protected(tmp_path / "q.csv") == ["물음 둘\n1 가"]
    assert contamination.read_protected(tmp_path / "q.txt") == ["첫 문단", "둘째 문단"]
    with pytest.raises(UserError, match="cannot be read"):
        contamination.read_protected(tmp_path / "none.jsonl")
