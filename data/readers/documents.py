"""Define the document that every reader returns, and guess its kind, date and licence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kofinlaw.data.law.annexes import Annex, annex_of_file
from kofinlaw.data.law.headers import standard_provisions
from kofinlaw.data.law.headings import markdown_heading
from kofinlaw.data.law.statute import looks_like_statute
from kofinlaw.data.law.titles import document_id, title_key
from kofinlaw.data.licences import NOT_PROTECTED, UNKNOWN, normalise_licence, stated_licence
from kofinlaw.data.readers.days import in_force_day
from kofinlaw.data.readers.frames import drawn_tables
from kofinlaw.data.readers.paged.unread_pages import Pages
from kofinlaw.data.settings import SourceSettings
from kofinlaw.decoding import clean_text, clean_value
from kofinlaw.records import Kind

__all__ = [
    "LAW_NUMBERS",
    "Document",
    "TitleOrigin",
    "file_suffix",
    "guess_kind",
    "guess_license",
    "is_placeholder_title",
    "make_document",
    "refused_document",
]

_STATUTE_TITLE = re.compile(r"(법|법률|시행령|시행규칙|헌법)$")
_RULE_TITLE = re.compile(r"(규정|세칙|고시|훈령|예규|내규|규칙|지침|기준|약관|조례)$")
_RULE_TYPE = re.compile(r"(내규|고시|훈령|예규|지침|세칙|규정|행정규칙)$")
_PLACEHOLDER = re.compile(
    r"""
    microsoft\ (?:office\ )?(?:word|powerpoint|excel)\s*-.*
    | (?:(?:여기에|클릭하여|클릭하고|마스터)\s?){0,3}(?:문서\s?)?제목[을를]?\s?
      (?:입력|추가|편집|스타일|쓰기|넣기)[가-힣\s]{0,20}
    | (?:click\ (?:here\ )?to\ )?(?:add|edit|enter|type|insert)
      (?:\ (?:the|a|your|document|master)){0,2}\ title(?:\ here|\ style)?
    | (?:
        이름\s?없(?:음|는\s?문서) | (?:문서|슬라이드)\s?제목 | 한글\s?문서 | document\ title | doc
        | null | none | n/?a |
        제목\s?없음 | 제목\s?없는\s?(?:문서|프레젠테이션|스프레드시트) | 제\s?목 | 빈\s?문서
        | 제목\s?미정 | 무제(?:\s?문서)? | 표지 | 목차 | 차례 | 양식 | 서식 | 템플릿 | 내용\s?없음
        | (?:워드|구글|google)\s?(?:문서|docs) | (?:unknown|pdf)(?:\ (?:document|title))?
        | adobe\ pdf | no\ ?name | default | index | file | title\ here | (?:temp|tmp)\d*+
        | 새\s?(?:문서|글|파일|텍스트\ 문서|(?:microsoft\ )?(?:word|powerpoint|excel)\ \S.*+)
        | 문서 | 통합\s?문서 | 프레젠테이션 | 슬라이드 | 시트 | powerpoint\ 프레젠테이션
        | untitled(?:\s?(?:document|presentation|spreadsheet|page|note))? | no\s?title | title
        | new\s(?:document|file|page|(?:rich\ )?text\ document|microsoft\ .*+)
        | document | presentation | powerpoint\ presentation | slide(?:\ title)? | workbook
        | book | sheet | print | newfile
        | (?:scan(?:ned)?|image|img|스캔)(?:\s?(?:document|문서|이미지))?[\s_\d-]*+
        | (?:word|blank)\ document | template | normal | hwp\ document | hwp | 한글\s?문서\s?파일
        | hwp\ 문서
      )
      [\s_-]*\(?\d{0,3}\)?
      (?:\.(?:docx?|hwpx?|pptx?|xlsx?|pdf|rtf|odt|txt|html?|md|dotm|tmp))?
    """,
    re.IGNORECASE | re.VERBOSE,
)
# The header of an article is the first line of many files.
_ARTICLE = re.compile(
    r"제\s?\d{1,4}\s?조(?:\s?의\s?\d{1,3})?\s?(?:[(\[【〔].*|목적|정의|총칙|명칭)?", re.DOTALL
)
_AROUND_TITLE = " \t\n()[]<>「」『』\"'*.:-_#"
_COPY = re.compile(
    r"\A(?:copy\ of|사본\s?-)\s*|(?:의\s사본|\s?-\s?(?:복사본|사본|copy))(?:\s?\(\d{1,3}\)?)?\Z",
    re.IGNORECASE,
)
_VARIABLE = re.compile(
    r"[{$%]{1,3}\s?[\w.-]{1,40}\s?[}%]{1,2}"
)  # of a template: {{title}}, ${title}
_OPENING = 2000  # characters of a text that may state its title
# Front matter of the law portal that numbers an act or rule, the same in all its versions
LAW_NUMBERS = ("법령ID", "행정규칙ID")
# Where a title was found: `text` is also the name of the file
TitleOrigin = Literal["recipe", "metadata", "text"]
_PORTAL = re.compile(r"^https?://(?:www\.)?law\.go\.kr/")


@dataclass(frozen=True, slots=True)
class Document:
    """A document from a file, or from one record of a table.

    - `text` is Markdown without front matter: `#` headings, `|` table rows and plain lines.
    - `as_of` is an ISO day or empty, `day_from` where it was found (`front matter: 시행일자`).
    - `source` is the path of the file in its source, with the number of the record.
    - `meta` is the front matter, or what the file says instead of it.
    - `annex` is set for an annex in a file of its own; its `title` is then the annex's.
    - `pages` says how the pages of a file with pages were read.
    - `title_from` is where the title was found: `metadata` only if neither the text nor the file's
      name has it. `other_title` is then the first heading or the file's name.
    - `fault` says why a record of a file cannot be read. Such a document has no text.
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
    day_from: str = ""
    annex: Annex | None = None
    pages: Pages = field(default_factory=Pages)
    title_from: TitleOrigin = "text"
    other_title: str = ""
    fault: str = ""

    @property
    def id(self) -> str:
        """The title without blanks and slashes, which structure the ids of chunks."""
        return document_id(self.title)


