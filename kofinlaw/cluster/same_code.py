"""Compare the code of two machines."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import kofinlaw

__all__ = ["code_mark"]


@cache
def code_mark() -> str:
    """Return the SHA-256 of every source file of the package, by path below it."""
    root = Path(kofinlaw.__file__).parent
    folders = [root, *(path for path in sorted(root.iterdir()) if path.is_dir())]
    files = [*sorted(root.glob("*.py"))]
    files += [path for folder in folders[1:] for path in sorted(folder.rglob("*.py"))]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
