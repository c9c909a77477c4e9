"""What is known of a document without its text."""

from __future__ import annotations

from dataclasses import dataclass

from kofinlaw.data.readers.documents import document_id
from kofinlaw.records import Kind


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What is known of a document without its text; `place` is the document's in the spool.

    `first` is its first article's number where the document is not in force yet, `version` the
    day of a version that a newer one of the corpus follows (empty for the newest).
    """

    title: str
    kind: Kind
    as_of: str
    source: str
    license: str
    format: str
    sha256: str
    first: str
    place: int
    version: str = ""

    @property
    def id(self) -> str:
        """As `Chunk.document_id`."""
        name = document_id(self.title)
        return f"{name}@{self.version}" if self.version else name
