"""A document as every reader gives it: text in light Markdown, with its date and licence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from kofinlaw.data.law.statute import looks_like_statute
from kofinlaw.data.licences import NOT_PROTECTED, UNKNOWN, normalise, stated_in
from kofinlaw.records import Kind

_STATUTE_TITLE = re.compile(r"(법|법률|시행령|시행규칙|헌법)$")
_RULE_TITLE = re.compile(r"(규정|세칙|고시|훈령|예규|내규|규칙|지침|기준|약관|조례)$")
_RULE_TYPE = re.compile(r"(내규|고시|훈령|예규|지침|세칙|규정|행정규칙)$")
_PORTAL = re.compile(r"^https?://(?:www\.)?law\.go\.kr/")


@dataclass(frozen=True, slots=True)
class Document:
    """A document read from a file or from a record of a table.

    `text` is Markdown without front matter: `#` headings, `|` table rows, plain lines. `source` is
    the file's path below its source (and the record's number); `as_of` an ISO day or empty.
    """

    title: str
    kind: Kind
    text: str
    as_of: str
    source: str
    license: str
    format: str
    meta: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The title with the characters that structure a chunk's id replaced."""
        return document_id(self.title)


def document_id(title: str) -> str:
    """A document's id: its title, blanks as `_`, slashes as `∕`."""
    return re.sub(r"\s+", "_", title.strip()).replace("/", "∕")


def iso_day(value: Any) -> str:
    """An ISO day from `2024-09-15`, `20240915`, `2024. 9. 15.` or a date; empty if it is none."""
    text = str(value or "").strip()
    match = re.match(r"^(\d{4})-(\d{2})-(\d{2})", text) or re.match(
        r"^(\d{4})(\d{2})(\d{2})$", text
    )
    if match is None:
        match = re.search(r"(\d{4})\s*[.년/]\s*(\d{1,2})\s*[.월/]\s*(\d{1,2})", text)
    if match is None:
        return ""
    year, month, day = (int(part) for part in match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return ""
    return f"{year:04d}-{month:02d}-{day:02d}"


def guess_kind(title: str, text: str, meta: dict[str, str]) -> Kind:
    """The kind of a document by its front matter, its structure and its title, in that order."""
    if _RULE_TYPE.search(meta.get("법령구분", "")):
        return "rule"
    if meta.get("법령구분") or meta.get("법령ID"):
        return "statute"
    if meta.get("행정규칙종류") or meta.get("행정규칙ID"):
        return "rule"
    if meta.get("사건번호"):
        return "case"
    if looks_like_statute(text):
        return "statute" if _STATUTE_TITLE.search(title.strip()) else "rule"
    if _RULE_TITLE.search(title.strip()) and not re.search(r"^#{1,6} ", text, re.MULTILINE):
        return "rule"
    return "guideline" if re.search(r"^#{1,6} ", text, re.MULTILINE) else "other"


def guess_license(kind: Kind, text: str, meta: dict[str, str]) -> str:
    """The licence that front matter or the text names, article 7 for the law portal's texts."""
    stated = meta.get("license") or meta.get("라이선스") or meta.get("이용조건") or ""
    if stated:
        return normalise(stated)
    from_portal = bool(_PORTAL.match(meta.get("출처", "")))
    if from_portal or meta.get("법령ID") or meta.get("행정규칙ID") or kind == "case":
        return NOT_PROTECTED
    return stated_in(text) or UNKNOWN
