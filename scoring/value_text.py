"""Values as a person reads them on the report's page: in both languages, short, never raw."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Words = tuple[str, str]  # Korean, English
BARS = 12


def script_json(value: Any) -> str:
    """JSON for a data block of the page: no sign in it can end the block or open another."""
    text = json.dumps(value, ensure_ascii=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def both(words: Any) -> Words:
    """A function of the language as (Korean, English)."""
    return words("ko"), words("en")


def p_text(value: float) -> str:
    """A p-value as people write it."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def figure(title: Words, note: Words | None, words: Words, draw: Any) -> dict[str, Any]:
    """A plot in both languages with its text alternative."""
    alternative = (f"{title[0]}: {words[0]}", f"{title[1]}: {words[1]}")
    return {
        "title": title,
        "note": note,
        "words": alternative,
        "ko": draw("ko"),
        "en": draw("en"),
    }


def named(values: Mapping[str, Any], labels: Mapping[str, Words]) -> list[tuple[Words, str]]:
    """The values that have a name for people, in the names' order."""
    rows = [(label, values.get(key)) for key, label in labels.items()]
    return [(label, shown(value)) for label, value in rows if value is not None]


def bars(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Counts with their width in percent of the largest; the rarest are put together."""
    top = max(counts.values(), default=1) or 1
    if len(counts) > BARS + 1:
        common = sorted(counts, key=lambda name: -counts[name])
        counts = {name: counts[name] for name in common[:BARS]} | {
            f"… {len(common) - BARS}": sum(counts[name] for name in common[BARS:])
        }
    return [
        {"name": name, "count": f"{count:,}", "share": round(100 * count / top, 1)}
        for name, count in counts.items()
    ]


def is_table(value: Any) -> bool:
    """Whether a value is a list of records."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def table(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Records as columns and rows of text."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[shown(row.get(column)) for column in columns] for row in rows[:60]]
    return {"name": name, "columns": columns, "rows": cells}


def flat(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """(dotted name, text) of every value below, in order."""
    out = []
    for name, item in value.items():
        dotted = f"{prefix}{name}"
        if isinstance(item, Mapping):
            out += flat(item, f"{dotted}.")
        else:
            out.append((dotted, shown(item)))
    return out


def shown(value: Any) -> str:
    """A value as a person reads it, at most 300 characters."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:300] + "…"
