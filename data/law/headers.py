"""Write the headers of articles and the marks of 항 in one form, whatever form a file uses.

`제１조【목적】`, `第1條 (목적)`, `제일조(목적)` and `제1조: 목적` become `제1조(목적)`; `➀`, `❶`
and `⑴` become `①`. Every reader applies this once, so that the parser, the citations and the
questions know one form. Other words of the document stay unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kofinlaw.data.korean.spelling import number_in_words, standard_references
from kofinlaw.data.law.header_series import THIS_LAW, with_series

__all__ = ["CIRCLED", "standard_lines", "standard_provisions"]

CIRCLED = "".join(
    map(chr, [*range(0x2460, 0x2474), *range(0x3251, 0x3260), *range(0x32B1, 0x32C0)])
)
# Runs of marks for 1, 2, 3 …: dingbats (➀ ❶ ➊), double circles and circled Chinese numbers; filled
# circles from 11; and numbers in brackets (⑴ ㈠), which are marks of 항 only where no circle is.
_CIRCLES = {first + i: CIRCLED[i] for first in (0x2780, 0x2776, 0x278A, 0x24F5, 0x3280)
            for i in range(10)}  # fmt: skip
_CIRCLES |= {0x24EB + i: CIRCLED[10 + i] for i in range(10)}
_BRACKETED = {0x2474 + i: CIRCLED[i] for i in range(20)}
_BRACKETED |= {0x3220 + i: CIRCLED[i] for i in range(10)}

# Characters that open and close a title; the first two pairs are those of the usual form.
_OPEN = "([（【〔［｛{〖❲〈《＜<﹝﹙⟨⟪"
_CLOSE = ")]）】〕］｝}〗❳〉》＞>﹞﹚⟩⟫"
_ANGLES = "〈《＜<⟨⟪"
_NUMBER = r"제\s?\d{1,4}(?:\s?-\s?\d{1,4})?\s?조(?:\s?의\s?\d{1,4}){0,4}"
_IN_WORDS = r"제\s?[일이삼사오육륙칠팔구십백]{1,7}\s?조(?:\s?의\s?[일이삼사오육륙칠팔구십]{1,5})?"
_HEADER = re.compile(
    rf"(?P<lead>\s{{0,8}}(?P<level>\#{{1,6}}\s{{1,8}})?)(?P<marks>[*_]{{0,3}})"
    rf"(?P<open>[{re.escape(_OPEN)}]?)(?P<number>{_NUMBER}|{_IN_WORDS})(?P<rest>.*)",
    re.DOTALL,
)
_BRANCH = re.compile(rf"\s?[-–]\s?(\d{{1,3}})(?=\s{{0,3}}[{re.escape(_OPEN)}])")
_POINT = re.compile(r"(?P<marks>[*_]{0,3})\s{0,8}(?P<point>[.:：．·–—-]?)\s{0,8}[*_]{0,3}")
_USUAL = re.compile(
    rf"\s{{0,8}}(?:#{{1,6}}\s{{1,8}})?(?:\*\*)?{_NUMBER}(?:\*\*)?\s{{0,8}}[(\[（삭<〈]"
)
_NOT_TITLE = re.compile(
    r"\s*(?:개\s?정|신\s?설|삭\s?제|전문|전부|일부|본조|본장|본절|시행일|종전|이동|타법|별표|제\s?\d+\s?[조항호])"
)
_REFERS = re.compile(
    r"\s*(?:제\s?\d|각\s?[항호목]|본문|단서|전단|후단|및|또는|내지|부터|까지|관련|참조|중\s|상\s"
    r"|(?:위반|준용|적용)(?:하|한|할|되|된|될|받|을|에|의))"
)
_LETTER = re.compile(r"[가-힣一-鿿A-Za-z]")
_MOST_TITLE = 60  # characters
_CIRCLE = re.compile(
    rf"(?P<lead>\s{{0,8}}[*_]{{0,3}})(?P<mark>[{''.join(map(chr, [*_CIRCLES, *_BRACKETED]))}])"
)
_INNER_CIRCLE = re.compile(rf"(?:(?<=[\s.>\])])|\A)[{''.join(map(chr, [*_CIRCLES, *_BRACKETED]))}]")
_NAMED = re.compile(
    r"(?P<lead>\s{0,8}[*_]{0,3})제?\s?(?P<number>\d{1,2})\s?항[*_]{0,3}(?:\s?[.:)：．](?:\s|(?=\S))|\s)\s*"
    r"(?P<words>\S.*)",
    re.DOTALL,
)


def standard_provisions(text: str) -> str:
    """Return the text of a document in the form of `standard_lines`."""
    return "\n".join(standard_lines(text.split("\n")))


def standard_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines with headers of articles as `제1조(목적)` and marks of 항 as `①`.

    - Digits and units of all references become those of `standard_references`.
    - A line opens an article if its number has a title in brackets, or is followed by a point, a
      colon or a dash and a short title. A line that refers to an article (`제1조에 따라 …`) stays.
    - Headers that only their series explains (`1조(목적)`, `제1조 목적`, a title on the next line)
      are those of `with_series`.
    - Marks of 항 change only in a document with two articles or more.

    The result has as many lines as the argument.
    """
    if not lines:
        return []
    out = [_header(line) for line in standard_references("\n".join(lines)).split("\n")]
    for _ in range(4):  # what one series explains may explain another
        found, out = out, with_series(out, _usual_rows(out))
        if found == out:
            break
    starts = _usual_rows(out)
    if len(starts) > 1:
        for start, end in zip(starts, [*starts[1:], len(out)], strict=True):
            out[start:end] = _paragraph_marks(out[start:end])
    return out


