"""The signs that mark items, statements and options, in their order: `가`, `ㄱ`, `㉠`, `①`, `iii`.

The contest's script copies this module, so it imports only the standard library.
"""

from __future__ import annotations

__all__ = ["JAMO", "ROMAN", "SIGNS", "SIGN_SERIES", "SYLLABLES", "sign_number"]

SYLLABLES = "가나다라마바사아자차카타파하"
JAMO = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")


def _from(first: str, count: int) -> str:
    return "".join(map(chr, range(ord(first), ord(first) + count)))


# Signs that are a mark alone, without brackets or a dot: characters with consecutive code points.
SIGN_SERIES: dict[str, str] = {
    "circled": _from("①", 20),
    "filled": _from("❶", 10),
    "sans": _from("➀", 10),
    "filled sans": _from("➊", 10),
    "double": _from("⓵", 10),
    "enclosed": _from("⑴", 20),
    "full stop": _from("⒈", 20),
    "circled upper": _from("Ⓐ", 14),
    "circled lower": _from("ⓐ", 14),
    "enclosed lower": _from("⒜", 14),
    "great roman sign": _from("Ⅰ", 10),
    "small roman sign": _from("ⅰ", 10),
    "circled syllable": _from("㉮", 14),
    "enclosed syllable": _from("㈎", 14),
    "circled jamo": _from("㉠", 14),
    "enclosed jamo": _from("㈀", 14),
}
# One of these signs, as a class of characters in a pattern.
SIGNS = "[" + "".join(f"{signs[0]}-{signs[-1]}" for signs in SIGN_SERIES.values()) + "]"


def sign_number(sign: str) -> int:
    """Return the number of one sign (`3`, `③`, `C`, `다`, `ㄷ`, `iii`), 0 for any other text."""
    if sign.isascii() and sign.isdigit():
        return int(sign) if len(sign) < 4 else 0
    if len(sign) == 1:
        for signs in (SYLLABLES, JAMO, "ABCDEFGHIJKLMN", "abcdefghijklmn", *SIGN_SERIES.values()):
            if sign in signs:
                return signs.index(sign) + 1
    return ROMAN.index(sign) + 1 if sign in ROMAN else 0
