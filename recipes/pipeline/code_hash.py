"""Hash the code that a stage uses, so that the stage runs again after that code has changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = [
    "PACKAGE_IMPORTS",
    "ROOT_PACKAGE",
    "code_path",
    "code_sha256",
    "source_files",
    "with_imported_packages",
]

ROOT_PACKAGE = "kofinlaw"
# The packages that each package imports. A test compares this table with the import statements.
PACKAGE_IMPORTS: Mapping[str, tuple[str, ...]] = {
    "data": (),
    "models": (),
    "augment": ("data", "models"),
    "trainer": ("data", "models"),
    "rag": ("data", "models"),
    "scoring": ("data", "models", "rag"),
}
SUFFIXES = frozenset({".py", ".md", ".jinja", ".html", ".css", ".js", ".yaml"})
# Folders next to the code that are not code: the sample corpus is an input of a stage.
LEFT_OUT = frozenset({"sample", "__pycache__"})


def with_imported_packages(*packages: str) -> tuple[str, ...]:
    """Return these packages and all packages that they import, directly or indirectly, sorted."""
    found: set[str] = set()
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if package not in found:
            found.add(package)
            waiting += PACKAGE_IMPORTS[package]
    return tuple(sorted(found))


@cache
def code_sha256(name: str) -> str:
    """Return the SHA-256 (hexadecimal) of a package's source files, or of one module's file.

    A package's hash covers its sub-folders. The root package's covers only the modules that are in
    `kofinlaw/` itself. The location is the one that Python imports from, so a move of this file
    cannot make the hash cover nothing.

    Args:
        name: `kofinlaw`, `kofinlaw.<package>`, or the full name of a module.

    Raises RuntimeError if there is no such package or module, or if it has no source file.
    """
    path = code_path(name)
    folder = path if path.is_dir() else path.parent
    files = list(source_files(path, deep=name != ROOT_PACKAGE)) if path.is_dir() else [path]
    if not any(file.is_file() for file in files):
        raise RuntimeError(f"{name} has no source file in {path}")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def code_path(name: str) -> Path:
    """Return the folder of a package, or the file of a module, that Python imports under this name.

    Raises RuntimeError if Python finds neither.
    """
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations))).resolve()
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).resolve()
    raise RuntimeError(f"there is no package or module {name}")


def source_files(folder: Path, *, deep: bool) -> Iterator[Path]:
    """Yield the source files of a folder in sorted order; `deep` includes its sub-folders."""
    for path in sorted(folder.rglob("*") if deep else folder.glob("*")):
        parts = set(path.relative_to(folder).parts)
        if path.suffix in SUFFIXES and not LEFT_OUT & parts and path.is_file():
            yield path
