"""Find headers of articles whose dress only the other headers of the document explain.

A line such as `1조(목적)`, `제1조 목적`, `- 제1조(목적)` or `제1조` with the title on the next line
could be a reference or an entry of a list. It is a header if the document has a series of such
lines: one dress, numbers that rise from 1, and text between them. Lists without text between their
lines (a table of contents) stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["THIS_LAW", "with_series"]

_LEFT = "([（【〔［｛{〖❲〈《＜<﹝﹙⟨⟪「『｢“‘‹〘〚⟦｟⁅\"'"
_RIGHT = ")]）】〕］｝}〗❳〉》＞>﹞﹚⟩⟫」』｣”’›〙〛⟧｠⁆\"'"
_PAIRS = dict(zip(_LEFT, _RIGHT, strict=True))
_OPENING = re.escape("".join(_PAIRS))
_CANDIDATE = re.compile(
    rf"(?P<lead>\s{{0,8}}(?P<level>\#{{1,6}}\s{{1,8}})?)"
    r"(?P<mark>(?:(?:[-*+>•·■□▪▫●○◎◇◆▶▷►※☞✓✔]|\d{1,3}[.)])\s{0,4}){0,2}(?:<[a-z]{1,6}>)?)"
    rf"(?P<marks>[*_`]{{0,3}})(?P<open>[{_OPENING}]?)(?P<first>제?)\s?(?P<number>\d{{1,4}})\s?조"
    r"(?P<branch>(?:\s?의\s?\d{1,4}){0,4})(?P<rest>(?![에는을를의와과로이가]).*)",
    re.DOTALL,
)
_AFTER = re.compile(r"[*_`]{0,3}\s{0,8}[.:：∶．·–—)-]?\s{0,8}\\?")
_REFERS = re.compile(
    r"\s*(?:제\s?\d|각\s?[항호목]|본문|단서|전단|후단|및|또는|내지|부터|까지|관련|참조|중\s|상\s|개\s?정|신\s?설|전문|별표|타법)"
)
# How a law or rule names itself, which may follow a title directly: `(목적)이 내규는`
THIS_LAW = re.compile(
    r"이\s?(?:법|영|령|규칙|규정|세칙|지침|기준|약관|계약|고시|훈령|예규|내규|조례|정관|준칙|요령|강령|방침|절차|편람|매뉴얼)"
)
_TAIL = re.compile(rf"(?!{THIS_LAW.pattern})[가-힣]")
_SUPPLEMENT = re.compile(r"[\s#*]*부\s*칙")
# A team or a trillion is `1조` too: one article of a series without 제 has such a title.
_COMMON = re.compile(
    r"목\s?적|정\s?의|용\s?어|명\s?칭|적\s?용|총\s?칙|시\s?행|계\s?약|효\s?력|취\s?지"
)
_MOST_TITLE = 40  # characters
_FARTHEST = 3  # numbers from one article to the next


@dataclass(frozen=True)
class _Header:
    """A line that may open an article.

    `dress` is empty for the usual form. `title_row` is the line of a title that follows its number.
    """

    row: int
    order: tuple[int, ...]
    dress: tuple[str, ...]
    text: str
    title: str = ""
    title_row: int = -1
    alone: bool = False  # there is nothing behind the title on its line


def with_series(lines: Sequence[str], usual: Sequence[int]) -> list[str]:
    """Return the lines with the headers of such series as `제1조(목적)`.

    `usual` are the indices of the lines that have a header in the usual form already. The title of
    the next line moves to its number; its line becomes empty.
    """
    out = list(lines)
    known = set(usual)
    near = [row for row, line in enumerate(out) if "조" in line[:40]]
    if not any(row not in known and _read(out, row, known) is not None for row in near):
        return out
    found = [header for row in near if (header := _read(out, row, known)) is not None]
    rows = {header.row for header in found}
    body = next((row for row, line in enumerate(out) if _SUPPLEMENT.match(line)), len(out))
    mixed = any(row < body for row in usual)
    tried = [
        header
        for header in found
        if not header.dress or ((not mixed or _bracketed(header)) and _has_text(out, header, rows))
    ]
    accepted = _in_order(tried)
    for dress, count in Counter(header.dress for header in tried if header.dress).items():
        same = [header for header in accepted if header.dress == dress]
        fits = len(same) > 1 or (bool(same) and mixed and _next_to_usual(same[0], tried))
        common = "제" in dress or any(_COMMON.search(header.title) for header in accepted)
        if not fits or not common or len(same) < 0.6 * count:
            continue
        for header in same:
            out[header.row] = header.text
            if header.title_row >= 0:
                out[header.title_row] = ""
    return out


def _read(lines: Sequence[str], row: int, usual: set[int]) -> _Header | None:
    """Return the header that a line may be; None for any other line."""
    line = lines[row]
    if (match := _CANDIDATE.match(line)) is None:
        return None
    branch = re.sub(r"\s", "", match["branch"])
    order = (int(match["number"]), *(int(n) for n in re.findall(r"\d+", branch)))
    if row in usual:
        return _Header(row, order, (), line)
    rest, wrapped = match["rest"], match["open"]
    if wrapped:
        close = rest.find(_PAIRS[wrapped])
        if close < 0 or rest[:close].strip():
            return None
        rest = rest[close + 1 :]
    name = f"{match['lead']}제{int(match['number'])}조{branch}"
    kind = re.sub(r"\d+", "1", match["mark"].strip())
    dress = (kind, match["first"], wrapped, "#" * bool(match["level"]))
    start = _AFTER.match(rest).end()  # type: ignore[union-attr]
    if not rest[start:].strip(" *_`"):
        return _below(lines, row, name, order, dress) if not rest.strip(" *_`:.") else None
    titled = _in_brackets(rest, start)
    if titled is not None:
        title, tail, opening = titled
        tail = re.sub(r"\A[*_`]{0,3}(?:</[a-z]{1,6}>)?", "", tail)
        if _TAIL.match(tail):
            return None
        blank = " " if tail and not tail[0].isspace() else ""
        text = f"{name}({title}){blank}{tail}"
        return _Header(row, order, (*dress, opening), text, title, alone=not tail.strip())
    point = rest[:start].strip(" *_`")
    title = _plain(rest[start:])
    if not title or not (point or rest[:1] in (" ", "\t", "*", "_") or wrapped):
        return None
    return _Header(row, order, (*dress, "plain", point), f"{name}({title})", title, alone=True)


def _below(
    lines: Sequence[str], row: int, name: str, order: tuple[int, ...], dress: tuple[str, ...]
) -> _Header | None:
    """Return the header of a number whose title is on the next line."""
    below = next((i for i in range(row + 1, min(row + 3, len(lines))) if lines[i].strip()), -1)
    if below < 0 or _CANDIDATE.match(lines[below]):
        return None
    line = lines[below].strip(" *_`#")
    titled = _in_brackets(line, 0)
    if titled is not None:
        title, tail, opening = titled[0], titled[1].strip(" *_`:"), titled[2]
        if _TAIL.match(titled[1]):
            return None
        text = f"{name}({title}) {tail}".rstrip()
        return _Header(row, order, (*dress, "below", opening), text, title, below, not tail)
    title = _plain(line)
    if not title or "#" in dress:
        return None
    return _Header(row, order, (*dress, "below"), f"{name}({title})", title, below, alone=True)


def _in_brackets(text: str, start: int) -> tuple[str, str, str] | None:
    """Return (title, text after it, opening bracket) of a title in brackets or quotes."""
    opening = text[start : start + 1]
    if opening not in _PAIRS:
        return None
    end = text.find(_PAIRS[opening], start + 1, start + _MOST_TITLE + 20)
    title = text[start + 1 : end].strip(" *_\\") if end > 0 else ""
    if not re.search(r"[가-힣一-鿿]", title) or _REFERS.match(title):
        return None
    return title, text[end + 1 :], opening


def _plain(words: str) -> str:
    """Return a title without brackets; empty for words that are a sentence or a reference."""
    title = words.strip(" *_`\t:")
    if len(title) > _MOST_TITLE // 2 or title.endswith((".", "다", ",", "은", "는")):
        return ""
    if _REFERS.match(title) or not re.fullmatch(r"[가-힣一-鿿A-Za-z0-9 ·ㆍ,()/-]+", title):
        return ""
    return title if re.match(r"[가-힣一-鿿A-Za-z]", title) else ""


def _bracketed(header: _Header) -> bool:
    return header.dress[-1] in _PAIRS


def _has_text(lines: Sequence[str], header: _Header, rows: set[int]) -> bool:
    """Return whether an article has text of its own: a table of contents has none."""
    if not header.alone or re.fullmatch(r"삭\s?제", header.title):
        return True
    start = max(header.row, header.title_row) + 1
    following = next((row for row in range(start, len(lines)) if lines[row].strip()), -1)
    return following >= 0 and following not in rows


def _in_order(headers: Sequence[_Header]) -> list[_Header]:
    """Return the headers whose numbers rise from 1; a 부칙 starts again at 1."""
    kept: list[_Header] = []
    last: tuple[int, ...] = (0,)
    for header in headers:
        rises = last < header.order <= (last[0] + _FARTHEST, 10**6)
        if header.dress and header.order != (1,) and not rises:
            continue
        last = header.order
        kept.append(header)
    return kept


def _next_to_usual(header: _Header, headers: Sequence[_Header]) -> bool:
    """Return whether a header in the usual form comes directly before or after, in number too."""
    place = headers.index(header)
    near = [*headers[max(0, place - 1) : place], *headers[place + 1 : place + 2]]
    steps = {abs(other.order[0] - header.order[0]) for other in near if not other.dress}
    return bool(steps & {0, 1})
