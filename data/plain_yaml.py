"""Parse YAML that others wrote: depth, size and numbers are limited, aliases are refused.

A few bytes of aliases can expand without end, deep nesting ends Python's recursion, and a number of
5,000 digits cannot be printed. Each of these is an error of the parser, as a missing bracket is, so
a caller needs one `except`.
"""

from __future__ import annotations

from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from kofinlaw.decoding import DEEPEST

__all__ = ["LONGEST_NUMBER", "MOST_VALUES", "PlainLoader", "load_yaml"]

LONGEST_NUMBER = 100  # characters of a number
MOST_VALUES = 50_000  # in one text
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class PlainLoader(yaml.SafeLoader):
    """A safe YAML loader with limits.

    It raises yaml.MarkedYAMLError, with the place, for an alias (`*name`), for more than `DEEPEST`
    levels or `MOST_VALUES` values, and for a value that cannot be built: a number of more than
    `LONGEST_NUMBER` characters, or a day that is not in the calendar.
    """

    _depth = 0
    _values = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a value within the limits."""
        mark = self.peek_event().start_mark
        if self.check_event(yaml.events.AliasEvent):
            name = self.peek_event().anchor
            raise ComposerError(
                None, None, f"aliases are not read: write the value instead of `*{name}`", mark
            )
        self._depth += 1
        self._values += 1
        if self._depth > DEEPEST:
            raise ComposerError(None, None, f"the values nest deeper than {DEEPEST} levels", mark)
        if self._values > MOST_VALUES:
            raise ComposerError(None, None, f"there are more than {MOST_VALUES:,} values", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> object:
        """Build a value; whatever its text raises is a YAML error with its place."""
        if (
            isinstance(node, yaml.ScalarNode)
            and len(node.value) > LONGEST_NUMBER
            and node.tag in _NUMBERS
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


def load_yaml(text: str) -> Any:
    """Return the value of a YAML text. Raises yaml.YAMLError as `PlainLoader` does."""
    return yaml.load(text, Loader=PlainLoader)
