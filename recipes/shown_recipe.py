"""Show a resolved recipe: as YAML with the origin of its values, or only what differs from the
defaults.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass

import yaml
from pydantic import ValidationError

from kofinlaw import UserError
from kofinlaw.recipes.pipeline.recipe_file import RecipeFile, read_recipe_file
from kofinlaw.recipes.pipeline.schema import Recipe, check_recipe, leaves, origin_of

__all__ = ["ShownValue", "nested_values", "recipe_lines", "shown_values"]

COMMENT_COLUMN = 44  # where comments start, in characters
DEFAULT = "default"
WIDTH = 96  # characters of a line that holds a list of sections


@dataclass(frozen=True)
class ShownValue:
    """One value of a resolved recipe.

    Args:
        key: The dotted key.
        value: The value, as JSON.
        origin: `default`, `file:line` or `--set key`.
        before: For a value of `--set`: what the recipe says without it, and where; else empty.
    """

    key: str
    value: object
    origin: str
    before: str = ""


def shown_values(
    recipe: Recipe, recipe_file: RecipeFile, *, changed: bool = False
) -> list[ShownValue]:
    """Return the values of a recipe in the order of the schema.

    With `changed` only those that are not the default, or that `--set` changes.
    """
    plain = _without_overrides(recipe_file)
    earlier = dict(leaves(plain[0].model_dump(mode="json"))) if plain is not None else {}
    shown = []
    for key, value in leaves(recipe.model_dump(mode="json")):
        origin = origin_of(recipe_file, key)
        before = ""
        if origin.startswith("--set") and plain is not None:
            was = earlier.get(key)
            if was != value:
                before = f"{_inline(was)} ({origin_of(plain[1], key)})"
        if changed:
            if not (before or _differs(recipe_file, key, value, origin)):
                continue
            value = _as_written(recipe_file, key, value)
        shown.append(ShownValue(key, value, origin, before))
    return shown


def _without_overrides(recipe_file: RecipeFile) -> tuple[Recipe, RecipeFile] | None:
    """Return the recipe as its file says it; None without overrides, or if it is not complete."""
    if not recipe_file.overrides:
        return None
    plain = read_recipe_file(recipe_file.path)
    try:
        return check_recipe(plain), plain
    except UserError:
        return None


def _as_written(recipe_file: RecipeFile, key: str, value: object) -> object:
    """Return a list of sections without the defaults of its sections; other values unchanged."""
    if not (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
        return value
    written: object = recipe_file.values
    for name in key.split("."):
        written = written.get(name) if isinstance(written, dict) else None
    return value if written is None else written


def _differs(recipe_file: RecipeFile, key: str, value: object, origin: str) -> bool:
    """Return whether the recipe has another value if this key is left out, or cannot be without."""
    if origin == DEFAULT:
        return False
    values = copy.deepcopy(recipe_file.values)
    *sections, last = key.split(".")
    path: list[dict[str, object]] = [values]
    for name in sections:
        inner = path[-1].get(name)
        if not isinstance(inner, dict):
            return True  # the value is written in another form, such as a list of paths
        path.append(inner)
    if last not in path[-1]:
        return True
    del path[-1][last]
    # A section that is empty now may be one that is off by default.
    for outer, name in reversed(list(zip(path, sections, strict=False))):
        if outer[name] == {}:
            del outer[name]
    try:
        without = dict(leaves(Recipe.model_validate(values).model_dump(mode="json")))
    except ValidationError:
        return True
    return key not in without or without[key] != value


def nested_values(shown: Sequence[ShownValue]) -> dict[str, object]:
    """Return the values as nested mappings, as a recipe file holds them."""
    out: dict[str, object] = {}
    for one in shown:
        section = out
        *names, last = one.key.split(".")
        for name in names:
            inner = section.setdefault(name, {})
            assert isinstance(inner, dict)
            section = inner
        section[last] = one.value
    return out


def recipe_lines(shown: Sequence[ShownValue]) -> list[str]:
    """Return the values as lines of YAML; a comment names the origin of every value that is no
    default. An editor or `kofinlaw run` reads the lines as a recipe.
    """
    lines: list[str] = []
    open_sections: list[str] = []
    for one in shown:
        *sections, last = one.key.split(".")
        common = 0
        while common < min(len(sections), len(open_sections)):
            if sections[common] != open_sections[common]:
                break
            common += 1
        if lines and common == 0 and (sections or open_sections):
            lines.append("")
        for depth, name in enumerate(sections[common:], common):
            lines.append(f"{'  ' * depth}{name}:")
        open_sections = sections
        lines += _value_lines("  " * len(sections), last, one)
    return lines


def _value_lines(indent: str, name: str, one: ShownValue) -> list[str]:
    comment = "" if one.origin == DEFAULT else f"# {one.origin}"
    if one.before:
        comment += f", instead of {one.before}"
    nested = isinstance(one.value, list) and any(isinstance(item, dict) for item in one.value)
    if nested:
        listed = yaml.safe_dump(
            one.value,
            allow_unicode=True,
            sort_keys=False,
            default_flow_style=None,
            width=WIDTH,
        )
        first = f"{indent}{name}:"
        return [_commented(first, comment), *(f"{indent}  {row}" for row in listed.splitlines())]
    return [_commented(f"{indent}{name}: {_inline(one.value)}", comment)]


def _commented(line: str, comment: str) -> str:
    return f"{line:<{COMMENT_COLUMN}}  {comment}" if comment else line


def _inline(value: object) -> str:
    """Return a value as YAML on one line."""
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    text = yaml.safe_dump(value, allow_unicode=True, width=1_000_000)
    return text.removesuffix("...\n").strip()
