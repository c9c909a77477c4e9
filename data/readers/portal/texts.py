"""Write the texts of a portal node as lines in file order, with the numbers of 항, 호 and 목."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kofinlaw.data.law.provisions import CIRCLED
from kofinlaw.data.readers.portal.nodes import Node

__all__ = ["bare_number", "count_pictures", "count_texts", "lines_of", "number_of"]

_INDENTS = {"항": "", "호": "  ", "목": "    ", "세목": "      "}
# Elements inside a text; `br`, `p` and `div` also end a line
_LINE_ENDS = frozenset(["br", "p", "div"])
_INLINE = _LINE_ENDS | {"ruby"}
_PICTURE = re.compile(r"</?img\b[^<>]{0,2000}>", re.IGNORECASE)
_MARK = re.compile(
    rf"\s*(?:[{CIRCLED}]|\(?\d{{1,3}}(?:의\d{{1,3}})*\s?[.)]|[가-힣](?:의\d+)?\s?[.)])"
)
_NUMBER_NAME = re.compile(r"(?:항|호|목|세목)(?:가지)?번호")
_NUMBER = re.compile(rf"[{CIRCLED}]|\(?\d{{1,4}}[.)]?|[가-힣][.)]?")
# Names of codes, numbers and files, and the values that such a node has. With another value the
# node counts as text.
_CODE_NAME = re.compile(
    r"(?:키|번호|여부|일자|유형|구분|링크|파일명|파일|이동이전|이동이후|순번|코드|ID)$"
)
_CODE = re.compile(
    r"[\d.:_~-]*[A-Z]?|[A-Za-z]{1,3}|제?\s?\d{1,4}\s?[조호]?(?:\s?의\s?\d{1,3})?|조문|전문|별표|별지|서식|별도|부록|이동"
    r"|(?:(?:일부|전부|전문|타법|제목)?개정)|제정|신설|본조신설|삭제|폐지|(?:https?:|/)\S*"
    r"|\S.*\.(?:hwpx?|pdf|docx?|xlsx?|gif|png|jpe?g|bmp|tiff?|zip)",
    re.IGNORECASE,
)


def lines_of(node: Node) -> Iterator[str]:
    """Yield the lines of all texts in a node and below it, in order, indented by 호 and 목.

    A number (`항번호`) is written in front of its text if the text does not begin with one. Codes,
    days, names of files and the marks of pictures are left out.
    """
    for indent, text in _texts(node, ""):
        for line in _PICTURE.sub("", text).splitlines():
            if line.strip():
                yield f"{indent}{line.strip()}" if indent else line.rstrip()


def count_texts(node: Node) -> int:
    """Return the number of texts in a node and below it, without codes."""
    return 0 if _is_code(node) else sum(1 for _ in _texts(node, ""))


def count_pictures(node: Node) -> int:
    """Return the number of pictures (`<img>`) in a node and below it."""
    inside = (
        len(re.findall(r"(?i)<img\b", part)) if isinstance(part, str) else count_pictures(part)
        for part in node.parts
    )
    return sum(inside) + (node.name == "img")


def bare_number(text: str) -> str:
    """Return a number of the portal (`0003`, `3`) without zeros in front; nothing for `00`."""
    return re.sub(r"\D", "", text).lstrip("0")


def number_of(text: str) -> tuple[str, str]:
    """Return (number, branch) of the number of an article or annex: `3의2` has the branch 2."""
    number, _, branch = text.partition("의")
    return bare_number(number), bare_number(branch)


def _texts(node: Node, indent: str) -> Iterator[tuple[str, str]]:
    """Yield (indent, text) of the runs of text in a node and below it, in order."""
    indent = _INDENTS.get(_level(node), indent)
    numbers = _numbers(node)
    run: list[str] = []
    for part in node.parts:
        if isinstance(part, str):
            run.append(part)
            continue
        if part.name in _INLINE:
            end = "\n" if part.name in _LINE_ENDS else ""
            run.append(end + "\n".join(text for _, text in _texts(part, "")) + end)
            continue
        yield from _joined(indent, run)
        run = []
        waiting = numbers.get(_level(part), [])
        if _is_number(part):
            if waiting and not node.has(f"{_level(part)}내용"):
                yield _INDENTS[_level(part)], waiting.pop(0)
        elif not _is_code(part):
            number = waiting.pop(0) if waiting and part.name.endswith("내용") else ""
            for own, text in _texts(part, indent):
                yield own, text if not number or _MARK.match(text) else f"{number} {text.lstrip()}"
                number = ""
    yield from _joined(indent, run)


def _joined(indent: str, run: list[str]) -> Iterator[tuple[str, str]]:
    text = "".join(run)
    if text.strip():
        yield indent, text


def _level(node: Node) -> str:
    """Return 항, 호, 목 or 세목, if the name of a node begins with it; else nothing."""
    return next((level for level in _INDENTS if node.name.startswith(level)), "")


def _numbers(node: Node) -> dict[str, list[str]]:
    """Return the numbers directly in a node by their level (`호`), with their branches: `1의2.`"""
    out: dict[str, list[str]] = {}
    for part in node.nodes:
        if not _is_number(part):
            continue
        numbers = out.setdefault(_level(part), [])
        if "가지" not in part.name:
            numbers.append(_marked(_level(part), part.own_text))
        elif numbers and (branch := bare_number(part.own_text)):
            bare = numbers[-1].rstrip(".")
            numbers[-1] = f"{bare}의{branch}{numbers[-1][len(bare) :]}"
    return out


def _marked(level: str, number: str) -> str:
    """Return a number as a statute prints it: `1` is `①` for a 항, and `1.` for a 호."""
    if level == "항" and number.isdecimal() and 0 < int(number) <= len(CIRCLED):
        return CIRCLED[int(number) - 1]
    return f"{number}." if level in ("호", "목") and number.isalnum() else number


def _is_number(node: Node) -> bool:
    """Return whether a node is the number of a 항, 호 or 목 (`①`, `1.`, `가.`), or its branch."""
    if not _NUMBER_NAME.fullmatch(node.name) or any(node.nodes):
        return False
    return bool(_NUMBER.fullmatch(node.own_text))


def _is_code(node: Node) -> bool:
    """Return whether a node holds a code, a day, a number or a file, and no text."""
    if not _CODE_NAME.search(node.name) or any(node.nodes):
        return False
    return bool(_CODE.fullmatch(node.own_text))
