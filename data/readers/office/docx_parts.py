"""Find the parts of a DOCX file by their relations: Word Online writes `word/document2.xml`.

Source: ISO/IEC 29500-2, 9.3 (relationships).
"""

from __future__ import annotations

import posixpath
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.readers.archives import Archive

__all__ = ["DocxParts"]


class DocxParts:
    """The parts of a DOCX file: the document, and what it refers to.

    Raises UserError if there is no document.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        stated = _relations(archive, "").by_kind.get("officeDocument", "")
        self.main = stated if stated in archive.names else "word/document.xml"
        if self.main not in archive.names:
            raise UserError("no word/document.xml in the DOCX file")
        self._own = _relations(archive, self.main)

    def root(self, kind: str) -> Element:
        """Return the root of a part such as `styles`; an empty element without the part."""
        stated = self._own.by_kind.get(kind, "")
        name = stated if stated in self._archive.names else f"word/{kind}.xml"
        return self._archive.xml(name) if name in self._archive.names else Element(kind)

    def related(self, identity: str) -> Element | None:
        """Return the root of the part with this relation id; None without the part."""
        name = self._own.by_id.get(identity, "")
        return self._archive.xml(name) if name in self._archive.names else None


class _Relations:
    """The relations of a part: names of parts by relation id, and by the last word of the type."""

    def __init__(self) -> None:
        self.by_id: dict[str, str] = {}
        self.by_kind: dict[str, str] = {}


def _relations(archive: Archive, part: str) -> _Relations:
    """Return the relations of a part; of the whole file, if its name is empty."""
    out = _Relations()
    folder, _, file = part.rpartition("/")
    name = posixpath.join(folder, "_rels", f"{file}.rels")
    if name not in archive.names:
        return out
    for node in archive.xml(name):
        target = node.get("Target", "")
        if node.get("TargetMode") == "External" or not target:
            continue
        found = posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
        out.by_id.setdefault(node.get("Id", ""), found)
        out.by_kind.setdefault(node.get("Type", "").rpartition("/")[2], found)
    return out
