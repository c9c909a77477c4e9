"""Zip archives and the XML inside them, read within limits."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from kofinlaw import UserError
from kofinlaw.units import MIB

_MOST_MEMBERS = 10_000
# Office files of real text pack 5 to 20 times; what packs a thousand times is a bomb.
_STEEPEST = 1000
_DEEPEST = 200


class Archive:
    """A zip file whose members are read by name, never to the disk.

    Raises UserError for a broken archive, one with too many members, or one that would unpack to
    more than `expanded_mebibytes` in all.
    """

    def __init__(self, path: Path, expanded_mebibytes: int) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            infos = self._zip.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UserError(f"the archive is broken: {error}") from error
        if len(infos) > _MOST_MEMBERS:
            raise UserError(f"the archive holds {len(infos)} files, more than {_MOST_MEMBERS}")
        total = sum(info.file_size for info in infos)
        packed = max(1, path.stat().st_size)
        if total > expanded_mebibytes * MIB or (total > MIB and total > _STEEPEST * packed):
            raise UserError(
                f"the archive unpacks to {total / MIB:.0f} MiB",
                remedy="it looks like a zip bomb; if not, raise data.limits.expanded_mebibytes",
            )
        self._left = expanded_mebibytes * MIB
        self.names = [info.filename for info in infos]

    def read(self, name: str) -> bytes:
        """A member's bytes; what the directory says of its size is not trusted."""
        try:
            with self._zip.open(name) as handle:
                data = handle.read(self._left + 1)
        except (KeyError, zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError) as error:
            raise UserError(f"{name} in the archive cannot be read: {error}") from error
        except Exception as error:  # zlib.error and the like, by their module's own names
            raise UserError(f"{name} in the archive is damaged: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise UserError(f"{name} unpacks to more than the limit")
        return data

    def xml(self, name: str) -> Any:
        """A member's XML root; entities and document types are refused."""
        return parse_xml(self.read(name), name)

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def parse_xml(data: bytes, name: str) -> Any:
    """The root element of XML bytes.

    Raises UserError for XML that is broken, declares entities, or nests deeper than 200.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise UserError(f"{name} declares a document type or entities: refused") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UserError(f"{name} is not well-formed XML: {error}") from error
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise UserError(f"{name} nests deeper than {_DEEPEST} elements")
        level = [child for node in level for child in node]
    return root


def local(tag: str) -> str:
    """An element's name without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
