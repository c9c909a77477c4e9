"""Make questions from the passages of a corpus, by rule, to set its floor.

Half of the questions are the end of a sentence turned into a question (`대응반에 알려야 하나요?`).
The other half have two to four names of things that a sentence or its heading mentions. Users ask
in other words than the documents, so some words are replaced by plain ones, and some are left out.
Otherwise the floor would be set by copies of the text, and would refuse users.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kofinlaw.data.korean.words import josa, sentences
from kofinlaw.rag.abstention.names import names_of
from kofinlaw.rag.abstention.plain_terms import plain_term
from kofinlaw.rag.abstention.question_words import ASKING
from kofinlaw.records import Chunk

__all__ = ["MadeQuestion", "make_questions"]

ROUNDS = 4  # questions on one passage, at most
REPLACED = 0.5  # of the names that have another word
LEFT_OUT = 0.3  # of the questions lose one name
WITH_HEADING = 0.7  # of the questions name their subject by the heading
AS_SENTENCE = 0.5  # of the questions are the end of a sentence
COMMON_NAME = 0.1  # a name in more passages than this share is not specific
_ENDINGS = (
    "언제까지 해야 하나요?", "어떻게 하나요?", "누가 하나요?", "얼마인가요?", "알려 주세요",
    "할 수 있나요?", "무엇인가요?", "몇 번 해야 해요?", "어떻게 되나요?", "꼭 해야 하나요?",
)  # fmt: skip
# Names that say nothing about the subject.
_EMPTY_WORDS = """
경우 사항 다음 호의 각호 이상 이하 미만 초과 이내 내용 방법 기준 절차 규정 이후 이전 해당 관련
필요 사람 사실 때문 목적 적용 사용 경우에 그밖 이용 결과 이유 구분 대상 방식 포함 가능 제외
추가 기타 비고 합계 목록 동안 기간 기한
"""
_EMPTY = frozenset(_EMPTY_WORDS.split())
_SHORTEST_SENTENCE = 15  # characters
_NOT_A_HEADING = re.compile(r"^(?:총칙|부칙|목적|정의|적용|시행일|삭제|개요)")
_HEADING = re.compile(r"조(?:의\d+)?\s*\(([^()]{2,40})\)|>\s*(?:[\d.]+\s*)?([^>]{2,40})$")


@dataclass(frozen=True)
class MadeQuestion:
    """A question that one passage answers, given by the passage's row."""

    text: str
    row: int


def make_questions(
    chunks: Sequence[Chunk], count: int, rarity: Callable[[str], float], seed: int = 0
) -> list[MadeQuestion]:
    """Return at most `count` different questions, in an order drawn by `seed`.

    Args:
        chunks: The passages, by row. Every document gets a question before one gets two. A passage
            is used again (at most ROUNDS times) only if the corpus is small.
        count: Most questions.
        rarity: Share of the passages, 0..1, that a name (a piece of text) is in.
        seed: The same seed gives the same questions.
    """
    draw = random.Random(seed)
    rows: dict[str, list[int]] = {}
    for row, chunk in enumerate(chunks):
        rows.setdefault(chunk.title, []).append(row)
    for found in rows.values():
        draw.shuffle(found)
    titles = sorted(rows)
    draw.shuffle(titles)
    rounds = min(ROUNDS, math.ceil(2 * count / max(1, len(chunks))))
    waiting = {title: rows[title] * rounds for title in titles}
    out: dict[str, MadeQuestion] = {}
    while waiting and len(out) < count:
        for title in list(waiting):
            if not waiting[title]:
                del waiting[title]
                continue
            row = waiting[title].pop(0)
            text = _question(chunks[row], rarity, draw)
            if text and len(out) < count:
                out.setdefault(text, MadeQuestion(text, row))
    return list(out.values())