def file_suffix(path: Path) -> str:
    """Return the suffix of the file in lower case; `.jsonl.xz` counts as one suffix."""
    lower = path.name.lower()
    return ".jsonl.xz" if lower.endswith(".jsonl.xz") else path.suffix.lower()


def make_document(
    text: str,
    source: SourceSettings,
    name: str,
    format_name: str,
    meta: dict[str, str],
    warning: str = "",
    pages: Pages | None = None,
) -> Document:
    """Return the document of a text, with title, kind, day and licence from its front matter
    or source.

    Args:
        text: The text as Markdown, without front matter.
        source: The settings of the source; its `title`, `kind` and `license` win.
        name: How records cite the file.
        format_name: The value of `Document.format`.
        meta: The front matter.
        warning: A warning about the file for the data card.
        pages: How its pages were read. Drawn tables in a text with pages are already converted.
    """
    text = text if pages else standard_provisions(drawn_tables(clean_text(text)))
    meta = clean_value(meta)
    stated_title, heading = source.title or _stated_title(meta), _first_heading(text)
    stem = Path(name).stem.replace("_", " ")
    title = _one_line(stated_title or heading or stem)
    title_from = _title_origin(title, text, name, meta) if stated_title else "text"
    if source.title:
        title_from = "recipe"
    kind = source.kind or guess_kind(title, text, meta)
    stated = source.as_of.isoformat() if source.as_of else ""
    day = in_force_day(text, meta, name, stated)
    return Document(
        title=title,
        kind=kind,
        text=text,
        as_of=day.day,
        source=name,
        license=normalise_licence(source.license)
        if source.license
        else guess_license(kind, text, meta),
        format=format_name,
        meta=meta,
        warnings=(warning,) if warning else (),
        day_from=day.origin,
        annex=annex_of_file(name, text, articles=looks_like_statute(text)),
        pages=pages or Pages(),
        title_from=title_from,
        other_title=_one_line(heading or stem) if title_from == "metadata" else "",
    )


def refused_document(name: str, format_name: str, fault: str) -> Document:
    """Return the place of a record that cannot be read, with the reason in `fault`."""
    return Document("", "other", "", "", name, "", format_name, fault=fault)


def _one_line(title: str) -> str:
    return clean_text(title).replace("\n", " ").strip()


def _title_origin(title: str, text: str, name: str, meta: Mapping[str, str]) -> TitleOrigin:
    """Return `text` for a title that the text, the file's name or the law portal states too."""
    key = title_key(title)
    if any(meta.get(number) for number in LAW_NUMBERS) or re.search(r"#\d+$", name):
        return "text"
    shown = key in title_key(text[:_OPENING]) or key in title_key(clean_text(Path(name).stem))
    return "text" if shown else "metadata"


def _stated_title(meta: dict[str, str]) -> str:
    titles = (meta.get(name, "") for name in ("제목", "title", "slide_title", "first_heading"))
    return next((title for title in titles if title and not is_placeholder_title(title)), "")


def _first_heading(text: str) -> str:
    for line in text[:20000].splitlines():
        heading = markdown_heading(line) if line.startswith("#") else None
        if heading and heading[0] == 1 and not is_placeholder_title(heading[1]):
            return heading[1]
    return ""


def is_placeholder_title(title: str) -> bool:
    """Return whether a title is one that a program writes into a new or printed file.

    Examples: `제목 없음`, `Untitled 2`, `문서1`, `Microsoft Word - 여신규정.doc`, a copy of one of
    them, a title without letters, and the header of an article.
    """
    text = unicodedata.normalize("NFKC", clean_text(title)).strip()
    plain = _COPY.sub("", text.strip(_AROUND_TITLE)).strip(_AROUND_TITLE)
    if _VARIABLE.fullmatch(text) or _ARTICLE.fullmatch(text):
        return True
    return not re.search(r"[^\W\d_]", plain) or bool(_PLACEHOLDER.fullmatch(plain))


def guess_kind(title: str, text: str, meta: dict[str, str]) -> Kind:
    """Guess the kind of a document by front matter, structure and title, in that order."""
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
    """Return the licence that the front matter or the text names.

    Texts of the law portal and court decisions are not protected (Copyright Act, article 7).
    """
    stated = meta.get("license") or meta.get("라이선스") or meta.get("이용조건") or ""
    if stated:
        return normalise_licence(stated)
    from_portal = bool(_PORTAL.match(meta.get("출처", "")))
    if from_portal or meta.get("법령ID") or meta.get("행정규칙ID") or kind == "case":
        return NOT_PROTECTED
    return stated_licence(text) or UNKNOWN
