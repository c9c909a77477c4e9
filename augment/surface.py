"""Vary the surface of a question: spacing, typos, dropped 조사, politeness level, everyday words.

People do not type as the law is printed. The varied question means the same: figures, quotations,
citations, negations and the words of the answer never change.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from kofinlaw.data.korean.words import tag_text

__all__ = [
    "CHANGES",
    "Change",
    "Span",
    "dropped_particle",
    "everyday",
    "mistyped",
    "politeness",
    "protected_spans",
    "spacing",
    "typo",
    "vary",
]

Span = tuple[int, int]
Change = Callable[[str, list[Span], random.Random], str]

# Citations, quotations, blanks to fill in, figures with their unit, and negations.
_FIXED = (
    re.compile(r"「[^「」]*」"),
    re.compile(r"[\"“][^\"“”]*[\"”]|['‘][^'‘’]*['’]|\(\s*\)"),
    re.compile(r"(?<!\S)\S*\d\S*"),
    re.compile(r"(?<!\S)\S*(?:아니|아닌|않|없|못|금지|제외|틀린|맞지)\S*"),
)
_WORD = re.compile(r"\S+")
_VOWELS, _FINALS = 21, 28
# Vowels that are confused with each other, and those next to each other on the two-set keyboard.
_NEAR_VOWELS = {1: 5, 5: 1, 0: 20, 20: 0, 4: 8, 8: 4, 13: 18, 18: 13, 6: 12, 12: 6}
# Final consonants: doubled instead of single, and lost ones.
_NEAR_FINALS = {1: 2, 2: 1, 19: 20, 20: 19, 4: 0, 21: 0, 16: 0, 8: 0}
_PARTICLES = {"JKO", "JKS"}
_CLOSINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("알맞은 것은?", ("알맞은 것은 무엇입니까?", "알맞은 것은 뭔가요?")),
    ("옳은 것은?", ("옳은 것은 무엇입니까?", "맞는 것은 뭐예요?")),
    ("것은?", ("것은 무엇입니까?", "것은 뭔가요?")),
    ("하여야 하는가?", ("하여야 합니까?", "해야 하나요?")),
    ("해야 하는가?", ("해야 합니까?", "해야 하나요?")),
    ("아니 되는가?", ("아니 됩니까?", "안 되나요?")),
    ("수 있는가?", ("수 있습니까?", "수 있나요?")),
    ("하는가?", ("합니까?", "하나요?")),
    ("되는가?", ("됩니까?", "되나요?")),
    ("있는가?", ("있습니까?", "있나요?")),
    ("인가?", ("입니까?", "인가요?")),
    ("설명하시오.", ("설명하여 주십시오.", "설명해 주세요.")),
    ("서술하시오.", ("서술하여 주십시오.", "써 주세요.")),
)
# Patterns of official words, and everyday words that mean the same and take the same particles.
_EVERYDAY: tuple[tuple[str, str], ...] = (
    (r"다음 빈칸에 알맞은", "빈칸에 들어갈 알맞은"),
    (r"에 관한 설명으로", "에 대한 설명 중"),
    (r"에 따르면,", "에서는"),
    (r"통지하여야", "알려야"),
    (r"교부하여야", "내줘야"),
    (r"징구하여야", "받아야"),
    (r"하여야", "해야"),
    (r"하는 때에는", "할 때는"),
    (r"(?<!위)(?<!대)한 때에는", "했을 때는"),
    (r"경우에는", "경우"),
    (r"(?<![가-힣])성명(?!서)", "이름"),
    (r"(?<![가-힣])익일", "다음 날"),
    (r"(?<![가-힣])금원", "돈"),
    (r"(?<![가-힣])타인", "다른 사람"),
    (r"(?<![가-힣])자신의", "자기"),
    (r"(?<![가-힣])부득이한", "어쩔 수 없는"),
)


def protected_spans(text: str, keep: Sequence[str]) -> list[Span]:
    """Return (start, end) of what may not change: fixed patterns, and all words of `keep`."""
    spans = [match.span() for fixed in _FIXED for match in fixed.finditer(text)]
    words = {w.strip(".,?()") for phrase in keep for w in [phrase, *phrase.split()]}
    for word in words:
        if len(word) > 1:
            spans += [match.span() for match in re.finditer(re.escape(word), text)]
    return sorted(spans)


def _free(start: int, end: int, spans: Sequence[Span]) -> bool:
    """Return whether no span overlaps the text from `start` to `end`."""
    return all(end <= first or start >= last for first, last in spans)


def spacing(text: str, spans: list[Span], rng: random.Random) -> str:
    """Remove one space between two words that may change."""
    choices = [
        match.start()
        for match in re.finditer(r"(?<=[가-힣]) (?=[가-힣])", text)
        if _free(match.start() - 1, match.end() + 1, spans)
    ]
    if not choices:
        return text
    position = rng.choice(choices)
    return text[:position] + text[position + 1 :]


def typo(text: str, spans: list[Span], rng: random.Random) -> str:
    """Mistype one vowel or final consonant of a word of three or more letters."""
    choices = [
        position
        for match in _WORD.finditer(text)
        if len(match[0]) >= 3 and _free(*match.span(), spans)
        for position in range(match.start(), match.end() - 1)
        if "가" <= text[position] <= "힣" and mistyped(text[position])
    ]
    if not choices:
        return text
    position = rng.choice(choices)
    return text[:position] + rng.choice(mistyped(text[position])) + text[position + 1 :]


def mistyped(syllable: str) -> list[str]:
    """Return the syllable with a mistyped vowel or a mistyped final consonant."""
    code = ord(syllable) - ord("가")
    lead, rest = divmod(code, _VOWELS * _FINALS)
    vowel, final = divmod(rest, _FINALS)
    out = []
    if vowel in _NEAR_VOWELS:
        out.append((lead, _NEAR_VOWELS[vowel], final))
    if final in _NEAR_FINALS:
        out.append((lead, vowel, _NEAR_FINALS[final]))
    return [chr(ord("가") + (a * _VOWELS + b) * _FINALS + c) for a, b, c in out]


def dropped_particle(text: str, spans: list[Span], rng: random.Random) -> str:
    """Leave out one 을/를 or 이/가 after a noun."""
    choices = [
        (start, end)
        for _, tag, start, end in tag_text(text)
        if tag in _PARTICLES and text[end : end + 1] == " " and _free(start - 1, end, spans)
    ]
    if not choices:
        return text
    start, end = rng.choice(choices)
    return text[:start] + text[end:]


def politeness(text: str, spans: list[Span], rng: random.Random) -> str:
    """Change the closing to 합쇼체 or 해요체."""
    for plain, others in _CLOSINGS:
        start = len(text) - len(plain)
        if text.endswith(plain) and _free(start, start + len(plain) - 1, spans):
            return text[:start] + rng.choice(others)
    return text


def everyday(text: str, spans: list[Span], rng: random.Random) -> str:
    """Replace one official word by an everyday word."""
    choices = [
        (match.span(), plain)
        for official, plain in _EVERYDAY
        for match in re.finditer(official, text)
        if _free(*match.span(), spans)
    ]
    if not choices:
        return text
    (start, end), plain = rng.choice(choices)
    return text[:start] + plain + text[end:]


# The names are part of the records (`surface_manners`).
CHANGES: dict[str, Change] = {
    "spacing": spacing,
    "typo": typo,
    "particle": dropped_particle,
    "manners": politeness,
    "everyday": everyday,
}


def vary(
    text: str,
    keep: Sequence[str],
    rng: random.Random,
    *,
    changes: Sequence[str] = tuple(CHANGES),
    most: int = 2,
) -> tuple[str, tuple[str, ...]]:
    """Return (the question with one to `most` changes, their names); unchanged where none applies.

    The words of `keep` do not change: the answer, the options, keywords.
    """
    wanted = rng.sample(list(changes), k=len(changes))
    applied: list[str] = []
    count = rng.randint(1, most)
    for name in wanted:
        if len(applied) == count:
            break
        new = CHANGES[name](text, protected_spans(text, keep), rng)
        if new != text:
            text = new
            applied.append(name)
    return text, tuple(applied)
