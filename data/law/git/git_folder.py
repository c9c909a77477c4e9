"""Find the git folder of a working tree and its current commit; refuse one that leads outside.

Only small files are read: no program runs, and the configuration only says which working tree a
folder belongs to.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path

from kofinlaw import UserError

__all__ = ["check_objects", "current_commit", "git_folders", "small_file"]

_MOST_BYTES = 64 * 2**20  # of a file of references
_MOST_STEPS = 5  # of references that name references, and of alternates
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def git_folders(root: Path) -> tuple[Path, Path] | None:
    """Return the git folder of a working tree and the folder with its objects, or None.

    They are two folders in a worktree that `git worktree add` made. Raises UserError for a folder
    outside of the working tree that does not name this working tree as its own.
    """
    entry = root / ".git"
    try:
        mode = entry.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        text = small_file(entry).strip()
        if not text.startswith("gitdir:"):
            return None
        git = (root / text.removeprefix("gitdir:").strip()).resolve()
    elif stat.S_ISDIR(mode):
        git = entry.resolve()
    else:
        return None
    if not (git / "HEAD").is_file():
        return None
    common = git
    if (named := git / "commondir").is_file():
        common = (git / small_file(named).strip()).resolve()
        if git.parent != common / "worktrees" or not _points_back(git, root):
            raise _outside(root, common, "`commondir`")
    if not git.is_relative_to(root) and not _points_back(git, root):
        error = _outside(root, git, "`.git`")
        error.remedy = (
            "if that repository is yours, let it name this folder: git "
            f"--git-dir={shlex.quote(str(git))} config core.worktree {shlex.quote(str(root))}"
        )
        raise error
    return git, common


def _points_back(git: Path, root: Path) -> bool:
    """Return whether a git folder outside of the working tree names this working tree as its own.

    `git worktree add` writes `gitdir`; submodules and `--separate-git-dir` write `core.worktree`.
    """
    if (named := git / "gitdir").is_file():
        back = git / small_file(named).strip()
        return back.name == ".git" and back.parent.resolve() == root
    config = small_file(git / "config")
    found = re.search(r"^[^\S\n]*worktree[^\S\n]*=[^\S\n]*+(.+)$", config, re.MULTILINE)
    if found is None:
        return False
    name = found[1].strip().strip('"').replace('\\"', '"').replace("\\\\", "\\")
    return (git / name).resolve() == root


def _outside(root: Path, target: Path, what: str) -> UserError:
    return UserError(
        f"{what} of this source leads outside of it, to {target}",
        where=str(root),
        remedy="name a complete clone in data.sources: git clone --no-local "
        f"{shlex.quote(str(root))} NEW_FOLDER",
    )


def check_objects(objects: Path, common: Path, root: Path, step: int = 0) -> None:
    """Raise UserError if the objects, a link among them or their alternates lie elsewhere."""
    inside = (common, root)

    def check(path: Path, what: str) -> None:
        target = path.resolve()
        if not any(target.is_relative_to(folder) for folder in inside):
            raise _outside(root, target, what)

    check(objects, "`objects` of the git folder")
    for folder, folders, names in os.walk(objects):
        for name in (*folders, *names):
            if (path := Path(folder) / name).is_symlink():
                check(path, f"the link `{name}` among the git objects")
    alternates = objects / "info" / "alternates"
    if not alternates.exists():
        return
    for line in small_file(alternates).splitlines():
        if line.strip() and not line.startswith("#"):
            other = objects / line
            try:
                check(other, "`objects/info/alternates`")
            except UserError as error:
                place = shlex.quote(str(root))
                error.remedy = (
                    f"copy the objects into the clone: git -C {place} repack -a -d && rm "
                    f"{shlex.quote(str(alternates))}"
                )
                raise
            if step < _MOST_STEPS:
                check_objects(other, common, root, step + 1)


def current_commit(git: Path, common: Path) -> str | None:
    """Return the id of the current commit; None if there is none yet.

    Raises UserError if a reference is not one.
    """
    text = small_file(git / "HEAD").strip()
    for _ in range(_MOST_STEPS):
        if _ID.fullmatch(text):
            return text
        name = text.removeprefix("ref:").strip()
        if not text.startswith("ref:") or not name.startswith("refs/") or ".." in name:
            break
        file = common / name
        if not file.resolve().is_relative_to(common):
            break
        if not file.is_file():
            return _packed(common, name)
        text = small_file(file).strip()
    raise UserError(
        "HEAD of the git folder is not a reference to a commit",
        where=str(git),
        remedy="name a complete, undamaged clone in data.sources",
    )


def _packed(common: Path, name: str) -> str | None:
    if not (file := common / "packed-refs").is_file():
        return None
    for line in small_file(file).splitlines():
        commit, _, named = line.partition(" ")
        if named == name and _ID.fullmatch(commit):
            return commit
    return None


def small_file(path: Path) -> str:
    """Return the text of a regular file; empty if it is anything else or too large."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
