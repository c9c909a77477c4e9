"""Correct the name of a document, and the word 조, where one letter (자모) of them is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["correct_names", "one_letter_apart"]

_SHORTEST = 4  # syllables of a title that may be misspelt
_FIRST, _FINALS, _VOWELS = ord("가"), 28, 21
# `제7죠`, `졔7조`: an article's number with one wrong letter in the words around it. These are
# words of their own: 제3호, 제3자, 제1종, 제1주, 제1차, 제1도, 제2부.
_NUMBERED = re.compile(r"([가-힣])(\s*\d+\s*)([가-힣])")
_OTHER_WORDS = frozenset("호자종주차도부")


def one_letter_apart(one: str, other: str) -> bool:
    """Return whether two syllables differ in exactly one of initial, vowel and final."""
    if not ("가" <= one <= "힣" and "가" <= other <= "힣"):
        return False
    return sum(a != b for a, b in zip(_letters(one), _letters(other), strict=True)) == 1


def _letters(syllable: str) -> tuple[int, int, int]:
    place = ord(syllable) - _FIRST
    return (
        place // (_FINALS * _VOWELS),
        place // _FINALS % _VOWELS,
        place % _FINALS,
    )


def correct_names(text: str, titles: Iterable[str]) -> str:
    """Return the text with the one misspelt title in it corrected, and the word 조 after it.

    A title counts if the text has it with exactly one syllable that differs in one letter, in any
    spacing. A text that has the title of a document as it is written, changes only in 조.
    """
    places = [place for place, character in enumerate(text) if not character.isspace()]
    flat = "".join(text[place] for place in places)
    best: tuple[int, int, str] | None = None
    ends: list[int] = []
    for title in titles:
        name = re.sub(r"\s", "", title)
        if (exact := flat.find(name)) >= 0:
            ends.append(places[exact + len(name) - 1] + 1)
            continue
        start = _misspelt(flat, name) if len(name) >= _SHORTEST else -1
        if start >= 0 and (best is None or len(name) > best[1]):
            best = (start, len(name), title)
    if ends:
        return _correct_article(text, max(ends))
    if best is None:
        return text
    start, length, title = best
    first, last = places[start], places[start + length - 1] + 1
    return _correct_article(text[:first] + title + text[last:], first + len(title))


def _misspelt(flat: str, name: str) -> int:
    """Return where the text has the name with one wrong letter; -1 if it has not."""
    half = len(name) // 2
    starts = [flat.find(name[:half]), flat.find(name[half:]) - half]
    for start in starts:
        if start < 0 or start + len(name) > len(flat):
            continue
        window = flat[start : start + len(name)]
        wrong = [place for place in range(len(name)) if window[place] != name[place]]
        if len(wrong) == 1 and one_letter_apart(window[wrong[0]], name[wrong[0]]):
            return start
    return -1


def _correct_article(text: str, after: int) -> str:
    """Return the text with `제7죠` or `졔7조` right after a title as `제7조`."""
    match = _NUMBERED.search(text, after)
    if match is None or len(text[after : match.start()].strip(" 」』\"'의")) > 0:
        return text
    opening, _, closing = match.groups()
    right = (opening == "제", closing == "조")
    if right == (True, False) and closing not in _OTHER_WORDS and one_letter_apart(closing, "조"):
        return f"{text[: match.end() - 1]}조{text[match.end() :]}"
    if right == (False, True) and one_letter_apart(opening, "제"):
        return f"{text[: match.start()]}제{text[match.start() + 1 :]}"
    return text
