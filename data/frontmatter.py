"""Read the YAML front matter of a Markdown file, and the days that it states."""

from __future__ import annotations

import re

import yaml

from kofinlaw.data.plain_yaml import load_yaml

__all__ = ["iso_day", "split_front_matter"]

_MAX_CHARACTERS = 65536


def split_front_matter(text: str) -> tuple[dict[str, str], str, str]:
    """Return (front matter as texts, the text after it, a warning or an empty text).

    Broken YAML is ignored with a warning. The items of lists are joined with commas.
    """
    if not text.startswith("---\n"):
        return {}, text, ""
    end = text.find("\n---", 3)
    after = text.find("\n", end + 1) if end >= 0 else -1
    if end < 0 or end > _MAX_CHARACTERS:
        return {}, text, ""
    block = text[4 : end + 1]
    rest = text[after + 1 :] if after >= 0 else ""
    try:
        value = load_yaml(block)
    except yaml.YAMLError as error:
        return {}, rest, f"front matter is not YAML: {str(error).splitlines()[0]}"
    if not isinstance(value, dict):
        return {}, rest, "front matter is not a mapping"
    return {str(key): _text(item) for key, item in value.items()}, rest, ""


def _text(item: object) -> str:
    if item is None:
        return ""
    if isinstance(item, (list, tuple)):
        return ", ".join(_text(part) for part in item)
    return str(item)


def iso_day(value: object) -> str:
    """Return the ISO day of `2024-09-15`, `20240915`, `2024. 9. 15.` or a date;
    empty for other values.
    """
    text = str(value or "").strip()
    match = re.match(r"^(\d{4})-(\d{2})-(\d{2})", text) or re.match(
        r"^(\d{4})(\d{2})(\d{2})$", text
    )
    if match is None:
        match = re.search(r"(\d{4})\s*[.년/]\s*(\d{1,2})\s*[.월/]\s*(\d{1,2})", text)
    if match is None:
        return ""
    year, month, day = (int(part) for part in match.groups())
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return ""
    return f"{year:04d}-{month:02d}-{day:02d}"
