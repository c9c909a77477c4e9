"""Read XML and JSON of the law portal as one tree that keeps every text in the file's order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.readers.archives import local_name, parse_xml
from kofinlaw.data.readers.office.number_marks import raised
from kofinlaw.decoding import decode

__all__ = ["Node", "json_tree", "xml_tree"]

_MAX_DEPTH = 200
# The names under which JSON has the text of an element that also has attributes
_OWN_TEXT = frozenset(["content", "#text", "_text", "$", "$t", "#cdata", "#cdata-section"])
_OWN_TEXT |= frozenset(["_cdata", "__cdata"])
# Elements that only mark words inside a text
_INLINE = frozenset(["b", "i", "u", "em", "strong", "sub", "sup", "span", "font", "a"])


@dataclass(frozen=True, slots=True)
class Node:
    """A named part of a portal document; `parts` are its texts and inner nodes in file order."""

    name: str
    parts: tuple[str | Node, ...]

    @property
    def nodes(self) -> Iterator[Node]:
        """Yield the inner nodes."""
        return (part for part in self.parts if isinstance(part, Node))

    @property
    def own_text(self) -> str:
        """The texts directly in this node, without those of inner nodes."""
        return "".join(part for part in self.parts if isinstance(part, str)).strip()

    def first(self, *names: str) -> str:
        """Return the own text of the first inner node with one of these names; empty if none."""
        found = (node.own_text for node in self.nodes if node.name in names)
        return next((text for text in found if text), "")

    def has(self, *names: str) -> bool:
        """Return whether an inner node has one of these names."""
        return any(node.name in names for node in self.nodes)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """A JSON object as pairs: a name may occur twice, and both values count."""

    pairs: list[tuple[str, object]]


def xml_tree(data: bytes, name: str) -> Node:
    """Return the root of an XML document.

    Attributes are codes of the portal, not text, and are left out. Raises UserError as `parse_xml`.
    """
    root = parse_xml(data, name)
    return Node("", (_of_element(root),))


def _of_element(element: Element) -> Node:
    parts: list[str | Node] = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):  # not a comment or a processing instruction
            inner = _of_element(child)
            if inner.name == "sup":
                inner = Node(inner.name, tuple(map(_raised, inner.parts)))
            parts += inner.parts if inner.name in _INLINE else (inner,)
        parts.append(child.tail or "")
    return Node(local_name(element.tag), tuple(part for part in parts if part))


def _raised(part: str | Node) -> str | Node:
    return raised(part) if isinstance(part, str) else part


def json_tree(data: bytes) -> Node:
    """Return the root of a JSON document.

    Each value of a list becomes a node with the name of the list. Names with `@` in front are
    attributes, which are left out as in XML. Raises UserError if the bytes are not JSON, or if the
    values nest deeper than 200 levels.
    """
    try:
        value = json.loads(decode(data, records=True)[0], object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise UserError(f"not JSON: {error}") from error
    return Node("", tuple(_of_value("", value, 0)))


def _of_value(name: str, value: object, depth: int) -> Iterator[str | Node]:
    """Yield the parts that a value with this name adds to the node around it."""
    if depth > _MAX_DEPTH:
        raise UserError(f"the JSON file nests deeper than {_MAX_DEPTH} levels")
    if isinstance(value, list):
        for item in value:
            yield from _of_value(name, item, depth + 1)
    elif isinstance(value, _Pairs):
        parts = tuple(
            part
            for key, inner in value.pairs
            if not key.startswith("@")
            for part in _of_value(key, inner, depth + 1)
        )
        if name:
            yield Node(name, parts)
        else:
            yield from parts
    elif value is not None and value != "":
        text = ("true" if value else "false") if isinstance(value, bool) else str(value)
        if name in _OWN_TEXT:
            yield text
        else:
            yield Node(name, (text,))