def _usual_rows(lines: Sequence[str]) -> list[int]:
    return [row for row, line in enumerate(lines) if _USUAL.match(line)]


def _header(line: str) -> str:
    """Return a line that opens an article in the usual form; any other line unchanged."""
    match = _HEADER.match(line)
    if match is None:
        return line
    number, rest, wrapped = match["number"], match["rest"], bool(match["open"])
    if branch := _BRANCH.match(rest):  # 제1조-2(목적)
        number, rest = f"{number}의{branch[1]}", rest[branch.end() :]
    if wrapped:  # 【제1조】 목적, [제1조(목적)]
        end = _closing(match["open"] + rest, 0)
        if end < 0:
            return line
        inside, rest = rest[: end - 1], rest[end:].lstrip(" *_")
        if match["open"] in "([" and (inside or rest).lstrip()[:1] not in tuple(_OPEN):
            return line
        rest = f"{inside}{' ' if rest else ''}{rest}" if inside.strip() else f" {rest}"
    spelled = _spelled(number)
    known = not wrapped and spelled == number and match["marks"] in ("", "**")
    if known and _USUAL.match(line) and (usual := _usual(line, match, rest)):
        return usual
    found = _title(rest, pointless=wrapped or bool(match["level"]))
    if found is None or (spelled != number and not found[2]):
        return line
    title, tail, _ = found
    if re.fullmatch(r"삭\s?제", title):
        return f"{match['lead']}{spelled} 삭제{tail}"
    marks = match["marks"]
    tail = tail.removeprefix(marks) if marks else tail
    blank = " " if tail and not tail[0].isspace() else ""
    return f"{match['lead']}{spelled}({title}){blank}{tail}"


def _usual(line: str, match: re.Match[str], rest: str) -> str:
    """Return a line whose header is in the usual form, with a blank before `이 법은`; empty if its
    title does not end as it began (`（목적)`).
    """
    start = next((i for i, c in enumerate(rest) if c in "([（"), -1)
    if start < 0 or rest[:start].strip(" \t*"):
        return "" if rest.strip() and rest.lstrip()[0] in _OPEN else line
    end = _closing(rest, start)
    if end < 0 or _CLOSE[_OPEN.index(rest[start])] != rest[end]:
        return ""
    tail = rest[end + 1 :]
    if THIS_LAW.match(tail) and not _NOT_TITLE.match(rest[start + 1 :]):
        return f"{line[: len(line) - len(tail)]} {tail}"
    if re.match(r"\s?[:：.](?:\s|$)", tail):
        return line[: len(line) - len(tail)] + tail.lstrip()[1:]
    return line


