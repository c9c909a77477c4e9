"""Turn bytes and text from outside into clean text: one encoding, one form, no invisible marks.

Text enters through two functions: `decode` for bytes (UTF-8 with or without BOM, UTF-16, CP949),
and `clean_text` for text that another library decoded, that a user typed, or that a model wrote.
"""

from __future__ import annotations

import codecs
import contextlib
import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from kofinlaw import UserError

__all__ = [
    "DEEPEST",
    "SURROGATES",
    "clean_text",
    "clean_value",
    "decode",
    "decode_exact",
    "decode_name",
    "load_json",
    "without_surrogates",
]

DEEPEST = 100  # levels of lists and objects in JSON and YAML
# `open(…, errors=SURROGATES)` and `text.encode("utf-8", SURROGATES)` write text that UTF-8 cannot
# hold: two halves of a surrogate pair become their character, one half becomes U+FFFD.
SURROGATES = "kofinlaw.surrogates"

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_BREAKS = "\x0b\x0c\x85\u2028\u2029"  # what Python, Word and Unicode also call ends of lines
# Characters without a shape of their own, in the order of their code points: controls, soft
# hyphen, joiners, fillers, direction marks, variation selectors, byte order mark, interlinear
# marks, code points that are not characters, and tags.
_UNSEEN = (
    r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\ufff0-\ufffb"
    r"\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# In an emoji of several parts, the joiner and the selector of the coloured form have a meaning.
_EMOJI = r"\u2600-\u2775\u2794-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
_PART_OF_EMOJI = (
    rf"(?<=[{_EMOJI}])\ufe0f|(?:(?<=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f))\u200d(?=[{_EMOJI}])"
)
_REMOVED = re.compile(rf"[{_UNSEEN}]")
_REMOVED_BY_EMOJI = re.compile(rf"({_PART_OF_EMOJI})|[{_UNSEEN}]")
_FILLER = re.compile(r"[\u3164\uffa0]")  # a blank that no pattern takes for a blank
_LINE_END = re.compile(rf"\r\n?|[{_BREAKS}]")
_ODD = re.compile(rf"[{_UNSEEN}{_BREAKS}\r\u3164\uffa0\ud800-\udfff]")


def decode(data: bytes, encoding: str = "auto", *, records: bool = False) -> tuple[str, str]:
    """Decode bytes; returns (text, name of the encoding).

    The text is clean (`clean_text`) and has `\\n` line ends. A truncated last character of UTF-8
    or CP949 is dropped. Raises UserError if the bytes are not text in any of the encodings, or not
    in the one that `encoding` names.

    Args:
        data: The bytes.
        encoding: The name of the encoding; `auto` finds it.
        records: Whether the text is JSON or CSV. Characters that end lines then stay, because they
            may be parts of values; clean each value when it is parsed.
    """
    text, found = _decode(data, encoding)
    return clean_text(text, lines=not records), found


def decode_exact(data: bytes) -> str:
    """Decode bytes as `decode` does, but keep every character: offsets are those of the file.

    A byte order mark is no character of the text. Raises UserError as `decode` does.
    """
    return _decode(data, "auto")[0]


def decode_name(text: str) -> str:
    """Return a name or an argument that the system gave, in CP949 if its bytes are not UTF-8.

    Python keeps bytes that are not UTF-8 as single surrogates (`os.fsdecode`).
    """
    if _SURROGATE.search(text) is not None:
        try:
            raw = text.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # not from bytes
            return clean_text(text)
        for encoding in ("utf-8", "cp949"):
            with contextlib.suppress(UnicodeDecodeError):
                return clean_text(raw.decode(encoding))
    return clean_text(text)


def clean_text(text: str, *, lines: bool = True) -> str:
    """Return text in the one form that is kept; cleaning it a second time changes nothing.

    - Hangul and all other characters are composed (NFC).
    - Characters that nobody sees are removed: zero-width marks, byte order marks, soft hyphens,
      direction marks, control characters, variation selectors. Those inside an emoji stay.
    - Two halves of a surrogate pair become one character; one half becomes U+FFFD.
    - Hangul fillers become blanks.
    - With `lines`, every character that ends a line becomes `\\n`. Without it they stay.

    The time is linear in the length. Text that is clean already is only scanned.
    """
    if text.isascii() and text.isprintable():
        return text
    if _ODD.search(text) is not None:
        if _SURROGATE.search(text) is not None:
            text = without_surrogates(text)
        if lines:
            text = _LINE_END.sub("\n", text)
        of_emoji = "\u200d" in text or "\ufe0f" in text
        text = _REMOVED_BY_EMOJI.sub(r"\1", text) if of_emoji else _REMOVED.sub("", text)
        text = _FILLER.sub(" ", text)
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def clean_value(value: Any) -> Any:
    """Return a JSON value with all its texts and keys clean.

    Raises RecursionError for a value that is nested thousands of levels deep.
    """
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list | tuple):
        return [clean_value(item) for item in value]
    if isinstance(value, Mapping):
        return {
            clean_text(name) if isinstance(name, str) else name: clean_value(item)
            for name, item in value.items()
        }
    return value


def without_surrogates(text: str) -> str:
    """Join the halves of surrogate pairs, and replace single halves by U+FFFD: JSON may hold them,
    UTF-8 cannot.
    """
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _encode_surrogates(error: UnicodeError) -> tuple[bytes, int]:
    """Return UTF-8 to write instead of surrogates, and where to continue (an error handler)."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return without_surrogates(error.object[error.start : error.end]).encode("utf-8"), error.end


codecs.register_error(SURROGATES, _encode_surrogates)


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
    deep = f"it is nested too deeply (more than {DEEPEST} levels)"
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        raise
    except RecursionError as error:
        raise json.JSONDecodeError(deep, "", 0) from error
    except ValueError as error:  # Python's limit on the digits of an integer
        raise json.JSONDecodeError("it has a number of too many digits", "", 0) from error
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
