"""Decide whether a bundle can be written at a path, before any work."""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError
from kofinlaw.errors import raise_if_machine
from kofinlaw.recipes.pipeline.run import Run, source_paths

__all__ = ["free_parent", "partial_folder", "require_place"]


def require_place(out: Path, run: Run | None = None) -> None:
    """Raise UserError if there is something at `out` already, or if no folder can be made there.

    With a run, its own folder and those of its documents and weights are refused too: their next
    reader would take the bundle for a part of them.
    """
    try:
        str(out).encode()
    except UnicodeEncodeError as error:
        raise UserError(
            "pip needs a path that is UTF-8 text, and this one is not",
            where=ascii(str(out)),
            remedy="name a folder with another name",
        ) from error
    try:
        taken = out.exists() or out.is_symlink()
        partial_folder(out).is_dir()
        for folder in _folders(run) if run is not None else ():
            if out.absolute().resolve().is_relative_to(folder.resolve()):
                raise UserError(
                    f"the bundle would lie in {folder}, which it is made from",
                    where=str(out),
                    remedy="name a folder outside of it",
                )
    except (OSError, ValueError) as error:
        raise_if_machine(error, out)
        raise UserError(
            f"no folder can be made at this path: {getattr(error, 'strerror', None) or error}",
            where=str(out),
            remedy="name another folder",
        ) from error
    if taken:
        raise UserError(
            "there is something at this path already, and a bundle overwrites nothing",
            where=str(out),
            remedy="name a new folder",
        )
    free_parent(out)


def _folders(run: Run) -> list[Path]:
    named = [run.folder, run.recipe.model.path, *source_paths(run)]
    return [path for path in named if path is not None and path.is_dir()]


def free_parent(out: Path) -> Path:
    """Return the nearest folder above `out` that exists. Raises UserError if it is a file."""
    parent = next(one for one in out.absolute().parents if one.exists())
    if not parent.is_dir():
        raise UserError(
            f"{parent} is a file, so no folder can be made in it",
            where=str(out),
            remedy="name another folder",
        )
    return parent


def partial_folder(out: Path) -> Path:
    """Return the folder in which a bundle is written before it is complete."""
    return out.absolute().with_name(f"{out.name}.partial")
