"""Find the development data of a benchmark, or end with one line that names what is missing."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parents[1].parent / "shared" / "data"
"""The default folder: `shared/data` next to the checkout."""
STATUTES = DATA / "statutes"


def require(path: Path, option: str) -> Path:
    """Return `path`; `option` names the argument that sets it.

    Raises: SystemExit if the path does not exist.
    """
    if not path.exists():
        raise SystemExit(
            f"{path} does not exist: set {option} to a folder with the development data"
        )
    return path
