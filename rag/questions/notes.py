"""Find notes in a question's text: its answer, explanations, sources and conditions."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["condition_of", "note_start", "without_keys"]

_OPEN, _CLOSE = r"[\[(<【〔「*#]{0,3} ?", r" ?[\])>】〕」*]{0,3}"
_LABEL = r"[(\[]?(?:[①-⑳❶-❿➀-➉]|\d{1,2}|[A-Na-nＡ-Ｎ１-９]|[가나다라마바사아자ㄱ-ㅎ])[)\].]?"
_LABEL_ALONE = rf"{_LABEL}(?![가-힣A-Za-z\d])"
_KEYS = r"(?:정 ?답(?: ?및 ?해설| ?번호)?|모범 ?답안|복수 ?정답|[Aa]nswer(?: ?key)?|ANSWER|[Kk]ey)"
_WHY = (
    r"(?:해 ?설|풀 ?이|오답 ?(?:풀이|노트|해설)|정답 ?해설|[Ee]xplanation|[Rr]ationale|[Ss]olution)"
)
# An answer or its explanation, wherever it is: `[해설]`, `정답: ③`, `정답은 3번`, `(답 3)`.
_KEY = re.compile(
    r"(?:(?<=\n)|(?<=[ \t?.)\]])|\A) ?(?:"
    rf"[\[(<【〔] ?(?:{_KEYS}|{_WHY}|답) ?[\])>】〕]"
    rf"|{_OPEN}(?:{_KEYS}|{_WHY}|답) ?\*{{0,2}}[:：]"
    rf"|{_OPEN}{_KEYS}(?:은|이|는)? ?\*{{0,2}}{_LABEL}"
    r"(?= ?(?:번|입니다|이다|임|[.)\]>】*]|\n|\Z|,|또는))"
    rf"|(?<=\n)(?:{_KEYS}|{_WHY}) ?(?=\n)"
    rf"|{_OPEN}답(?:은)? ?(?:[①-⑨]|\d ?번?(?= ?(?:[)\]]|\n|\Z)))"
    r")"
)
_KEY_LINE = re.compile(r"[^\n]*")
# A note behind the last option.
_NOTE = re.compile(
    r"\n[ \t>]*(?:※|\*{1,3}(?=[ \t]*[가-힣])"
    rf"|{_OPEN}(?:출 ?처|참 ?고|주|비고|근거(?: ?조문| ?법령)?|관련 ?(?:법령|조문|근거)|난이도"
    r"|영역|과목|단원|배점|기출(?:문제)?"
    r"|키워드|힌트|[Ss]ource|[Nn]ote|[Hh]int|[Rr]eference)"
    r"(?: ?[\])>】〕」]+| ?\*{0,2}[:：])"
    r"|[\[(<〈【](?:(?:19|20)\d\d[^\n\])>〉】]{0,30}|\d{1,2} ?점|[^\n\])>〉】]{0,20}기출)"
    r"[\])>〉】][ \t]*(?:\n|\Z)"
    r"|[\[(<【]?(?:정답률|오답률|난이도)|끝\.?[ \t]*\Z"
    r"|\(단[ ,]|단, )"
)
_INLINE_NOTE = re.compile(
    r"\s※|\s[\[(<【](?:출처|참고|비고|근거)[^\n]{0,3}[:：\])>】]|\s출처 ?[:：]"
)
_CONDITION = re.compile(
    r"단[ ,]|다만|가정|따른다|따름|제외|본다|한하|기준|고려하지|경우|전제|아니한다|으로 ?한다"
)
_TRAILING = " \n\t-–—ㅡ=*#/|☞▶►→▷✔✓·"  # what leads from the last option to a note
_TRIED = 16  # notes of a text that are tried as its end


def without_keys(text: str, has_options: Callable[[str], bool]) -> tuple[str, tuple[str, ...]]:
    """Return the text without the answers and explanations in it, and these.

    Behind a list of options, or at the end of the text, a note reaches to the end of the text;
    before the options it is its own line, or its brackets.
    """
    notes: list[str] = []
    position = 0
    for _ in range(_TRIED):
        found = _KEY.search(text, position)
        if found is None:
            break
        start = found.start()
        before = text[:start]
        if before.strip() and (has_options(before) or not has_options(text[start:])):
            return before.rstrip(_TRAILING), (*notes, text[start:].strip())
        line = _KEY_LINE.match(text, start)
        end = line.end() if line is not None else len(text)
        bracket = re.match(r"\s*[\[(<【〔][^\n\])>】〕]{0,40}[\])>】〕]", text[start:end])
        if bracket is not None:
            end = start + bracket.end()
            label = re.match(rf"\s*{_LABEL_ALONE}\s*번?(?=\s|\Z)", text[end:])
            end += label.end() if label is not None and not before.strip() else 0
        notes.append(text[start:end].strip())
        text = before + text[end:]
        position = start
    return text, tuple(notes)


def note_start(part: str, *, inline: bool) -> int:
    """Return where a note begins behind the last option; -1 without one.

    With `inline` a note may also begin within the line (`… ※ 참고`).
    """
    found = [match.start() for match in (_NOTE.search(part),) if match is not None]
    if (
        inline
        and (match := _INLINE_NOTE.search(part)) is not None
        and part[: match.start()].strip()
    ):
        found.append(match.start())
    return min(found, default=-1)


def condition_of(note: str) -> str:
    """Return the note if it limits the question (`※ 단, …`), else an empty text."""
    first = note.lstrip()
    if not first.startswith(("※", "*", "(단", "단")):
        return ""
    return " ".join(note.split()) if _CONDITION.search(note) else ""
