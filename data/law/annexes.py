"""Read the names of annexes (별표), forms (별지) and supplementary provisions (부칙).

An annex is often a file of its own next to its regulation: `별표2의2.md`, `별표1-2.md`,
`[별표 3] 자산건전성 분류기준(은행업감독규정).hwpx`, and `기타1.md` for a form without a number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from kofinlaw.data.law.amendments import strip_amendments

__all__ = [
    "Annex",
    "annex_name",
    "annex_of_file",
    "annex_spelling",
    "deleted_annex",
    "only_deleted",
    "split_unit",
    "without_annex_name",
]

_NAME = re.compile(
    r"(?P<word>별표|별지|서식)\s*+(?:제\s*+)?(?:(?P<number>\d+(?:\s*-\s*\d+)*)\s*+호?"
    r"(?P<branch>(?:\s*의\s*\d+)*))?(?:\s*+호?\s*+서식)?"
)
_ANNEX_UNIT = re.compile(r"^(.*) ((?:별표|별지|서식|부칙)(?: \S+)?|기타 \d+)$")
_OTHER = re.compile(r"기타\s*(\d+)$")
_OPENING = r"[\s<\[〈【(■□▣○#|]*"
_CLOSING = r"\s*[>\]〉】)]?\s*"
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+")
_LEADING = re.compile(
    r"^\s*+[■□▣○]?\s*+[<\[〈【]\s*(?:별표|별지|서식)\s*+(?:제?\s*+\d[^>\]〉】]*)?[>\]〉】]"
)
_LETTERS = r"[^<\[〈【>\]〉】|]"
_OWNED = re.compile(
    rf"^\s*+(?:[■□▣○]\s*+(?P<before>{_LETTERS}{{2,80}}?)\s*"
    r"[<\[〈【]\s*(?P<one>(?:별표|별지|서식)[^>\]〉】]*)[>\]〉】]"
    rf"|[<\[〈【]\s*+(?P<inside>{_LETTERS}{{2,80}}?)\s++"
    r"(?P<two>(?:별표|별지)\s*+제?\s*+\d[^>\]〉】]*)[>\]〉】])"
)
_ITEM = re.compile(r"^\s*(?:\d+(?:\.\d+)*\s*[.)]|[가-하]\s*[.)]|[①-⑳]|[-·•※○])")
_CITES = re.compile(r"^\((?>[^()]*?(?:제\s*\d|별표))[^()]*\)$")
_DELETED = re.compile(r"^[<〈(\[＜\s]*삭\s*제[\s\d.,<>〈〉()\[\]＜＞년월일삭제-]*$")
_DELETED_TAG = re.compile(r"[<〈(\[＜]\s*삭\s*제[\d.,\s-]*[>〉)\]＞]")
_RECORD = re.compile(r"#\d+$")
_FIRST_LINES = 12
_MOST_TITLE = 120  # characters
_MOST_DELETED_LINES = 6  # a deleted annex has no more, and no more characters
_MOST_DELETED = 400


@dataclass(frozen=True, slots=True)
class Annex:
    """An annex in a file of its own.

    - `name` is its name in the spelling of references (`별표 2의2`).
    - `heading` is its title, with the article that it belongs to (`인 가 절 차(제5조 관련)`).
    - `of` is the regulation that the file or its text names, or empty.
    - `deleted` is true if the text only says that the annex was deleted.
    - `sure` is false if only the words of the file name suggest an annex of `of`.
    """

    name: str
    heading: str
    of: str
    deleted: bool = False
    sure: bool = True

    @property
    def title(self) -> str:
        """`[별표 2의2] 인 가 절 차(제5조 관련)`."""
        return f"[{self.name}] {self.heading}".strip()


def annex_name(title: str) -> str:
    """Return the name in the spelling of references: `별표 1의2`, `별지 제3호의2서식`.

    All spellings (`[별표1의2] 과태료의 부과기준`, `별지 제3호의2 서식`) give the same name. The
    result is empty if the title does not start with such a name.
    """
    match = _NAME.match(re.sub(rf"^{_OPENING}", "", title))
    if match is None:
        return ""
    return annex_spelling(
        match.group("word"), match.group("number") or "", match.group("branch") or ""
    )


def annex_spelling(word: str, number: str, branch: str = "") -> str:
    """Return the name of these parts, always in the same spelling."""
    number, branch = re.sub(r"\s", "", number), re.sub(r"\s", "", branch)
    if not number:
        return word
    return f"별지 제{number}호{branch}서식" if word == "별지" else f"{word} {number}{branch}"


def split_unit(unit: str) -> tuple[str, str]:
    """Return (title, name) of `전자금융거래법 제9조` or `전자금융거래법 시행령 별표 1`."""
    if match := _ANNEX_UNIT.match(unit):
        return match.group(1), match.group(2)
    title, _, name = unit.rpartition(" ")
    return title, name


def without_annex_name(line: str) -> str:
    """Return a line without the name of an annex at its start: `<별표 8> 삭제` gives ` 삭제`."""
    bare = re.sub(rf"^{_OPENING}", "", line)
    match = _NAME.match(bare)
    return re.sub(rf"^{_CLOSING}", "", bare[match.end() :]) if match else line


def deleted_annex(body: str) -> bool:
    """Return whether the text of an annex only says that it was deleted: `삭제 <2016.7.28.>`."""
    return bool(_DELETED.match(" ".join(body.split())))


def only_deleted(lines: Iterable[str]) -> bool:
    """Return whether the lines have nothing but names, a title and the word that it is deleted."""
    filled = [line.strip() for line in lines if line.strip()]
    if len(filled) > _MOST_DELETED_LINES or sum(map(len, filled)) > _MOST_DELETED:
        return False
    return any(deleted_annex(without_annex_name(line)) for line in filled)


def annex_of_file(name: str, text: str, *, articles: bool = False) -> Annex | None:
    """Return the annex that a file is, by its first lines and its name; None for another file.

    Args:
        name: The file as records cite it (`regulations/은행업감독규정/별표3.md`).
        text: Its text as Markdown.
        articles: Whether the text has articles, so that only the file name can make it an annex.

    A record of a table is not an annex. A name in the first lines wins over that of the file: a
    form in `기타1.md` says `<별지 제6-2호>`.
    """
    if _RECORD.search(name):
        return None
    stem = re.sub(r"@[0-9a-f]{7,40}$", "", name.rpartition("/")[2])
    stem = unicodedata.normalize("NFC", re.sub(r"\.[^.]*$", "", stem)).strip()
    lines = [line for line in text.split("\n") if line.strip()][:_FIRST_LINES]
    by_file, of_file, sure = _by_file(stem)
    by_text, of_text = ("", "") if articles else _by_text(lines)
    if not by_file and not by_text:
        return None
    return Annex(
        name=by_text or by_file,
        heading=_title(lines),
        of=of_text or of_file,
        deleted=only_deleted([_HEADING.sub("", line) for line in text.split("\n")]),
        sure=sure or bool(by_text),
    )


def _by_file(stem: str) -> tuple[str, str, bool]:
    """Return (name, regulation, whether the name is sure) by the stem of a file name."""
    plain = re.sub(r"[_\s]+", " ", stem)
    if match := _OTHER.match(plain):
        return f"기타 {match.group(1)}", "", True
    bare = re.sub(rf"^{_OPENING}", "", plain)
    if (match := _NAME.match(bare)) and (match.group("number") or len(bare) <= 4):
        # The law portal names a file `[별표 3] 자산건전성 분류기준(은행업감독규정)`.
        named = re.search(r"\(([^()]{2,80})\)\s*$", bare[match.end() :])
        rest = bare[match.end() : match.end() + 1]
        if not re.match(r"[가-힣\d]", rest):
            return annex_name(bare), named.group(1).strip() if named else "", True
    if match := re.match(r"^(.{2,80}?) ?[-–]? ?[<\[〈【(]? ?((?:별표|별지) ?제? ?\d.*)$", plain):
        return annex_name(match.group(2)), match.group(1).strip(" -–_"), False
    return "", "", False


def _by_text(lines: list[str]) -> tuple[str, str]:
    """Return (name, regulation) that the first lines name; empty texts if they name none."""
    name = of = ""
    for index, line in enumerate(lines[:4]):
        bare = _HEADING.sub("", line)
        bare = re.sub(r"^\s*\|\s*", "", bare)
        if match := _OWNED.match(bare):
            name = name or annex_name(match.group("one") or match.group("two"))
            of = of or (match.group("before") or match.group("inside")).strip()
        elif _LEADING.match(bare) and (index == 0 or not name):
            name = name or annex_name(bare)
    return name, of


def _title(lines: list[str]) -> str:
    """Return the title of an annex in its first lines, with the articles that it names."""
    title = ""
    for line in lines:
        words = _HEADING.sub("", line).strip()
        if words.startswith("|"):
            cell = words.strip("| ").partition("|")[0].strip()
            return title or (cell if len(cell) <= _MOST_TITLE and not _ITEM.match(cell) else "")
        words = _OWNED.sub("", words)
        if annex_name(words) and (match := _NAME.match(re.sub(rf"^{_OPENING}", "", words))):
            words = re.sub(rf"^{_OPENING}", "", words)[match.end() :]
        words = _OWNED.sub("", re.sub(r"^\s*[>\]〉】)]+", "", words))
        words = strip_amendments(_DELETED_TAG.sub(" ", words))[0].strip(" ,.\t■")
        words = " ".join(re.sub(r"[<〈][^<>〈〉]*[>〉]", "", words).split())
        if not re.search(r"[가-힣]{2}|[가-힣] [가-힣]", words) or _DELETED.match(words):
            continue
        if words == title:
            continue  # the heading of the file, and again the title of the text
        if title:
            return f"{title}{words}"[:_MOST_TITLE] if _CITES.match(words) else title
        if _ITEM.match(words):
            break
        title = words[:_MOST_TITLE].strip()
        if title.endswith(")"):
            break
    return title