def _question(chunk: Chunk, rarity: Callable[[str], float], draw: random.Random) -> str:
    """Return a question on the passage; empty where it names nothing that is specific."""
    body = chunk.text.partition("\n")[2] or chunk.text
    lines = [line for line in sentences(body) if len(line) >= _SHORTEST_SENTENCE]
    if not lines:
        return ""
    line = draw.choice(lines)
    heading = _heading(chunk)
    subject = draw.choice(heading) if heading and draw.random() < WITH_HEADING else ""
    question = ""
    if draw.random() < AS_SENTENCE:
        question = _asked(line, subject, draw)
    question = question or _asked_names(line, subject, draw)
    specific = {name for name in _names(question) if rarity(name) <= COMMON_NAME}
    return question if len(specific) >= (1 if subject else 2) else ""


def _asked_names(line: str, subject: str, draw: random.Random) -> str:
    """Return a question of two to four names; empty where the sentence has too few."""
    names = _names(line)
    wanted = draw.choice((2, 2, 3, 3, 4))
    start = draw.randrange(max(1, len(names) - wanted + 1))
    names = names[start : start + wanted]
    if subject:
        names = [subject, *names[: wanted - 1]]
    names = list(dict.fromkeys(names))
    if len(names) > 2 and draw.random() < LEFT_OUT:
        names.pop(draw.randrange(len(names)))
    if len(names) < 2:
        return ""
    said = [_said(name, draw) for name in names]
    return f"{' '.join(said[:-1])} {josa(said[-1], '은/는')} {draw.choice(_ENDINGS)}"


def _said(word: str, draw: random.Random) -> str:
    return plain_term(word) if draw.random() < REPLACED else word


def _asked(line: str, subject: str, draw: random.Random) -> str:
    """Return the end of a sentence as a question; empty where the sentence does not end in `다`."""
    words = [
        word
        for word in _MARKS.sub("", line).split()
        if not _DIGIT.search(word) and word not in _LINKS
    ]
    if len(words) < _FEWEST_WORDS or (ending := _question_ending(words[-1])) is None:
        return ""
    kept = words[-draw.choice((4, 5, 6, 7)) : -1]
    if len(kept) > 3 and draw.random() < LEFT_OUT:
        kept.pop(draw.randrange(len(kept) - 1))
    said = [_said(word, draw) for word in kept]
    if subject and subject not in " ".join(kept):
        said = [josa(_said(subject, draw), "은/는"), *said]
    return " ".join([*said, ending])


_FEWEST_WORDS = 4
_LINKS = frozenset(
    ["또는", "다만", "그", "및", "이", "같은", "다음", "각", "호의", "경우", "때에는"]
)
_DIGIT = re.compile(r"\d")
_MARKS = re.compile(r"[\"'“”‘’「」,]|\([^()]*\)")
_FINAL_N, _FINALS, _FIRST = 4, 28, ord("가")


def _question_ending(word: str) -> str | None:
    """Return the last word of a statement as a question: `한다.` gives `하나요?`."""
    stem = word.rstrip(".")
    if len(stem) < 2 or not stem.endswith("다") or not "가" <= stem[-2] <= "힣":
        return None
    if stem.endswith("니다"):
        return f"{stem[:-1]}까?"
    if stem.endswith("는다"):
        return f"{stem[:-2]}나요?"
    last = ord(stem[-2])
    if (last - _FIRST) % _FINALS == _FINAL_N:
        return f"{stem[:-2]}{chr(last - _FINAL_N)}나요?"
    return f"{stem[:-1]}나요?"


def _heading(chunk: Chunk) -> list[str]:
    first = chunk.text.partition("\n")[0]
    match = _HEADING.search(first) or _HEADING.search(chunk.unit)
    heading = (match.group(1) or match.group(2)).strip() if match else ""
    return [] if _NOT_A_HEADING.match(heading) else _names(heading)


def _names(text: str) -> list[str]:
    found = ("".join(name) for name in names_of(text))
    return [name for name in found if len(name) > 1 and name not in _EMPTY and name not in ASKING]
