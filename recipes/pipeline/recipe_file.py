"""A recipe file read with its line numbers, and `--set` laid over it.

The result knows where each value came from, so an error can say `quickstart.yaml:14` and
`kofinlaw recipe show` can print the origin beside the value. Its paths are absolute: it means the
same from any folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kofinlaw import UserError

SHIPPED = Path(__file__).resolve().parents[1]  # the YAML lies at the top of the room
# Keys whose value is a path, a mapping with a `path`, or a list of such.
PATH_KEYS = (
    "model.path",
    "data.sources",
    "data.protected",
    "examples",
    "augment.teacher.model.path",
    "augment.teacher.engine.gguf",
    "augment.student_engine.gguf",
    "train.start_from",
    "train.mixture",
    "export.quantizer",
    "export.environments",
    "answer.engine.gguf",
    "evaluate.questions",
    "evaluate.key",
    "evaluate.submission",
    "score.judge.model.path",
    "score.judge.engine.gguf",
    "study.trained",
)
# Lists of names, or of paths: these end in `.md`.
NAMES_OR_PATHS = ("score.judge.criteria",)
MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class RecipeFile:
    """Recipe values, paths absolute, and the origin of each dotted key (`file:line` or `--set`)."""

    path: Path
    values: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)

    def origin(self, dotted: str) -> str:
        """Where a key came from; the nearest enclosing key's origin where it has none itself."""
        parts = dotted.split(".")
        while parts:
            found = self.origins.get(".".join(parts))
            if found:
                return found
            parts.pop()
        return str(self.path)


def find_recipe(name: str) -> Path:
    """The file a person means: a path, or the name of a shipped recipe.

    Raises UserError that lists the shipped recipes where there is neither.
    """
    for candidate in (Path(name), SHIPPED / name, SHIPPED / f"{name}.yaml"):
        if candidate.is_file():
            return candidate.resolve()
    shipped = shipped_recipes()
    near = difflib.get_close_matches(Path(name).stem, shipped, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UserError(
        "no such recipe", where=name, remedy=f"{hint}shipped recipes: {', '.join(shipped)}"
    )


def shipped_recipes() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def read_recipe_file(path: Path, overrides: Sequence[str] = ()) -> RecipeFile:
    """Read a YAML recipe and apply `a.b=c` overrides (values are YAML).

    Paths in the file are relative to the file, those of overrides to the current folder. Raises
    UserError with file and line for what is not YAML, repeats a key, or is no mapping.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UserError("a recipe is a small file; this one is over 1 MB", where=str(path))
    try:
        text = path.read_text(encoding="utf-8-sig")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise UserError(
            "the recipe is not UTF-8", where=str(path), remedy="save it as UTF-8"
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise UserError(
            f"not valid YAML: {getattr(error, 'problem', error)}",
            where=where,
            remedy="check the indentation and the colon before this line",
        ) from error
    if not isinstance(root, yaml.MappingNode):
        raise UserError("a recipe is a mapping of keys to values", where=str(path))
    origins: dict[str, str] = {}
    values = _plain(root, "", path, origins)
    _place(values, path.parent)
    recipe_file = RecipeFile(path, values, origins)
    for override in overrides:
        _apply(recipe_file, override)
    return recipe_file


def _plain(node: yaml.Node, prefix: str, path: Path, origins: dict[str, str]) -> Any:
    line = node.start_mark.line + 1
    if prefix:
        origins.setdefault(prefix, f"{path.name}:{line}")
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            dotted = f"{prefix}.{key}" if prefix else key
            here = f"{path.name}:{key_node.start_mark.line + 1}"
            if key in result:
                raise UserError(
                    f"`{dotted}` stands twice", where=here, remedy="keep one of the two lines"
                )
            origins[dotted] = here
            result[key] = _plain(value_node, dotted, path, origins)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, f"{prefix}.{number}", path, origins)
            for number, item in enumerate(node.value)
        ]
    constructor = yaml.SafeLoader("")
    try:
        return constructor.construct_object(node, deep=True)
    except yaml.YAMLError as error:
        raise UserError(f"cannot read this value: {error}", where=f"{path.name}:{line}") from error


def _apply(recipe_file: RecipeFile, override: str) -> None:
    dotted, equals, text = override.partition("=")
    dotted = dotted.strip()
    if not equals or not dotted:
        raise UserError(
            "an override has the form key=value",
            where=f"--set {override}",
            remedy="for example --set train.max_steps=20",
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"not a YAML value: {error}", where=f"--set {override}") from error
    target = recipe_file.values
    parts = dotted.split(".")
    for depth, part in enumerate(parts[:-1], 1):
        inner = target.setdefault(part, {})
        if inner is None:
            inner = target[part] = {}
        if not isinstance(inner, dict):
            raise UserError(
                f"`{'.'.join(parts[:depth])}` is a value, not a section", where=f"--set {override}"
            )
        target = inner
    target[parts[-1]] = value
    _place(recipe_file.values, Path.cwd(), dotted)
    for known in [key for key in recipe_file.origins if key.startswith(dotted + ".")]:
        del recipe_file.origins[known]
    recipe_file.origins[dotted] = f"--set {dotted}"


def _place(values: dict[str, Any], base: Path, under: str = "") -> None:
    """Make the paths at and below the key `under` absolute, from `base` where they are relative."""
    for key in (*PATH_KEYS, *NAMES_OR_PATHS):
        if under and not f"{key}.".startswith(f"{under}."):
            continue
        *sections, last = key.split(".")
        section: Any = values
        for name in sections:
            section = section.get(name) if isinstance(section, dict) else None
        if isinstance(section, dict) and last in section:
            named = key in NAMES_OR_PATHS
            section[last] = (_placed_files if named else _placed)(section[last], base)


def _placed_files(value: Any, base: Path) -> Any:
    if isinstance(value, list):
        return [_placed_files(item, base) for item in value]
    return _placed(value, base) if str(value).endswith(".md") else value


def _placed(value: Any, base: Path) -> Any:
    if isinstance(value, str) and value:
        return str(absolute(value, base))
    if isinstance(value, list):
        return [_placed(item, base) for item in value]
    if isinstance(value, dict) and "path" in value:
        return {**value, "path": _placed(value["path"], base)}
    return value


def absolute(value: str, base: Path) -> Path:
    """A path as it stands, or from `base` where it is relative; `~` is the home folder."""
    path = Path(value).expanduser()
    return path if path.is_absolute() else (base / path).resolve()
