"""Hash the code that a stage uses, so that a changed rule is a changed stage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

__all__ = ["ROOT_PACKAGE", "code_sha256"]

ROOT_PACKAGE = "kofinlaw"
SUFFIXES = frozenset({".py", ".md", ".jinja", ".html", ".css", ".js", ".yaml"})
# Data next to the code: a sample corpus is an input of a stage, caches are no source.
LEFT_OUT = frozenset({"sample", "__pycache__"})


@cache
def code_sha256(package: str) -> str:
    """SHA-256 (hexadecimal) of the source files of `kofinlaw.<room>`, or of the root package.

    The folder is the one that Python imports the package from, so that a move of this file cannot
    make the hash cover nothing. A room's hash covers its sub-folders; the root package's covers
    only the modules that lie in `kofinlaw/` itself. Raises RuntimeError if there is no such
    package or its folder holds no source file.
    """
    folder = package_folder(package)
    files = list(source_files(folder, deep=package != ROOT_PACKAGE))
    if not files:
        raise RuntimeError(f"package {package} has no source file in {folder}")
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def package_folder(package: str) -> Path:
    """The folder that `package` (`kofinlaw` or `kofinlaw.<room>`) is imported from.

    Raises RuntimeError if Python finds no such package.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"there is no package {package}")
    return Path(next(iter(spec.submodule_search_locations))).resolve()


def source_files(folder: Path, *, deep: bool) -> Iterator[Path]:
    """Source files of a folder in sorted order; `deep` includes its sub-folders."""
    for path in sorted(folder.rglob("*") if deep else folder.glob("*")):
        parts = set(path.relative_to(folder).parts)
        if path.suffix in SUFFIXES and not LEFT_OUT & parts and path.is_file():
            yield path
