"""Format values for the pages: in both languages, short and readable."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict, TypeGuard

__all__ = [
    "MOST_BARS",
    "MOST_CHARACTERS",
    "MOST_ROWS",
    "Bar",
    "Plot",
    "TextTable",
    "Words",
    "bars",
    "both",
    "flat",
    "flat_without_tables",
    "is_table",
    "named",
    "p_text",
    "plot_of",
    "script_json",
    "shown",
    "tables",
    "text_table",
]

Words = tuple[str, str]  # Korean, English
MOST_BARS = 12
MOST_ROWS = 60
MOST_CHARACTERS = 300


class Plot(TypedDict):
    """A plot as SVG text in both languages; `words` is its text alternative."""

    title: Words
    note: Words | None
    words: Words
    ko: str
    en: str


class Bar(TypedDict):
    """A count as text, with its width in percent of the largest."""

    name: str
    count: str
    share: float


class TextTable(TypedDict):
    """Records as columns and rows of text."""

    name: str
    columns: list[str]
    rows: list[list[str]]


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


def bars(counts: Mapping[str, int]) -> list[Bar]:
    """Return counts as bars; the rarest are summed up in one bar."""
    top = max(counts.values(), default=1) or 1
    if len(counts) > MOST_BARS + 1:
        common = sorted(counts, key=lambda name: -counts[name])
        counts = {name: counts[name] for name in common[:MOST_BARS]} | {
            f"… {len(common) - MOST_BARS}": sum(counts[name] for name in common[MOST_BARS:])
        }
    return [
        {"name": name, "count": f"{count:,}", "share": round(100 * count / top, 1)}
        for name, count in counts.items()
    ]


def is_table(value: object) -> TypeGuard[list[dict[str, object]]]:
    """Return whether a value is a list of records."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def tables(values: Mapping[str, object]) -> list[TextTable]:
    """Return the values that are lists of records as tables."""
    return [text_table(name, value) for name, value in values.items() if is_table(value)]


def text_table(name: str, rows: Sequence[Mapping[str, object]]) -> TextTable:
    """Return at most MOST_ROWS records as columns and rows of text."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[shown(row.get(column)) for column in columns] for row in rows[:MOST_ROWS]]
    return {"name": name, "columns": columns, "rows": cells}


def flat(values: Mapping[str, object], prefix: str = "") -> list[tuple[str, str]]:
    """Return (dotted name, text) of every nested value, in order."""
    out = []
    for name, item in values.items():
        dotted = f"{prefix}{name}"
        if isinstance(item, Mapping):
            out += flat(item, f"{dotted}.")
        else:
            out.append((dotted, shown(item)))
    return out


def flat_without_tables(values: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return (dotted name, text) of every value that is not a table."""
    return flat({name: value for name, value in values.items() if not is_table(value)})


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
