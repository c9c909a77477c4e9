"""Turn a question's text into plain lines: HTML, Markdown tables and escaped line breaks."""

from __future__ import annotations

import html
import re

__all__ = ["bare_line", "plain_lines"]

_NEW_LINE = re.compile(
    r"<\s?/?\s?(?:br|p|div|tr|ol|ul|dl|dt|dd|table|tbody|thead|section|h[1-6])\b[^<>]{0,200}>",
    re.IGNORECASE,
)
_ITEM = re.compile(r"<\s?li\b[^<>]{0,200}>", re.IGNORECASE)
_CELL = re.compile(r"<\s?t[dh]\b[^<>]{0,200}>", re.IGNORECASE)
_INLINE = re.compile(
    r"<\s?/?\s?(?:li|td|th|span|b|strong|em|i|u|font|sup|sub|label|a|input|form|small|mark)\b[^<>]{0,200}>",
    re.IGNORECASE,
)
_RULE_SIGNS = frozenset(" |:+=-")  # a rule of a Markdown table
_BULLET = re.compile(r"^(?:[-*+•·◦▪○●□■][ \t]{1,8}){1,3}(?=\S)")
_ENDS = re.compile(r"\r\n?|[\u0085\u2028\u2029\v\f]")


def plain_lines(text: str) -> str:
    """Return the text with `\\n` at the ends of lines and without the marks of HTML.

    `<li>` begins a line with a bullet.
    """
    text = _ENDS.sub("\n", text)
    if "<" in text:
        bare = _ITEM.sub("\n• ", _NEW_LINE.sub("\n", text))
        bare = _INLINE.sub("", _CELL.sub("  ", bare))
        text = html.unescape(bare) if bare != text else text
    if "&" in text and "&nbsp;" in text:
        text = html.unescape(text)
    if "--" not in text:
        return text
    lines = ("" if "--" in s and _RULE_SIGNS.issuperset(s) else s for s in text.split("\n"))
    return "\n".join(lines)


def bare_line(line: str, *, bullets: bool = True) -> str:
    """Return a line without the blanks and marks of Markdown around it; `bullets` go too."""
    bare = line.strip().strip("|").strip()
    if bare.startswith("> "):
        bare = bare[2:].lstrip()
    if bullets:
        bare = _BULLET.sub("", bare) if bare[:1] in "-*+•·◦▪○●□■" else bare
    for mark in ("**", "__"):
        if bare.startswith(mark) and bare.endswith(mark) and len(bare) > 4:
            bare = bare[2:-2].strip()
        elif bare.count(mark) == 1:  # the other half was around the option's mark
            bare = bare.replace(mark, "").strip()
    return bare
