"""Write the end of a sentence of the law in another way: duty, permission, ban, state."""

from __future__ import annotations

import re

from kofinlaw.augment.rewording.plain_verbs import DUTIES

__all__ = ["ban", "connected", "duty", "keep", "possibility", "state"]

_DUTIES = (
    *((old, future) for old, (future, _) in DUTIES.items() if old != "해야 한다"),
    ("받아야 한다", "받을"),
    ("갖추어야 한다", "갖출"),
    ("두어야 한다", "둘"),
)
# Of each plain verb: its form before 서는 (`없애서는 아니 된다`), and its stem.
_BANNED = {old.removesuffix("야 한다"): stem for old, (_, stem) in DUTIES.items()}
_BAN = re.compile(
    rf"(?<= )(?P<verb>{'|'.join(sorted(_BANNED, key=len, reverse=True))})"
    r"서는 (?:아니 ?|안 ?)된다$"
)
_POSSIBLE = re.compile(r"(?P<verb>[가-힣]) 수 (?P<is>있다|없다)$")


def possibility(text: str) -> str:
    """Write `할 수 있다` as `하는 것이 가능하다`, `할 수 없다` as `하는 것이 허용되지 않는다`."""
    match = _POSSIBLE.search(text)
    if not match:
        return text
    verb, before = match.group("verb"), text[: match.start()]
    code = ord(verb) - ord("가")
    if verb == "을":
        stem = ""
        if not before or (ord(before[-1]) - ord("가")) % 28 in (0, 8, 19):
            return text
    elif code % 28 == 8:
        stem = chr(ord(verb) - 8)
    else:
        return text
    end = "것이 가능하다" if match.group("is") == "있다" else "것이 허용되지 않는다"
    return f"{before}{stem}는 {end}"


def keep(text: str) -> str:
    """Return the text unchanged: one of the forms of a rule."""
    return text


def duty(text: str) -> str:
    """Write `하여야 한다` as `할 의무가 있다`, and `알려야 한다` as `알릴 의무가 있다`."""
    for old, new in (("하여야 한다", "할"), ("해야 한다", "할"), *_DUTIES):
        if text.endswith(old):
            return f"{text[: -len(old)]}{new} 의무가 있다"
    return text


def ban(text: str) -> str:
    """Write `하여서는 아니 된다` as `하는 것이 금지된다`, and `하지 못한다` as `할 수 없다`."""
    text = re.sub(r"(?:하여서는|해서는) (?:아니 ?|안 ?)된다$", "하는 것이 금지된다", text)
    text = _BAN.sub(lambda match: f"{_BANNED[match.group('verb')]}는 것이 금지된다", text)
    return re.sub(r"하지 (?:못한다|못하다)$", "할 수 없다", text)


def state(text: str) -> str:
    """Write `2년으로 한다` as `2년이다`."""
    match = re.search(r"(?<!\S)[^\s0-9가-힣]*+[0-9가-힣](?P<thing>\S+?)(?:으로|로) 한다$", text)
    if not match or not re.search(r"\d", match.group("thing")):
        return text
    return f"{text[: match.end('thing')]}이다"


def connected(sentence: str, ending: str) -> str:
    """Return the sentence with 고 or 지만 in place of 다, to be followed by another one.

    `한다` gives `하고`, `있다` `있지만`; empty where the sentence does not end in 다.
    """
    if not sentence.endswith("다") or len(sentence) < 3:
        return ""
    if sentence.endswith("는다"):
        return sentence[:-2] + ending
    last = ord(sentence[-2]) - ord("가")
    # The ㄴ of 한다 and 된다 belongs to the ending.
    stem = sentence[:-2] + chr(ord(sentence[-2]) - 4) if last % 28 == 4 else sentence[:-1]
    return stem + ending
