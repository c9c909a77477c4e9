"""Format values for the pages: in both languages, short and readable."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict

__all__ = [
    "MOST_BARS",
    "MOST_CHARACTERS",
    "Bar",
    "Plot",
    "Words",
    "bars",
    "both",
    "named",
    "p_text",
    "plot_of",
    "script_json",
    "shown",
    "translated",
]

Words = tuple[str, str]  # Korean, English
MOST_BARS = 12
MOST_CHARACTERS = 300


class Plot(TypedDict):
    """A plot as SVG text in both languages; `words` is its text alternative."""

    title: Words
    note: Words | None
    words: Words
    ko: str
    en: str


class Bar(TypedDict):
    """A count as text, with its width in percent of the largest; None draws no bar."""

    name: Words
    count: str
    share: float | None


def script_json(value: object) -> str:
    """Return JSON for a data block of a page, escaped so that it cannot end the block."""
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def both(text: Callable[[str], str]) -> Words:
    """Call a function of the language for Korean and English."""
    return text("ko"), text("en")


def p_text(value: float) -> str:
    """Return a p-value with three digits, or `< 0.001`."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def plot_of(title: Words, note: Words | None, words: Words, draw: Callable[[str], str]) -> Plot:
    """Draw a plot in both languages, and add its title to its text alternative."""
    korean, english = both(draw)
    return {
        "title": title,
        "note": note,
        "words": (f"{title[0]}: {words[0]}", f"{title[1]}: {words[1]}"),
        "ko": korean,
        "en": english,
    }


def named(values: Mapping[str, object], labels: Mapping[str, Words]) -> list[tuple[Words, str]]:
    """Return (label, text) of the values that have a label, in the labels' order."""
    rows = [(label, values.get(key)) for key, label in labels.items()]
    return [(label, shown(value)) for label, value in rows if value is not None]


def bars(counts: Mapping[str, int], label: Callable[[str], Words]) -> list[Bar]:
    """Return counts as bars, the largest first; the rarest are summed up in a last row without bar.

    `label` returns the name of a count in both languages.
    """
    common = sorted(counts, key=lambda name: -counts[name])
    top = max(counts.values(), default=1) or 1
    rows: list[Bar] = [
        {
            "name": label(name),
            "count": f"{counts[name]:,}",
            "share": round(100 * counts[name] / top, 1),
        }
        for name in common[: MOST_BARS if len(common) > MOST_BARS + 1 else None]
    ]
    rest = common[len(rows) :]
    if rest:
        words = (f"그 밖의 {len(rest)}종류", f"{len(rest)} other kinds")
        rows.append({"name": words, "count": f"{sum(counts[n] for n in rest):,}", "share": None})
    return rows


def shown(value: object) -> str:
    """Return a value as readable text of at most MOST_CHARACTERS."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"


def translated(text: str, forms: Iterable[tuple[str, str]]) -> str:
    """Return a text by the first form whose pattern matches all of it; other texts stay unchanged.

    `forms` are pairs of a regular expression and its translation with the groups of the match.
    """
    for pattern, form in forms:
        match = re.fullmatch(pattern, text)
        if match:
            return match.expand(form)
    return text
