"""Look options up in the shown text: longest verbatim run, filled blanks, nearest to the quotation.

The solver knows nothing about law. It answers questions whose right option, or whose stem with the
right option filled in, is a string of the text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

__all__ = ["look_up_scores", "normalised", "shared_run"]

# Nearness only decides between options whose runs cover the same share.
NEARNESS = 1e-4
_IGNORED = re.compile(r"[^0-9A-Za-z가-힣一-鿿%.]|(?<!\d)\.|\.(?!\d)")
_BLANK = re.compile(r"\(\s*\)|（\s*）|\[\s*\]|_{2,}")
_QUOTED = re.compile(r"[\"“]([^\"“”]{2,})[\"”]|['‘]([^'‘’]{2,})['’]")
_PARTICLES = ("은", "는", "이", "가", "을", "를", "과", "와", "으로", "로")
_BLANK_PARTICLE = re.compile(
    r"\s*(?:은\(는\)|이\(가\)|을\(를\)|과\(와\)|\(으\)로|은|는|이|가|을|를|과|와|으로|로)?"
)


@lru_cache(maxsize=20_000)
def normalised(text: str) -> str:
    """Return only the letters, digits, decimal points and percent signs of a text, lower case."""
    return _IGNORED.sub("", unicodedata.normalize("NFC", text)).lower()


def shared_run(text: str, other: str) -> str:
    """Return the longest run of characters of `text` that `other` contains; the first of equals."""
    length, at, start = 0, 0, 0
    while start + length < len(text):
        if text[start : start + length + 1] in other:
            length, at = length + 1, start
        else:
            start += 1
    return text[at : at + length]


def look_up_scores(
    stem: str, options: Sequence[str], texts: Sequence[str], *, negative: bool = False
) -> list[float]:
    """Return a score of each option, of which the largest is chosen.

    - A stem with a blank `(   )`: the length of the run of text around the filled blank, in
      characters. An option that the text does not contain scores 0.
    - Otherwise, or if no filled blank is found: the share (0..1) of the option that its longest
      verbatim run covers. Of equal shares, the one nearest to the stem's quotation has the larger
      score (by at most 0.0001). Without a quotation the stem itself is used.

    Spaces and punctuation do not count. For a `negative` stem the scores have the opposite sign.

    Args:
        stem: the question without its options.
        options: the texts of the options.
        texts: the texts that the prompt shows.
        negative: whether the stem asks for the option that is not true.
    """
    shown = [normalised(text) for text in texts]
    scores = _filled(stem, options, shown)
    if not any(scores):
        anchor = _anchor(stem, shown)
        scores = [_covered(normalised(option), shown, anchor) for option in options]
    return [-score for score in scores] if negative else scores


def _filled(stem: str, options: Sequence[str], shown: Sequence[str]) -> list[float]:
    """Return the length of the run through the stem's blanks, filled with each option."""
    blanks = list(_BLANK.finditer(stem))
    scores = [0.0] * len(options)
    for number, blank in enumerate(blanks):
        before = stem[blanks[number - 1].end() if number else 0 : blank.start()]
        after = stem[blank.end() : blanks[number + 1].start() if number + 1 < len(blanks) else None]
        particle = _BLANK_PARTICLE.match(after)
        left, right = normalised(before), normalised(after[particle.end() if particle else 0 :])
        for index, option in enumerate(options):
            word = normalised(option)
            scores[index] += max(
                (_run_through(left, word, right, text) for text in shown), default=0
            )
    return scores


def _run_through(left: str, word: str, right: str, text: str) -> int:
    """Return the longest run of `text` that is an end of `left`, then `word`, then a beginning of
    `right`; 0 without `word`. A particle may follow the word.
    """
    best = 0
    for at in _places(word, text):
        before = 0
        while before < min(len(left), at) and left[-1 - before] == text[at - 1 - before]:
            before += 1
        end = at + len(word)
        for particle in ("", *_PARTICLES):
            if text.startswith(particle, end):
                start, after = end + len(particle), 0
                while right[after : after + 1] and text.startswith(right[after], start + after):
                    after += 1
                best = max(best, before + len(word) + after)
    return best


def _anchor(stem: str, shown: Sequence[str]) -> str:
    """Return the longest run of the stem's longest quotation that a text contains."""
    quoted = [normalised(one or other) for one, other in _QUOTED.findall(stem)]
    wanted = max(quoted, key=len, default="") or normalised(stem)
    return max((shared_run(wanted, text) for text in shown), key=len, default="")


def _covered(word: str, shown: Sequence[str], anchor: str) -> float:
    """Return the share of `word` that a text covers in one run, plus its nearness to `anchor`."""
    best = 0.0
    for text in shown:
        run = shared_run(word, text)
        if not run:
            continue
        score = len(run) / len(word)
        gaps = (
            max(there - at - len(run), at - there - len(anchor), 0)
            for at in _places(run, text)
            for there in _places(anchor, text)
        )
        gap = min(gaps, default=None)
        best = max(best, score + (NEARNESS / (1 + gap) if gap is not None else 0.0))
    return best


def _places(part: str, text: str) -> Iterator[int]:
    """Yield the positions of `part` in `text`; none for an empty part."""
    at = text.find(part) if part else -1
    while at >= 0:
        yield at
        at = text.find(part, at + 1)
