"""Weigh the words of a question: names of things count most, words that only ask do not count."""

from __future__ import annotations

from collections.abc import Sequence

from kofinlaw.data.korean.words import CONTENT_TAGS, bigrams, tag_text

__all__ = ["ASKING", "question_words"]

# Words that ask, and words of time, amount and duty that any question may have.
_ASKING_WORDS = """
몇 무엇 뭐 뭔 어디 언제 얼마 누구 어떻 어떠하 어떠 어느 무슨 왜 어떤 얼마나 어때 며칠 설명
내용 방법 답 답변 이유 질문 궁금 알 알리 되 하 있 없 않 안 못 가능 경우 때 수 것 거 점 데 중
후 전 뒤 다음 등 바 보 좀 더 및 최대 최소 정도 한도 기간 기한 요건 조건 기준 절차 대상 규정
정하 필요 말 말하 대하 위하 따르 관하 의하 년 월 일 개월 개년 시간 분 원 번 회 차례 명 살 세
퍼센트 프로 % 까지 받 주 해 오 가 두 쓰 내 제 조 항 호 목 별표 해당 관련 이 그 저 어 줄 뭐라
어찌 싶 위 각 또 만약 혹시
"""
ASKING = frozenset(_ASKING_WORDS.split())
# Verbs, adverbs and numbers differ between a question and the provision that answers it.
_WEIGHTS = {"VV": 0.4, "VA": 0.4, "MAG": 0.3, "NNB": 0.3, "NR": 0.3, "SN": 0.3, "XR": 0.7}


def question_words(text: str, kind: str = "kiwi") -> dict[str, float]:
    """Return the words of a question that name its subject, each with a weight from 0 to 1.

    `kind` says how the index splits words: `kiwi` (content morphemes) or `bigram`.
    """
    if kind != "kiwi":
        return dict.fromkeys(bigrams(_without_asking(text)), 1.0)
    out: dict[str, float] = {}
    for form, tag, _, _ in tag_text(text):
        word = form.lower()
        if tag in CONTENT_TAGS and word not in ASKING:
            out[word] = max(out.get(word, 0.0), _WEIGHTS.get(tag, 1.0))
    return out


def _without_asking(text: str) -> str:
    """Return the text without the words that only ask, for indexes of bigrams."""
    kept: Sequence[str] = [
        text[start:end]
        for form, tag, start, end in tag_text(text)
        if tag in CONTENT_TAGS and form.lower() not in ASKING
    ]
    return " ".join(kept)
