"""Split YAML front matter from the text of a Markdown file."""

from __future__ import annotations

import yaml

_MAX_CHARACTERS = 65536


class _LoaderWithoutAliases(yaml.SafeLoader):
    """A safe loader that refuses aliases: a few bytes of them can expand without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def split_front_matter(text: str) -> tuple[dict[str, str], str, str]:
    """(front matter as texts, the text after it, a warning or an empty text).

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
        value = yaml.load(block, Loader=_LoaderWithoutAliases)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
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
