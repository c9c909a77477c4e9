"""Define the facts of a document that stay in memory while its text is on disk."""

from __future__ import annotations

from dataclasses import dataclass

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

    @property
    def id(self) -> str:
        """The `document_id` of its chunks."""
        name = document_id(self.title)
        return f"{name}@{self.version}" if self.version else name
