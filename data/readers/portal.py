"""Convert statutes from the law portal's interface (XML or JSON) to Markdown.

The fields are those of the portal's published guide (`법령`, `기본정보`, `조문`, `조문단위` …).
XML is converted to the nested mapping that the JSON has, so the same code reads both.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from kofinlaw import UserError
from kofinlaw.data.law.statute import plain_article
from kofinlaw.data.readers.archives import local_name, parse_xml
from kofinlaw.decoding import decode
from kofinlaw.results import JsonValue

__all__ = ["portal_to_markdown"]

_LEVELS = {"편": "#", "장": "##", "절": "###", "관": "####"}
_FACTS = {
    "법령명_한글": "제목",
    "법령명한글": "제목",
    "행정규칙명": "제목",
    "법령ID": "법령ID",
    "행정규칙ID": "행정규칙ID",
    "행정규칙종류": "행정규칙종류",
    "공포일자": "공포일자",
    "공포번호": "공포번호",
    "발령일자": "발령일자",
    "시행일자": "시행일자",
    "소관부처": "소관부처",
    "소관부처명": "소관부처",
}


def portal_to_markdown(path: Path) -> tuple[str, dict[str, str]]:
    """Return (Markdown in the format of legalize-kr, front matter) of a portal document.

    Raises UserError if the file is not well-formed, or does not come from the portal.
    """
    data = path.read_bytes()
    if path.suffix.lower() == ".json":
        try:
            tree: JsonValue = json.loads(decode(data)[0])
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(f"not JSON: {error}") from error
    else:
        root = parse_xml(data, path.name)
        tree = {local_name(root.tag): _mapping(root)}
    document = _document(tree)
    facts = _facts(document)
    if not facts.get("제목"):
        raise UserError("the document names no statute (법령명_한글, 행정규칙명)")
    lines = [f"# {facts['제목']}", "", *_articles(document), *_supplements(document)]
    return "\n".join(lines) + "\n", facts


def _mapping(node: Element) -> JsonValue:
    """Return an element as a mapping of its children (a list if a name repeats), or as its text."""
    children = list(node)
    if not children:
        return (node.text or "").strip()
    out: dict[str, JsonValue] = {}
    for child in children:
        name, value = local_name(child.tag), _mapping(child)
        if name in out:
            previous = out[name]
            out[name] = [*previous, value] if isinstance(previous, list) else [previous, value]
        else:
            out[name] = value
    return out


def _document(tree: JsonValue) -> dict[str, JsonValue]:
    for name in ("법령", "AdmRulService", "행정규칙"):
        document = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(document, dict):
            return document
    raise UserError("not a statute of the law portal: neither 법령 nor AdmRulService at the top")


def _facts(document: dict[str, JsonValue]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("기본정보", "행정규칙기본정보"):
        section = document.get(name)
        for key, value in section.items() if isinstance(section, dict) else ():
            if key in _FACTS and (text := _text(value)):
                found.setdefault(_FACTS[key], text)
    return found


def _articles(document: dict[str, JsonValue]) -> Iterator[str]:
    section = document.get("조문")
    units = _list(section.get("조문단위")) if isinstance(section, dict) else []
    for unit in units:
        if not isinstance(unit, dict):
            continue
        text = _text(unit.get("조문내용"))
        if _text(unit.get("조문여부")) == "전문":
            yield from _division(text)
            continue
        number = f"제{_text(unit.get('조문번호'))}조"
        if branch := _text(unit.get("조문가지번호")):
            number += f"의{branch}"
        title = _text(unit.get("조문제목"))
        yield from (f"##### {number} ({title})" if title else f"##### {number}", "")
        yield from _body(text)
        for paragraph in _list(unit.get("항")):
            yield from _provisions(paragraph)
        yield ""
    for item in _list(document.get("조문내용")):
        # In administrative rules each article is one text.
        text = _text(item)
        found = plain_article(text)
        if found is None:
            yield from _division(text)
        else:
            number, title, body = found
            yield from (f"##### {number} ({title})" if title else f"##### {number}", "")
            yield from (text[body:].strip(), "")


def _division(text: str) -> Iterator[str]:
    text = " ".join(text.split())
    level = next((mark for name, mark in _LEVELS.items() if name in text[:8]), "")
    if text:
        yield from (f"{level} {text}".strip(), "")


def _body(text: str) -> Iterator[str]:
    """Yield the text of an article after its header."""
    found = plain_article(text)
    rest = text[found[2] :].strip() if found else text.strip()
    if rest:
        yield rest


def _provisions(paragraph: JsonValue) -> Iterator[str]:
    if not isinstance(paragraph, dict):
        return
    if text := _text(paragraph.get("항내용")):
        yield from ("", text)
    for item in _list(paragraph.get("호")):
        if isinstance(item, dict):
            yield f"  {_text(item.get('호내용'))}"
            for subitem in _list(item.get("목")):
                if isinstance(subitem, dict):
                    yield from (f"    {text}" for text in _lines(subitem.get("목내용")))


def _supplements(document: dict[str, JsonValue]) -> Iterator[str]:
    section = document.get("부칙")
    units = _list(section.get("부칙단위")) if isinstance(section, dict) else []
    texts = [
        text for unit in units if isinstance(unit, dict) for text in _lines(unit.get("부칙내용"))
    ]
    if texts:
        yield from ("", "## 부칙", "", *texts)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def _lines(value: JsonValue) -> list[str]:
    """Return the lines of a text, or of texts in nested lists."""
    if isinstance(value, list):
        return [line for item in value for line in _lines(item)]
    return [line for line in _text(value).splitlines() if line.strip()]


def _text(value: JsonValue) -> str:
    if isinstance(value, dict):
        value = value.get("content", "")
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)
