"""Shape free-text answers: their opening, their length, and the choice between candidates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from kofinlaw.data.korean.words import bigrams, hangul_share, josa, sentences
from kofinlaw.data.prompting.wording import (
    CHOICE_RULE,
    CLOSED_FREE_RULE,
    FREE_RULE,
    SYSTEM_PROMPT,
    VERIFICATION_RULE,
)

__all__ = [
    "AGREEMENT_SHARE",
    "ECHO_SHARE",
    "MAX_OPENING",
    "FreeProblem",
    "choose_candidate",
    "ends_sentence",
    "free_problem",
    "opening_of",
    "shaped",
    "similarity",
    "tidy",
    "whole_sentences",
]

FreeProblem = Literal["", "empty", "prompt", "loop", "script", "unfinished"]

# What a question asks about its subject: `… 을 설명하시오`, `… 이란 무엇인가?`
_ASKED = re.compile(
    r"(?:(?:에\s*(?:대하여|대해서?|관하여|관해)|[을를]|(?:이?란|[은는이가]))\s*+|(?<!\s)\s*+)"
    r"(?:(?:간략히|간단히|구체적으로|모두|각각|한두\s*문장으로)\s*){0,8}"
    r"(?:무엇(?:인가|인지|입니까|을\s*말하는가)?"
    r"|(?:설명|서술|기술|제시|답|논)(?:하시오|하세요|하라|해\s*주세요|하십시오)|쓰시오|쓰세요)"
    r"(?:\s*+(?:설명|서술|기술|답)?하?(?:시오|세요|라))?\s*+[.?？]*+\s*+$"
)
MAX_OPENING = 60  # characters; a longer subject is a description, not a term
AGREEMENT_SHARE = 0.8  # of a candidate's merit; the rest is its length and the terms it repeats

ECHO_SHARE = 0.9  # of a text; as much from the question or from headings: it is given back
_SHORTEST_ECHO = 10  # bigrams, or letters of a heading; a shorter answer may repeat the question
# The prompt's own words: its marks, and the rule for free text.
_PROMPT_WORDS = re.compile(r"\[(?:참고 조문|질문|문제|설명)\]|핵심어를 넣어")
# Marks of chat templates: `</s>`, `<|im_end|>`, `<start_of_turn>`, `[|assistant|]`.
_TEMPLATE_MARK = re.compile(r"<\|?/?[A-Za-z_]+\|?>|\[\|[A-Za-z_]+\|\]")
_SHORTEST_RULE = 12  # letters of a rule of the prompt; as many in a row: the rule is given back
# The same words three times in a row, at least twelve letters together.
_LOOPS = tuple(re.compile(rf"(?=((.{{{least},40}}?)\2{{2,}}))") for least in (1, 4))
_SHORTEST_LOOP = 12
# Digits alone are not a loop up to this length: account numbers and amounts have many zeros.
_LONGEST_NUMBER = 24
_SHORTEST_TWICE = 4  # letters; a shorter sentence may occur twice
_UNSPACED_END = re.compile(r"(?<=다)[.。](?=[가-힣])")  # a sentence that begins without a blank
# The end of a sentence with its mark, which may be inside closing brackets or quotation marks.
# `2025. 3.` and the mark `가.` end no sentence.
_ENDED = re.compile(r"(?:[가-힣A-Za-z%)\]」』”’\"'〉》]{2}[.。]|[!?…！？])[\"'’”」』》)\]）]*$")
# At the end of a line a sentence may have no mark.
_ENDED_LINE = re.compile(r"[다요까음함임됨][\"'’”」』》)\]）]*$")
_LIST_ITEM = re.compile(
    r"^\s*(?:(?:\d{1,2}|[가나다라마바사아자차카타파하])[.)]\s|[①-⑳]|[-*•·]\s)\s*\S"
)
_NOT_LETTERS = re.compile(r"[\W_]+")
# Letters that no Korean answer has: all but Hangul, Hanja, Latin, Greek and letters as symbols.
_FOREIGN = re.compile(
    r"[^\W\d_A-Za-z\u00aa-\u024f\u0370-\u03ff\u1100-\u11ff\u2070-\u24ff\u3130-\u318f"
    r"\u3200-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]"
    # Digits of other scripts, bytes that are not text, and private or control characters.
    r"|[^\D0-9\uff10-\uff19]|[\ufffd\ue000-\uf8ff\x00-\x08\x0e-\x1f\x7f-\x9f]"
)
_LEAST_HANGUL = 0.3  # of the letters that neither question nor evidence has as words


def shaped(
    text: str, question: str, shown: Sequence[str], max_characters: int, *, stopped: bool = True
) -> tuple[str, FreeProblem]:
    """Return a generated free-text answer in its final form, and why it is unusable (empty if it
    is usable). This alone decides for `ask`, `answer` and the contest's script.

    The form: whole sentences, without the question before them, at most two, in one line.

    Args:
        text: The text as generated.
        question: The question.
        shown: The texts of the evidence in the prompt; the first of several lines is a heading.
        max_characters: The largest number of characters.
        stopped: Whether the model ended the text itself. Otherwise the token limit cut it.
    """
    whole = _without_question(whole_sentences(text, stopped=stopped), question)
    if not whole.strip():  # at most a piece of a sentence
        piece = tidy(text, max_characters)
        return piece, free_problem(piece, question, shown) or "unfinished"
    out, parts = tidy(whole, max_characters), sentences(whole)
    lines = [" ".join(part.split()) for part in parts[:2]]
    kept = 2 if len(lines) > 1 and out == " ".join(lines) else 1
    cut = len(lines[0]) > max_characters
    open_end = not _ends_part(parts[kept - 1]) and not (stopped and kept == len(parts))
    return out, free_problem(out, question, shown) or ("unfinished" if cut or open_end else "")


def ends_sentence(text: str) -> bool:
    """Return whether a text ends with the mark of a sentence's end."""
    return bool(_ENDED.search(text.rstrip()))


