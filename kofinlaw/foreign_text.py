"""Parse YAML and JSON that others wrote: depth, size and numbers are limited, aliases refused.

A few bytes of aliases can expand without end, deep nesting ends Python's recursion, and a number of
5,000 digits cannot be printed. Each of these is an error of the parser, as a missing bracket is, so
a caller needs one `except`.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

__all__ = ["DEEPEST", "LONGEST_NUMBER", "MOST_VALUES", "load_json", "load_yaml", "plain_loader"]

DEEPEST = 100  # levels of lists and mappings
LONGEST_NUMBER = 100  # characters of a number in YAML
MOST_VALUES = 50_000  # in one YAML text
# Brackets outside of texts; the texts themselves are skipped.
_BRACKETS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)
_loader: type[yaml.SafeLoader] | None = None


def load_json(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises json.JSONDecodeError if it is not JSON, nests deeper than `DEEPEST` levels, or holds an
    integer that is too long for Python.
    """
    if isinstance(text, bytes):
        text = text.decode(json.detect_encoding(text))
    if text.count("[") + text.count("{") > DEEPEST:
        _check_depth(text)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError as error:  # Python's limit on the digits of an integer
        raise json.JSONDecodeError(f"a number is too long ({error})", "", 0) from error


def _check_depth(text: str) -> None:
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            if depth > DEEPEST:
                raise json.JSONDecodeError(
                    f"the values nest deeper than {DEEPEST} levels", text, match.start()
                )
        elif mark in "]}":
            depth -= 1


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text. Raises yaml.YAMLError as the loader of `plain_loader`."""
    import yaml

    return yaml.load(text, Loader=plain_loader())


def plain_loader() -> type[yaml.SafeLoader]:
    """Return a safe YAML loader with limits. The package `yaml` is imported by the first call.

    The loader raises yaml.MarkedYAMLError, with the place, for an alias (`*name`), for more than
    `DEEPEST` levels or `MOST_VALUES` values, and for a value that cannot be built: a number of more
    than `LONGEST_NUMBER` characters, or a day that is not in the calendar.
    """
    global _loader
    if _loader is None:
        _loader = _make_loader()
    return _loader


def _make_loader() -> type[yaml.SafeLoader]:
    import yaml
    from yaml.composer import ComposerError
    from yaml.constructor import ConstructorError

    class PlainLoader(yaml.SafeLoader):
        _depth = 0
        _values = 0

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            mark = self.peek_event().start_mark
            if self.check_event(yaml.events.AliasEvent):
                name = self.peek_event().anchor
                raise ComposerError(
                    None, None, f"aliases are not read: write the value instead of `*{name}`", mark
                )
            self._depth += 1
            self._values += 1
            if self._depth > DEEPEST:
                raise ComposerError(
                    None, None, f"the values nest deeper than {DEEPEST} levels", mark
                )
            if self._values > MOST_VALUES:
                raise ComposerError(None, None, f"there are more than {MOST_VALUES:,} values", mark)
            node = super().compose_node(parent, index)
            self._depth -= 1
            return node

        def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
            if (
                isinstance(node, yaml.ScalarNode)
                and len(node.value) > LONGEST_NUMBER
                and node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
            ):
                raise ConstructorError(
                    None,
                    None,
                    f"a number of {len(node.value):,} characters; the most are {LONGEST_NUMBER:,}",
                    node.start_mark,
                )
            try:
                return super().construct_object(node, deep=deep)
            except (ValueError, OverflowError, TypeError, KeyError, AttributeError) as error:
                raise ConstructorError(
                    None, None, f"cannot read this value: {error}", node.start_mark
                ) from error

    return PlainLoader
