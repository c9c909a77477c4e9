"""YAML front matter of Markdown files."""

from __future__ import annotations

from typing import Any


def split_front_matter(text: str) -> tuple[dict[str, str], str, str]:
    """(front matter as texts, the rest, a warning or nothing).

    Broken YAML is left out with a warning; lists join by commas; the rest begins after the fence.
    """
    if not text.startswith("---\n"):
        return {}, text, ""
    end = text.find("\n---", 3)
    after = text.find("\n", end + 1) if end >= 0 else -1
    if end < 0 or end > 65536:
        return {}, text, ""
    block = text[4 : end + 1]
    rest = text[after + 1 :] if after >= 0 else ""
    import yaml

    try:
        value = yaml.load(block, Loader=_loader())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return {}, rest, f"front matter is not YAML: {str(error).splitlines()[0]}"
    if not isinstance(value, dict):
        return {}, rest, "front matter is not a mapping"
    return {str(key): _text(item) for key, item in value.items()}, rest, ""


def _loader() -> Any:
    """A safe loader that refuses aliases: a few bytes of them expand without end."""
    import yaml

    class NoAlias(yaml.SafeLoader):
        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                raise yaml.YAMLError("aliases are not read")
            return super().compose_node(parent, index)

    return NoAlias


def _text(item: object) -> str:
    if item is None:
        return ""
    if isinstance(item, (list, tuple)):
        return ", ".join(_text(part) for part in item)
    return str(item)