def whole_sentences(text: str, *, stopped: bool) -> str:
    """Return a text without the unfinished sentence at its end; it may be empty.

    A text that the model ended itself (`stopped`) is unchanged: `10분` is a whole answer. In a text
    that was cut, the last sentence counts if it has its end, and a line before the last if it is an
    item of a list.
    """
    parts = sentences(text)
    if stopped or not parts or ends_sentence(parts[-1]):
        return text
    parts.pop()
    while parts and not _ends_part(parts[-1]):
        parts.pop()
    return "\n".join(parts)


def _ends_part(part: str) -> bool:
    """Return whether a sentence or line that another follows is whole."""
    ended = ends_sentence(part) or _ENDED_LINE.search(part) or _LIST_ITEM.search(part)
    return bool(ended)


def _without_question(text: str, question: str) -> str:
    """Return a text without the question at its start, if more follows."""
    for asked in _asked_sentences(question):
        rest = " ".join(text.split())
        if rest.startswith(asked) and _letters(rest.removeprefix(asked)):
            at = 0
            for word in asked.split():
                at = text.index(word, at) + len(word)
            return text[at:].lstrip()
    return text


def _asked_sentences(question: str) -> list[str]:
    """Return the question and its last sentence, each if it ends with its mark.

    Without the mark it may be the beginning of the answer: `보관하는 기간은` 5년이다.
    """
    whole = " ".join(question.split())
    found = dict.fromkeys([whole, *sentences(whole)[-1:]])
    return [one for one in found if len(_letters(one)) >= _SHORTEST_ECHO and ends_sentence(one)]


def free_problem(text: str, question: str, shown: Sequence[str] = ()) -> FreeProblem:
    """Return why a generated free-text answer is unusable; empty if it is usable.

    - `empty`: no letter and no digit.
    - `prompt`: the prompt given back, that is its marks or rules, the question or a heading of the
      evidence.
    - `loop`: the same words three times in a row, or a sentence twice. A number with many zeros and
      words that the question or the evidence repeats are not a loop.
    - `script`: hardly any Hangul where the question is Korean, or letters of a script that Korean
      does not use. Words of the question or the evidence may be in any script.

    `unfinished`, the fifth problem, needs to know where the text was cut: see `shaped`.

    Args:
        text: The answer.
        question: The question.
        shown: The texts of the evidence in the prompt; the first of several lines is a heading.
    """
    letters = _letters(text)
    if not letters:
        return "empty"
    sources = "\n".join([question, *shown])
    if any(mark not in sources for mark in _TEMPLATE_MARK.findall(text)):
        return "prompt"
    if _PROMPT_WORDS.search(text) or _repeats_rule(letters) or _gives_back(text, question, shown):
        return "prompt"
    if any(asked in " ".join(text.split()) for asked in _asked_sentences(question)):
        return "prompt"
    if _loops(text, letters, [question, *shown]):
        return "loop"
    return "script" if _is_foreign(text, question, shown) else ""


def _repeats_rule(letters: str) -> bool:
    """Return whether a run of letters is from the rules of the prompt."""
    rules = (CHOICE_RULE, CLOSED_FREE_RULE, FREE_RULE, SYSTEM_PROMPT, VERIFICATION_RULE)
    size = _SHORTEST_RULE
    return any(
        letters[start : start + size] in rule
        for rule in map(_letters, rules)
        for start in range(len(letters) - size + 1)
    )


def _loops(text: str, letters: str, sources: Sequence[str]) -> bool:
    said = (part for line in sentences(text) for part in _UNSPACED_END.split(line))
    parts = [part for part in map(_letters, said) if len(part) >= _SHORTEST_TWICE]
    if len(set(parts)) < len(parts):
        return True
    known: list[str] = []
    for match in (one for pattern in _LOOPS for one in pattern.finditer(letters)):
        loop = match[1]
        if len(loop) < (_LONGEST_NUMBER + 1 if loop.isdigit() else _SHORTEST_LOOP):
            continue
        known = known or [_letters(source) for source in sources]
        if not any(loop in source for source in known):
            return True
    return False


def _gives_back(text: str, question: str, shown: Sequence[str]) -> bool:
    letters, words = _letters(text), bigrams(text)
    if len(words) >= _SHORTEST_ECHO:
        asked = set(bigrams(question))
        own = [word for word in words if word not in asked]
        # A figure of its own answers the question: `… 보관하는 기간은 5년이다`.
        echo = len(words) - len(own) >= ECHO_SHARE * len(words)
        if echo and not any(map(str.isdigit, own)):
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
    else the first, cut at the end of a word (within it where it is the only one).
    """
    parts = [" ".join(part.split()) for part in sentences(text)][:2]
    if not parts:
        return ""
    out = parts[0][:max_characters]
    if len(parts[0]) > max_characters and parts[0][max_characters] != " ":
        out = out.rpartition(" ")[0] or out
    out = out.rstrip()
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