def _title(rest: str, *, pointless: bool) -> tuple[str, str, bool] | None:
    """Return (title, text after it, whether it was in brackets) behind a number; None without one.

    With `pointless` a short title may follow the number without a point.
    """
    match = _POINT.match(rest)
    start = match.end() if match else 0
    if rest[start : start + 1] and rest[start] in _OPEN:
        end = _closing(rest, start)
        title = rest[start + 1 : end].strip(" *_") if end > 0 else ""
        tag = rest[start] in _ANGLES and re.search(r"\d{4}|[/=]|\A[A-Za-z]", title)
        if not title or len(title) > _MOST_TITLE or tag or not _LETTER.search(title):
            return None
        if _NOT_TITLE.match(title) and not re.fullmatch(r"삭\s?제", title):
            return None
        tail = re.sub(r"\A([*_]{0,3})\s?[:：.．](?=\s|\Z)", r"\1", rest[end + 1 :])
        return title, tail, True
    title = rest[start:].strip(" *_:：\t")
    pointed = bool(match and match["point"]) or (pointless and rest[:1] in (" ", "\t"))
    if not pointed or not 0 < len(title) <= _MOST_TITLE // 2 or title.endswith((".", "다", ",")):
        return None
    if _REFERS.match(title) or _NOT_TITLE.match(title) or not _LETTER.search(title):
        return None
    return (title, "", False) if not re.search(r"제\s?\d+\s?조|[<>\[\]|]", title) else None


def _closing(text: str, start: int) -> int:
    """Return the offset of the bracket that closes the one at `start`, of any shape; -1 if none."""
    depth = 0
    for offset in range(start, min(len(text), start + 3 * _MOST_TITLE)):
        if text[offset] in _OPEN:
            depth += 1
        elif text[offset] in _CLOSE:
            depth -= 1
            if depth == 0:
                return offset
    return -1


def _spelled(number: str) -> str:
    """Return the number of an article with digits: `제십이조` as `제12조`."""
    return re.sub(
        r"[일이삼사오육륙칠팔구십백]+", lambda match: str(number_in_words(match.group(0))), number
    )


def _paragraph_marks(lines: Sequence[str]) -> list[str]:
    """Return the lines of an article with the marks of its 항 as ①, ② ….

    Circles of another kind always mark 항. ⑴ and `1항` do where the article has no circle, and the
    first of them is the first mark of the article and is a 1.
    """
    out = [_circled(line, _CIRCLES) for line in lines]
    if any(re.match(rf"\s*[*_]*[{CIRCLED}]", line[_after_header(line) :]) for line in out):
        return out
    for index, line in enumerate(out):
        if line.strip() and (index or line[_after_header(line) :].strip()):
            body = line[_after_header(line) :]
            if (mark := _CIRCLE.match(body)) and _BRACKETED.get(ord(mark["mark"])) == CIRCLED[0]:
                return [_circled(one, _BRACKETED) for one in out]
            if (named := _NAMED.match(body)) and named["number"] == "1":
                return _named(out) if not _REFERS.match(named["words"]) else out
            break
    return out


def _after_header(line: str) -> int:
    """Return the offset behind the header of an article, 0 for another line."""
    match = _USUAL.match(line)
    end = _closing(line, match.end() - 1) if match and line[match.end() - 1] in _OPEN else -1
    return end + 1 if end >= 0 else 0


def _circled(line: str, marks: dict[int, str]) -> str:
    """Return a line that begins with one of these marks with ①, ② … instead, also inside it."""
    start = _after_header(line)
    match = _CIRCLE.match(line, start)
    if match is None or ord(match["mark"]) not in marks:
        return line
    words = _INNER_CIRCLE.sub(
        lambda inner: marks.get(ord(inner.group(0)), inner.group(0)), line[match.start("mark") :]
    )
    return line[: match.start("mark")] + words


def _named(lines: Sequence[str]) -> list[str]:
    """Return the lines of a series of `1항`, `제2항:` … with ①, ② … at their starts."""
    out, expected = list(lines), 1
    for index, line in enumerate(lines):
        start = _after_header(line)
        match = _NAMED.match(line, start)
        if match and int(match["number"]) == expected <= len(CIRCLED):
            out[index] = f"{line[:start]}{match['lead']}{CIRCLED[expected - 1]} {match['words']}"
            expected += 1
    return out if expected > 2 else list(lines)
