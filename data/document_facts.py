"""Define the facts of a document that stay in memory while its text is on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kofinlaw.data.law.annexes import Annex
from kofinlaw.data.law.titles import document_id
from kofinlaw.records import Kind

__all__ = ["DocumentFacts"]


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """A document without its text.

    - `row` is the row of the document in the spool.
    - `first_article` is the number of its first article if the document is not in force yet, else
      empty.
    - `version` is the ISO day of an earlier version of an act, and empty for the newest version.
    - `day_from` is where `as_of` was found (`front matter: 시행일자`, `부칙`), or empty.
    - `folder` is the folder of its file, `commit` whether its day is that of a git commit.
    - `rule_type` and `ministry` are 종류 and 소관부처, `serial` is the law portal's number of this
      version. They are empty if the file does not state them.
    - `ocr` are its pages (from 1) that were read by OCR, with their confidence (0 to 1).
    - `law_number` is the portal's number of the act or rule, the same in all versions; `articles`
      says whether the text has articles, and `sketch` is what `same_content` compares.
    - `title_from` and `other_title` are those of the document.
    - `annex` is set for an annex, `parts` are the annexes in files of their own that belong to it.
    """

    title: str
    kind: Kind
    as_of: str
    source: str
    license: str
    format: str
    sha256: str
    first_article: str
    row: int
    version: str = ""
    day_from: str = ""
    folder: str = ""
    commit: bool = False
    rule_type: str = ""
    ministry: str = ""
    serial: str = ""
    ocr: tuple[tuple[int, float], ...] = ()
    annex: Annex | None = None
    parts: tuple[DocumentFacts, ...] = ()
    law_number: str = ""
    articles: bool = False
    sketch: bytes = b""
    title_from: str = "text"
    other_title: str = ""

    @property
    def id(self) -> str:
        """The `document_id` of its chunks."""
        name = document_id(self.title)
        return f"{name}@{self.version}" if self.version else name

    def renamed(self, title: str) -> DocumentFacts:
        """Return the document with another title, which its annexes have too."""
        return replace(self, title=title, parts=tuple(replace(p, title=title) for p in self.parts))
