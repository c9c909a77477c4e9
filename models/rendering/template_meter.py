"""Compile chat templates so that rendering has a limit: steps, sizes and numbers are counted.

A model folder comes from others, and its template is a program. The sandbox of jinja2 forbids
attributes, but not nested loops, recursive macros, texts that double in a loop, or huge numbers.
Every loop step, call, filter, operator and output therefore costs at least one unit of a budget.
Each 64 characters of a text and each member of a list cost one more.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from collections.abc import Iterable, Iterator

from jinja2 import Template, TemplateError, nodes
from jinja2.ext import loopcontrols
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

__all__ = ["BUDGET", "MeteredEnvironment", "TemplateLimitError", "metered_render"]

BUDGET = 1_000_000
_CHARACTERS = 64  # of a text for one unit
_CALL = 8  # units of a call of a function or macro
_MOST_NUMBER = 10_000  # as a width, a count of copies or a step of an indent
_MOST_BITS = 256  # of an integer
_SIZED = ("batch", "center", "format", "indent", "join", "replace", "slice", "tojson", "wordwrap")
_WIDTH = re.compile(r"\d{5,}|\*")


class TemplateLimitError(TemplateError):
    """A template that does more work than a chat template may."""


class _State(threading.local):
    """The units that are left to the rendering of this thread."""

    left = 0


_STATE = _State()


def metered_render(template: Template, **variables: object) -> str:
    """Render a template of `MeteredEnvironment` within the budget.

    Raises TemplateLimitError for a template that needs more, and what the template raises.
    """
    _STATE.left = BUDGET
    return template.render(**variables)


def _spend(units: int) -> None:
    _STATE.left -= units
    if _STATE.left < 0:
        raise TemplateLimitError("it does not end within the limit of work for a chat template")


def _meter(value: object) -> object:
    """Return a value after its size is paid for."""
    if isinstance(value, str):
        _STATE.left -= 1 + len(value) // _CHARACTERS
        if _STATE.left < 0:
            _spend(0)
    elif isinstance(value, (list, tuple, dict)):
        _spend_members(value)
    elif isinstance(value, int):
        _spend(1 + value.bit_length() // _CHARACTERS)
        if value.bit_length() > _MOST_BITS:
            raise TemplateLimitError("it computes with a number that is too large")
    else:
        _spend(1)
    return value


def _spend_members(value: object) -> None:
    """Pay for all members of a container, and for theirs; shared members count each time."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, (list, tuple)):
            waiting += one
        _spend(1 + len(one) // _CHARACTERS if isinstance(one, str) else 1)


def _counted(values: Iterable[object]) -> Iterator[object]:
    """Yield the values of a loop; each step costs a unit."""
    for value in values:
        _spend(1)
        yield value


def _check_numbers(values: Iterable[object]) -> None:
    for value in values:
        digits = isinstance(value, str) and value.isdigit() and len(value) > 4
        if digits or (isinstance(value, int) and abs(value) > _MOST_NUMBER):
            raise TemplateLimitError(f"it asks for a width or a number of {str(value)[:20]}")


def _check_growth(name: str, text: object, arguments: tuple[object, ...]) -> None:
    """Raise TemplateLimitError before a method or filter makes a text that is too large."""
    if name in ("format", "format_map") and isinstance(text, str) and _WIDTH.search(text):
        raise TemplateLimitError("it formats a text with a width that is too large")
    if name == "replace" and len(arguments) > 1:
        old, new = str(arguments[0]), str(arguments[1])
        found = str(text).count(old)
        _spend(1 + found * len(new) // _CHARACTERS)
    if name == "join":
        parts = text if isinstance(text, (list, tuple)) else arguments[0] if arguments else ()
        if isinstance(parts, (list, tuple)):
            _spend_members(parts)
            glue = next((one for one in (*arguments, text) if isinstance(one, str)), "")
            _spend(len(parts) * len(glue) // _CHARACTERS)


class _Metered(NodeTransformer):
    """Wrap what costs time into the filters `_meter` and `_counted`."""

    def visit(self, node: nodes.Node, *args: object, **kwargs: object) -> nodes.Node:
        """Return a node whose work is counted."""
        self.generic_visit(node, *args, **kwargs)
        if isinstance(node, nodes.CallBlock) and isinstance(node.call, nodes.Filter):
            if isinstance(node.call.node, nodes.Call):
                node.call = node.call.node  # its call is compiled in a way of its own
        elif isinstance(node, nodes.Compare):
            node.expr = _filtered(node.expr, "_meter")
            for operand in node.ops:
                operand.expr = _filtered(operand.expr, "_meter")
        elif isinstance(node, nodes.Test):
            node.args = [_filtered(one, "_meter") for one in node.args]
        elif isinstance(node, nodes.Output):
            node.nodes = [
                one if isinstance(one, nodes.TemplateData) else _filtered(one, "_meter")
                for one in node.nodes
            ]
        elif isinstance(node, nodes.For):
            node.iter = _filtered(node.iter, "_counted")
        elif _makes_value(node):
            return _filtered(node, "_meter")
        return node


def _makes_value(node: nodes.Node) -> bool:
    """Return whether an expression makes a new value, which may be large."""
    if isinstance(node, nodes.Tuple):
        return bool(node.ctx == "load")
    if isinstance(node, nodes.Getitem):
        return isinstance(node.arg, nodes.Slice)
    return isinstance(node, (nodes.Call, nodes.Concat, nodes.Dict, nodes.Filter, nodes.List))


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class MeteredEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox of chat templates in transformers, with a budget. Use `metered_render`."""

    intercepted_binops = frozenset(["+", "*", "**", "%"])

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols], optimized=False
        )
        self.globals["raise_exception"] = _raise
        self.filters["tojson"] = _tojson
        for name in _SIZED:
            self.filters[name] = _sized(name, self.filters[name])
        self.filters["_meter"] = _meter
        self.filters["_counted"] = _counted

    def metered(self, source: str) -> Template:
        """Return the compiled template. Raises TemplateError for a broken one."""
        tree = self.parse(source)
        _Metered().visit(tree)
        tree.set_environment(self)
        return self.from_string(tree)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Compute `left operator right`, if the result is not too large."""
        pair = (left, right)
        if operator == "**":
            _check_numbers(pair)
            if not (isinstance(right, (int, float)) and abs(right) <= _CHARACTERS):
                raise TemplateLimitError("it computes a power that is too large")
        elif operator == "*":
            for one, other in (pair, pair[::-1]):
                if isinstance(one, (str, list, tuple)) and isinstance(other, int):
                    _spend(1 + len(one) * max(other, 0) // _CHARACTERS)
        elif operator == "%" and isinstance(left, str):
            _check_growth("format", left, ())
        return _meter(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: object, /, *args: object, **kwargs: object) -> object:
        """Call a function of the template, if its work is not too large."""
        _spend(_CALL)
        # The sandbox wraps `format`; the wrapper names the method.
        text = getattr(getattr(obj, "__wrapped__", obj), "__self__", None)
        if isinstance(text, (str, list, tuple, dict)):
            _meter(text)
            _check_numbers((*args, *kwargs.values()))
            _check_growth(getattr(obj, "__name__", ""), text, args)
        return super().call(context, obj, *args, **kwargs)


def _raise(message: str) -> None:
    raise TemplateError(message)


def _tojson(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _sized(name: str, work: object) -> object:
    """Return a filter that checks its numbers and the size of its result before it works."""
    assert callable(work)

    @functools.wraps(work)
    def checked(*arguments: object, **named: object) -> object:
        # Filters that need the context or the environment get it first.
        own = arguments[1:] if hasattr(work, "jinja_pass_arg") else arguments
        _check_numbers((*own[1:], *named.values()))
        _check_growth(name, own[0] if own else "", (*own[1:], *named.values()))
        if name == "tojson" and own:
            _spend_members(own[0])
        return work(*arguments, **named)

    return checked
