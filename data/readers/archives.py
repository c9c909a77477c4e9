"""Read zip archives and the XML inside them, with limits on size and depth."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from kofinlaw import UserError
from kofinlaw.units import MIB

__all__ = ["Archive", "attribute", "local_name", "parse_xml"]

_MAX_MEMBERS = 10_000
# Office files with real text are compressed 5 to 20 times; a ratio of a thousand is a zip bomb.
_MAX_COMPRESSION_RATIO = 1000
_MAX_XML_DEPTH = 200
# The first bytes of an OLE container: legacy Office files, and encrypted files of the open formats.
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_DECLARATIONS = tuple(
    text.encode(encoding)
    for text in ("<!DOCTYPE", "<!ENTITY")
    for encoding in ("ascii", "utf-16-le", "utf-16-be")
)
_KOREAN = re.compile(
    rb"(\s{0,99}<\?xml [^>]{0,200}?encoding=[\"'])"
    rb"(?:euc-kr|cp949|ms949|uhc|ks_c_5601-1987)(?=[\"'])",
    re.IGNORECASE,
)


class Archive:
    """A zip file whose members are read by name; nothing is extracted to the disk.

    Raises UserError if the archive is broken, has too many members, or would unpack to more than
    `expanded_mebibytes` in total, or if it is an encrypted or legacy Office file.
    """

    def __init__(self, path: Path, expanded_mebibytes: int) -> None:
        _refuse_ole(path)
        try:
            self._zip = zipfile.ZipFile(path)
            infos = self._zip.infolist()
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise UserError(f"the archive is broken: {error}") from error
        if len(infos) > _MAX_MEMBERS:
            raise UserError(f"the archive holds {len(infos)} files, more than {_MAX_MEMBERS}")
        total = sum(info.file_size for info in infos)
        packed = max(1, path.stat().st_size)
        if total > expanded_mebibytes * MIB or (
            total > MIB and total > _MAX_COMPRESSION_RATIO * packed
        ):
            raise UserError(
                f"the archive unpacks to {total / MIB:.0f} MiB",
                remedy="it looks like a zip bomb; if not, raise data.limits.expanded_mebibytes",
            )
        self._left = expanded_mebibytes * MIB
        self.names = [info.filename for info in infos]

    def read(self, name: str) -> bytes:
        """Return the bytes of a member.

        The size in the archive's directory is not trusted. Raises UserError if the member is
        missing, damaged or too large.
        """
        try:
            with self._zip.open(name) as handle:
                data = handle.read(self._left + 1)
        except (KeyError, zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError) as error:
            raise UserError(f"{name} in the archive cannot be read: {error}") from error
        except Exception as error:  # zlib.error and similar errors of the decompressors
            raise UserError(f"{name} in the archive is damaged: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise UserError(f"{name} unpacks to more than the limit")
        return data

    def xml(self, name: str) -> Element:
        """Return the XML root element of a member.

        Raises UserError as `read` and `parse_xml` do.
        """
        return parse_xml(self.read(name), name)

    def checked_xml(self) -> Iterator[tuple[str, bytes]]:
        """Yield (name, bytes) of each XML member. For archives that another library then reads.

        Raises UserError if a member declares entities or a document type, or if the members do not
        fit into the limit.
        """
        left = self._left
        for name in self.names:
            if name.lower().endswith((".xml", ".rels", ".vml")):
                data = self.read(name)
                if any(declaration in data for declaration in _DECLARATIONS):
                    raise UserError(f"{name} declares a document type or entities: refused")
                yield name, data
        self._left = left

    def refuse_declarations(self) -> None:
        """Check all XML members as `checked_xml` does."""
        for _ in self.checked_xml():
            pass

    def refuse_encrypted(self) -> None:
        """Raise UserError if the manifest of an OpenDocument or HWPX file names encrypted parts."""
        name = "META-INF/manifest.xml"
        if name in self.names and b"encryption-data" in self.read(name):
            raise UserError("the file is encrypted", remedy="save it without a password")

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _refuse_ole(path: Path) -> None:
    """Raise UserError if the file is an OLE container, and tell encrypted from legacy files."""
    try:
        with path.open("rb") as handle:
            if handle.read(len(_OLE)) != _OLE:
                return
            data = handle.read()
    except OSError as error:
        raise UserError(f"the file cannot be opened: {error}") from error
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise UserError("the file is encrypted", remedy="save it without a password")
    raise UserError(
        "the file has an older format than its name says",
        remedy="save it again as DOCX, XLSX, PPTX or HWPX",
    )


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root element of XML bytes.

    Raises UserError if the XML is broken, declares entities or a document type, or is nested deeper
    than 200 elements.
    """
    try:
        data = _as_utf8(data)
        root = fromstring(data, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise UserError(f"{name} declares a document type or entities: refused") from error
    except (ParseError, ValueError, LookupError) as error:
        raise UserError(f"{name} is not well-formed XML: {error}") from error
    level: list[Element] = [root]
    depth = 0
    while level:
        depth += 1
        if depth > _MAX_XML_DEPTH:
            raise UserError(f"{name} nests deeper than {_MAX_XML_DEPTH} elements")
        level = [child for node in level for child in node]
    return root


def _as_utf8(data: bytes) -> bytes:
    """Return XML in a Korean encoding as UTF-8; the XML parser knows no encodings of two bytes."""
    match = _KOREAN.match(data)
    if match is None:
        return data
    text = data[match.end() :].decode("cp949")  # a ValueError if it is not
    return match[1] + b"UTF-8" + text.encode("utf-8")


def local_name(tag: str) -> str:
    """Return the name of an element without its namespace."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(node: Element, name: str) -> str:
    """Return an attribute by its name without the namespace; empty if there is none."""
    return next((value for key, value in node.attrib.items() if local_name(key) == name), "")
