"""Shape free-text answers: their opening, their length, and the choice between candidates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from kofinlaw.data.korean.words import bigrams, hangul_share, josa, sentences

__all__ = [
    "AGREEMENT_SHARE",
    "ECHO_SHARE",
    "MAX_OPENING",
    "FreeProblem",
    "choose_candidate",
    "free_problem",
    "opening_of",
    "similarity",
    "tidy",
]

FreeProblem = Literal["", "empty", "prompt", "loop", "script"]

# What a question asks about its subject: `… 을 설명하시오`, `… 이란 무엇인가?`
_ASKED = re.compile(
    r"(?:에\s*(?:대하여|대해서?|관하여|관해)|[을를]|(?:이?란|[은는이가]))?\s*"
    r"(?:(?:간략히|간단히|구체적으로|모두|각각|한두\s*문장으로)\s*)*"
    r"(?:무엇(?:인가|인지|입니까|을\s*말하는가)?"
    r"|(?:설명|서술|기술|제시|답|논)(?:하시오|하세요|하라|해\s*주세요|하십시오)|쓰시오|쓰세요)"
    r"(?:\s*(?:설명|서술|기술|답)?하?(?:시오|세요|라))?\s*[.?？]*\s*$"
)
MAX_OPENING = 60  # characters; a longer subject is a description, not a term
AGREEMENT_SHARE = 0.8  # of a candidate's merit; the rest is its length and the terms it repeats

ECHO_SHARE = 0.9  # of a text; as much from the question or from headings: it is given back
_SHORTEST_ECHO = 10  # bigrams, or letters of a heading; a shorter answer may repeat the question
# The prompt's own words: its marks, and the rule for free text.
_PROMPT_WORDS = re.compile(r"\[(?:참고 조문|질문|문제|설명)\]|핵심어를 넣어")
# The same words three times in a row, at least twelve letters together.
_LOOP = re.compile(r"(.{1,40}?)\1{2,}")
_SHORTEST_LOOP = 12
_NOT_LETTERS = re.compile(r"[\W_]+")
# Letters that no Korean answer has: all but Hangul, Hanja, Latin, Greek and letters as symbols.
_FOREIGN = re.compile(
    r"[^\W\d_A-Za-z\u00aa-\u024f\u0370-\u03ff\u1100-\u11ff\u2070-\u24ff\u3130-\u318f"
    r"\u3200-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]"
)
_LEAST_HANGUL = 0.3  # of the letters that neither question nor evidence has as words


def free_problem(text: str, question: str, shown: Sequence[str] = ()) -> FreeProblem:
    """Return why a generated free-text answer is unusable; empty if it is usable.

    - `empty`: no letter and no digit.
    - `prompt`: the prompt given back, that is its marks or rule, the question or a heading of the
      evidence.
    - `loop`: the same words three times in a row, or a sentence twice.
    - `script`: hardly any Hangul where the question is Korean, or letters of a script that Korean
      does not use. Words of the question or the evidence may be in any script.

    Args:
        text: The answer.
        question: The question.
        shown: The texts of the evidence in the prompt; the first of several lines is a heading.
    """
    letters = _letters(text)
    if not letters:
        return "empty"
    if _PROMPT_WORDS.search(text) or _gives_back(text, question, shown):
        return "prompt"
    parts = [_letters(part) for part in sentences(text)]
    loops = (match.group(0) for match in _LOOP.finditer(letters))
    if len(set(parts)) < len(parts) or any(len(loop) >= _SHORTEST_LOOP for loop in loops):
        return "loop"
    return "script" if _is_foreign(text, question, shown) else ""


def _gives_back(text: str, question: str, shown: Sequence[str]) -> bool:
    letters, words = _letters(text), bigrams(text)
    if len(words) >= _SHORTEST_ECHO:
        asked = set(bigrams(question))
        if sum(word in asked for word in words) >= ECHO_SHARE * len(words):
            return True
    headings = [_letters(one.split("\n", 1)[0]) for one in shown if "\n" in one]
    if len(letters) >= _SHORTEST_ECHO and any(letters in heading for heading in headings):
        return True
    rest = letters
    for heading in filter(None, headings):
        rest = rest.replace(heading, "")
    return len(rest) <= (1 - ECHO_SHARE) * len(letters)


def _is_foreign(text: str, question: str, shown: Sequence[str]) -> bool:
    known = set(" ".join([question, *shown]).lower().split())
    own = " ".join(word for word in text.split() if word.lower().strip(".,()") not in known)
    if _FOREIGN.search(own):
        return True
    korean = hangul_share(question) >= 0.5
    return korean and any(map(str.isalpha, own)) and hangul_share(own) < _LEAST_HANGUL


def _letters(text: str) -> str:
    """Return the letters and digits of a text."""
    return _NOT_LETTERS.sub("", text)


def opening_of(question: str) -> str:
    """Return the question's subject with its particle, as the answer's first words;
    empty without one.

    `전자금융거래의 안전성 확보의무를 설명하시오.` gives `전자금융거래의 안전성 확보의무는`.
    """
    last = sentences(question)[-1:] or [""]
    found = _ASKED.search(last[0])
    subject = " ".join(last[0][: found.start()].split()) if found else ""
    if not subject or len(subject) > MAX_OPENING:
        return ""
    return josa(subject, "은/는")


def tidy(text: str, max_characters: int) -> str:
    """Return the first two sentences on one line where both fit `max_characters`;
    else the first, cut.
    """
    parts = [" ".join(part.split()) for part in sentences(text)][:2]
    if not parts:
        return ""
    out = parts[0][:max_characters].rstrip()
    if len(parts) > 1 and len(parts[0]) + 1 + len(parts[1]) <= max_characters:
        out = f"{parts[0]} {parts[1]}"
    return out


def similarity(one: str, other: str) -> float:
    """Return the Dice coefficient of the character bigrams of two texts, 0..1."""
    a, b = set(bigrams(one)), set(bigrams(other))
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else float(one == other)


def choose_candidate(
    question: str, texts: Sequence[str], target_characters: int
) -> tuple[int, float]:
    """Return the index of the best of several candidates, and its mean similarity to the others
    (0..1).

    Agreement counts most: the model is more certain of what it writes again and again. Between
    candidates that agree equally, the one that is nearer to the target length and repeats more of
    the question wins.
    """
    asked = set(bigrams(question))
    agreement, merit = [], []
    for index, text in enumerate(texts):
        others = [similarity(text, other) for j, other in enumerate(texts) if j != index]
        agreement.append(sum(others) / max(len(others), 1))
        length = min(len(text), target_characters) / max(len(text), target_characters, 1)
        repeated = len(asked & set(bigrams(text))) / max(len(asked), 1)
        merit.append(
            AGREEMENT_SHARE * agreement[-1] + (1 - AGREEMENT_SHARE) * (length + repeated) / 2
        )
    best = max(range(len(texts)), key=lambda i: (round(merit[i], 9), -i))
    return best, agreement[best]
