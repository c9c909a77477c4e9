"""Decode what others wrote: bytes of unknown encoding (UTF-8, UTF-16, CP949) to text, and JSON."""

from __future__ import annotations

import codecs
import json
import re
import unicodedata
from typing import Any

from kofinlaw import UserError

__all__ = ["DEEPEST", "decode", "load_json", "without_surrogates"]

DEEPEST = 100  # levels of lists and objects in JSON and YAML

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def decode(data: bytes, encoding: str = "auto") -> tuple[str, str]:
    """Decode bytes; returns (text, name of the encoding).

    The text is in NFC, has `\\n` line ends and no NULs. A truncated last character of UTF-8 or
    CP949 is dropped. Raises UserError if the bytes are not text in any of the encodings, or not
    in the one that `encoding` names.
    """
    text, found = _decode(data, encoding)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return unicodedata.normalize("NFC", text).lstrip("\ufeff"), found


def without_surrogates(text: str) -> str:
    """Replace halves of surrogate pairs by U+FFFD: JSON may hold them, UTF-8 cannot."""
    return _SURROGATE.sub("\ufffd", text)


def _decode(data: bytes, encoding: str) -> tuple[str, str]:
    if encoding != "auto":
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError as error:
            raise UserError(f"the file is not {encoding}: {error.reason}") from error
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, errors="replace"), name
    if (utf16 := _utf16_without_bom(data)) is not None:
        return data.decode(utf16, errors="replace"), utf16
    for name in ("utf-8", "cp949"):
        text = _strict(data, name)
        if text is not None:
            return text, name
    raise UserError(
        "the bytes are not text in UTF-8, CP949 or UTF-16",
        remedy="convert the file, or name its encoding in the source's `encoding`",
    )


def _strict(data: bytes, name: str) -> str | None:
    """Return the text if every character decodes; a truncated last character is allowed."""
    decoder = codecs.getincrementaldecoder(name)()
    try:
        return decoder.decode(data, final=False)
    except UnicodeDecodeError:
        return None


def _utf16_without_bom(data: bytes) -> str | None:
    """Return the byte order of UTF-16 without a byte order mark,
    or None if the bytes are not UTF-16.

    Blanks, digits and line ends have a zero byte on one side in UTF-16. In addition, the decoded
    text must be Korean, Latin or punctuation.
    """
    sample = data[: 4096 if len(data) > 4096 else len(data) // 2 * 2]
    if b"\x00" not in sample or len(sample) < 8:
        return None
    name = "utf-16-le" if sample[1::2].count(0) > sample[0::2].count(0) else "utf-16-be"
    text = _strict(sample, name)
    if text is None:
        return None
    good = sum(1 for c in text if c in "\n\r\t" or " " <= c < "\x7f" or _usual(c))
    return name if good > 0.95 * len(text) else None


def _usual(character: str) -> bool:
    """Return whether the character is Hangul, a Jamo, a Han character or punctuation
    of Korean law.
    """
    return any(
        first <= character <= last
        for first, last in ("가힣", "ㄱㆎ", "\u3000〿", "一鿿", "①⓿", "\u2000⁯", "\xa0ÿ", "\uff00～")
    )


def load_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises json.JSONDecodeError if it is not JSON, nests deeper than `DEEPEST` levels, or holds an
    integer that is too long for Python: a caller needs one `except`.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    deep = f"the values nest deeper than {DEEPEST} levels"
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise json.JSONDecodeError(deep, "", 0) from error
    except ValueError as error:  # Python's limit on the digits of an integer
        raise json.JSONDecodeError(f"a number is too long ({error})", "", 0) from error
    if text.count("[") + text.count("{") > DEEPEST and _deeper(value, DEEPEST):
        raise json.JSONDecodeError(deep, "", 0)
    return value


def _deeper(value: object, levels: int) -> bool:
    """Return whether lists and objects nest deeper than so many levels."""
    row = [value]
    for _ in range(levels + 1):
        row = [
            inner
            for one in row
            if isinstance(one, list | dict)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if not row:
            return False
    return any(isinstance(one, list | dict) for one in row) or bool(row)
