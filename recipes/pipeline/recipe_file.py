"""Read a recipe file with its line numbers and apply `--set` on top of it.

The result knows the origin of each value, so an error can say `quickstart.yaml:14` and
`kofinlaw recipe show` can print the origin next to the value. Paths in it are absolute, so it means
the same from any folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from kofinlaw import UserError
from kofinlaw.commands import command_line
from kofinlaw.data.plain_yaml import PlainLoader, load_yaml
from kofinlaw.decoding import clean_text, clean_value
from kofinlaw.files import existing_path

__all__ = [
    "MAX_BYTES",
    "NAMES_OR_FOLDERS",
    "NAMES_OR_PATHS",
    "PATH_KEYS",
    "SHIPPED",
    "RecipeFile",
    "absolute",
    "change_paths",
    "find_recipe",
    "read_recipe_file",
    "shipped_recipes",
]

SHIPPED = Path(__file__).resolve().parents[1]  # the recipes are at the top of this package
# Keys whose value is a path, a mapping with a `path` (perhaps also `key` and `sources`), or a list
# of these.
PATH_KEYS = (
    "model.path",
    "data.sources",
    "data.protected",
    "examples",
    "augment.teacher.model.path",
    "augment.teacher.engine.gguf",
    "augment.teacher.checker.model.path",
    "augment.teacher.checker.engine.gguf",
    "augment.student_engine.gguf",
    "train.start_from",
    "train.mixture",
    "export.quantizer",
    "export.environments",
    "answer.engine.gguf",
    "answer.sample_submission",
    "evaluate.questions",
    "evaluate.key",
    "evaluate.submission",
    "evaluate.exam",
    "score.judge.model.path",
    "score.judge.engine.gguf",
    "study.trained",
)
# Keys whose value is a name or a path, or a list of these; a path has one of these endings.
NAMES_OR_PATHS = ("score.judge.criteria", "answer.voters")
FILE_ENDINGS = (".md", ".json")
# Keys whose value is the name of a model or its folder. Only a value that begins with `./` or `../`
# is relative to the recipe: other words may be a name of the catalogue or of the hub.
NAMES_OR_FOLDERS = ("rag.embedder", "rag.reranker", "score.embedder")
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
MAX_BYTES = 1_000_000  # of a recipe file


@dataclass(frozen=True)
class RecipeFile:
    """Recipe values, paths absolute, and the origin of each dotted key (`file:line` or `--set`).

    `overrides` are the texts of `--set` that are in the values already.
    """

    path: Path
    values: dict[str, object]
    origins: dict[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()

    def origin(self, dotted: str) -> str:
        """Return the origin of a key; if it has none, the origin of the nearest enclosing key."""
        parts = dotted.split(".")
        while parts:
            found = self.origins.get(".".join(parts))
            if found:
                return found
            parts.pop()
        return str(self.path)


def find_recipe(name: str) -> Path:
    """Return the recipe file at a path, or the shipped recipe with this name.

    Raises UserError that lists the shipped recipes if there is neither.
    """
    for candidate in (Path(name), SHIPPED / name, SHIPPED / f"{name}.yaml"):
        if candidate.is_file():
            return candidate.resolve()
    shipped = shipped_recipes()
    near = difflib.get_close_matches(Path(name).stem, shipped, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    listed = f"{hint}shipped recipes: {', '.join(shipped)}"
    if Path(name).is_dir():
        raise UserError(
            "this is a folder, not a recipe file",
            where=name,
            remedy=f"write a recipe for its documents with `{command_line('init', name)}`, or name "
            f"a recipe file; {listed}",
        )
    if Path(name).suffix in (".yaml", ".yml") or len(Path(name).parts) > 1:
        raise UserError(
            "no such file",
            where=name,
            remedy="check the path of your recipe (`kofinlaw init FOLDER` writes one); " + listed,
        )
    raise UserError("no such recipe", where=name, remedy=listed)


def shipped_recipes() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def read_recipe_file(path: Path, overrides: Sequence[str] = ()) -> RecipeFile:
    """Read a YAML recipe and apply `a.b=c` overrides (values are YAML).

    Paths in the file are relative to the file, paths in overrides to the current folder. Raises
    UserError with file and line if the text is not YAML, repeats a key, or is not a mapping.
    """
    if path.stat().st_size > MAX_BYTES:
        raise UserError(
            "the file is larger than 1 MB, so it is not a recipe",
            where=str(path),
            remedy="name a recipe file (YAML)",
        )
    try:
        text = clean_text(path.read_text(encoding="utf-8-sig"))
        root = yaml.compose(text, Loader=PlainLoader)
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
            remedy="write each value out, in a few levels of `key: value`"
            if isinstance(error, yaml.composer.ComposerError)
            else "check the indentation and the colons on this line and the line before it",
        ) from error
    if not isinstance(root, yaml.MappingNode):
        raise UserError(
            "the file does not hold keys with values",
            where=str(path),
            remedy="write one `key: value` in each line, as recipes/quickstart.yaml does",
        )
    origins: dict[str, str] = {}
    values = _mapping(root, "", path, origins)
    _make_paths_absolute(values, path.parent)
    recipe_file = RecipeFile(path, values, origins, tuple(overrides))
    for override in overrides:
        _apply(recipe_file, override)
    return recipe_file


def _mapping(
    node: yaml.MappingNode, prefix: str, path: Path, origins: dict[str, str]
) -> dict[str, object]:
    """Return the values below a mapping; adds the origin of each dotted key to `origins`."""
    result: dict[str, object] = {}
    for key_node, value_node in node.value:
        here = f"{path.name}:{key_node.start_mark.line + 1}"
        if not isinstance(key_node, yaml.ScalarNode):
            raise UserError(
                "a key of a recipe is one word, not a list or a mapping",
                where=here,
                remedy="write `key: value`",
            )
        key = clean_text(str(key_node.value))
        dotted = f"{prefix}.{key}" if prefix else key
        if key in result:
            raise UserError(
                f"the key `{dotted}` appears twice", where=here, remedy="keep one of the two lines"
            )
        origins[dotted] = here
        result[key] = _value(value_node, dotted, path, origins)
    return result


def _value(node: yaml.Node, prefix: str, path: Path, origins: dict[str, str]) -> object:
    line = node.start_mark.line + 1
    origins.setdefault(prefix, f"{path.name}:{line}")
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
        raise UserError(
            f"a recipe has no values of the type {node.tag}",
            where=f"{path.name}:{line}",
            remedy=f"write the value of `{prefix}` without `!`",
        )
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, prefix, path, origins)
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(item, f"{prefix}.{number}", path, origins)
            for number, item in enumerate(node.value)
        ]
    constructor = PlainLoader("")
    try:
        return clean_value(constructor.construct_object(node, deep=True))
    except yaml.YAMLError as error:
        raise UserError(
            getattr(error, "problem", None) or str(error),
            where=f"{path.name}:{line}",
            remedy=f"write another value for `{prefix}`, or a text in quotes",
        ) from error


def _apply(recipe_file: RecipeFile, override: str) -> None:
    """Set one value of the recipe from `a.b=c`, and its origin."""
    dotted, equals, text = clean_text(override).partition("=")
    dotted = dotted.strip()
    if not equals or not dotted:
        raise UserError(
            "this is not of the form key=value",
            where=f"--set {override}",
            remedy="for example --set train.max_steps=20",
        )
    try:
        value = clean_value(load_yaml(text))
    except yaml.YAMLError as error:
        raise UserError(
            f"not a YAML value: {getattr(error, 'problem', None) or error}",
            where=f"--set {override}",
            remedy="for example --set train.max_steps=20",
        ) from error
    target = recipe_file.values
    parts = dotted.split(".")
    for depth, part in enumerate(parts[:-1], 1):
        inner = target.setdefault(part, {})
        if inner is None:
            inner = target[part] = {}
        if not isinstance(inner, dict):
            raise UserError(
                f"`{'.'.join(parts[:depth])}` is a value, not a section",
                where=f"--set {override}",
                remedy=f"`{command_line('recipe', 'show', recipe_file.path)}` lists the keys",
            )
        target = inner
    target[parts[-1]] = value
    _make_paths_absolute(recipe_file.values, Path.cwd(), dotted)
    for known in [key for key in recipe_file.origins if key.startswith(dotted + ".")]:
        del recipe_file.origins[known]
    recipe_file.origins[dotted] = f"--set {dotted}"


def _make_paths_absolute(values: dict[str, object], base: Path, under: str = "") -> None:
    """Make the paths at and below the key `under` absolute; relative ones start at `base`."""

    def whole(key: str, value: str) -> str:
        if key in NAMES_OR_FOLDERS and not value.startswith(("./", "../")):
            return value
        return str(absolute(value, base))

    change_paths(values, whole, under)


def change_paths(
    values: dict[str, object], change: Callable[[str, str], str], under: str = ""
) -> None:
    """Replace each path at and below the key `under` by what `change` returns.

    `change` gets the recipe key and the path. A value of `NAMES_OR_FOLDERS` may be a name. A value
    of `NAMES_OR_PATHS` without the ending of a file is left as it is.
    """
    for key in (*PATH_KEYS, *NAMES_OR_PATHS, *NAMES_OR_FOLDERS):
        if under and not f"{key}.".startswith(f"{under}."):
            continue
        *sections, last = key.split(".")
        section: object = values
        for name in sections:
            section = section.get(name) if isinstance(section, dict) else None
        if isinstance(section, dict) and last in section:
            section[last] = _changed(section[last], partial(change, key), key in NAMES_OR_PATHS)


def _changed(value: object, change: Callable[[str], str], files_only: bool) -> object:
    if isinstance(value, str) and value:
        return change(value) if not files_only or value.endswith(FILE_ENDINGS) else value
    if isinstance(value, list):
        return [_changed(item, change, files_only) for item in value]
    if isinstance(value, dict) and "path" in value and not files_only:
        named = [name for name in ("path", "key", "sources") if name in value]
        return {**value, **{name: _changed(value[name], change, False) for name in named}}
    return value


def absolute(value: str, base: Path) -> Path:
    """Return a path unchanged if it is absolute, else from `base`; `~` is the home folder.

    If only a file with the decomposed name exists, its path is returned.
    """
    path = Path(value).expanduser()
    return existing_path(path if path.is_absolute() else (base / path).resolve())
