"""Read a git repository that others made, without its configuration: no program of it runs.

The configuration of a repository names programs (`gpg.program`, `core.sshCommand`, filters, hooks)
and servers that git asks for missing objects. Therefore git never sees it. It runs in an empty
repository of ours, with our configuration, and only takes the objects of the other one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.offline import GIT_OFFLINE

__all__ = ["GitRepository", "find_repository"]

_TIMEOUT_SECONDS = 600
_MOST_BYTES = 64 * 2**20  # of a file of references
_MOST_STEPS = 5  # of references that name references, and of alternates
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MISSING = re.compile(
    r"missing|bad object|unable to (?:read|find)|could not read|failed to traverse|not our ref"
    r"|invalid object|lazy fetch|promisor|not a valid object",
    re.IGNORECASE,
)
_CONFIGURATION = """[core]
\trepositoryformatversion = {version}
\tbare = true
\thooksPath = /dev/null
\tfsmonitor = false
\tcommitGraph = false
[protocol]
\tallow = never
[gc]
\tauto = 0
[maintenance]
\tauto = false
"""


class GitRepository:
    """The objects of a foreign repository, at its current commit.

    `root` is its working tree, `folder` its git folder, and `head` its commit. Open it as a context
    manager before `run` and `read`.
    """

    def __init__(self, root: Path, folder: Path, common: Path, head: str) -> None:
        self.root = root
        self.folder = folder
        self.head = head
        self._shallow = common / "shallow"
        self._objects = common / "objects"
        self._open = contextlib.ExitStack()
        self._own: Path | None = None
        self._batch: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> GitRepository:
        own = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="kofinlaw-git-")))
        (own / "refs").mkdir()
        text = _CONFIGURATION.format(version=int(len(self.head) == 64))
        if len(self.head) == 64:
            text += "[extensions]\n\tobjectFormat = sha256\n"
        (own / "config").write_text(text, encoding="utf-8")
        (own / "HEAD").write_text(f"{self.head}\n", encoding="utf-8")
        self._own = own
        return self

    def __exit__(self, *exception: object) -> None:
        if self._batch is not None:
            for pipe in (self._batch.stdin, self._batch.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._batch.wait(timeout=_TIMEOUT_SECONDS)
            self._batch = None
        self._own = None
        self._open.close()

    def changed_files(self) -> list[str]:
        """Return the tracked files of the working tree that differ from the current commit."""
        index = {"GIT_INDEX_FILE": str(self._folder() / "index")}
        self._git("read-tree", self.head, extra=index)
        tree = {**index, "GIT_WORK_TREE": str(self.root)}
        out = self._git("status", "--porcelain", "-z", "--untracked-files=no", extra=tree)
        return [os.fsdecode(line[3:]) for line in out.split(b"\0") if line]

    def run(self, *arguments: str) -> bytes:
        """Return what a git command prints.

        Raises UserError if git fails; where objects are missing, with the command that completes
        the repository.
        """
        return self._git(*arguments, extra={})

    def _git(self, *arguments: str, extra: Mapping[str, str]) -> bytes:
        try:
            done = subprocess.run(
                [_program(self.root), "--no-pager", "--no-replace-objects", *arguments],
                cwd=self._folder(),
                env=self._environment(extra),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"git could not be run: {error}", where=str(self.root)) from error
        if done.returncode != 0:
            raise self._failed(done.stderr.decode("utf-8", errors="replace"))
        return done.stdout

    def read(self, blob: str) -> bytes:
        """Return the bytes of a blob by its id. One process reads any number of blobs.

        Raises UserError if the repository lacks it, with the command that completes it.
        """
        if self._batch is None:
            self._batch = subprocess.Popen(
                [_program(self.root), "--no-replace-objects", "cat-file", "--batch"],
                cwd=self._folder(),
                env=self._environment({}),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        stdin, stdout = self._batch.stdin, self._batch.stdout
        if stdin is None or stdout is None:
            raise ValueError("the process has no pipes")
        try:
            stdin.write(f"{blob}\n".encode("ascii"))
            stdin.flush()
            head = stdout.readline().split()
            if len(head) != 3 or head[1] != b"blob":
                raise self.incomplete(f"object {blob[:12]} is missing or damaged")
            data = stdout.read(int(head[2]))
            stdout.read(1)
        except OSError as error:
            raise self.incomplete(f"object {blob[:12]} cannot be read: {error}") from error
        return data

    def incomplete(self, why: str) -> UserError:
        """Return the error for a repository that lacks objects, with the remedy."""
        steps = []
        if self.shallow:
            steps.append("--unshallow")
        if any(self._objects.glob("pack/*.promisor")):
            steps.append("--refetch --no-filter")
        place = shlex.quote(str(self.root))
        commands = [f"git -C {place} fetch {step}" for step in steps]
        remedy = (
            "where the network may be used, complete the clone: " + " && ".join(commands)
            if commands
            else f"clone it again, complete (no --depth, no --filter); `git -C {place} fsck` "
            "names what is missing"
        )
        return UserError(
            f"the git history is not complete: {why}", where=str(self.root), remedy=remedy
        )

    @property
    def shallow(self) -> bool:
        """Whether commits were left out when the repository was cloned (`--depth`)."""
        return bool(_small_file(self._shallow).strip())

    def _folder(self) -> Path:
        if self._own is None:
            raise ValueError("open the repository with `with` first")
        return self._own

    def _failed(self, output: str) -> UserError:
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        last = lines[-1] if lines else "no message"
        if _MISSING.search(output):
            return self.incomplete(last)
        return UserError(
            f"git failed: {last}",
            where=str(self.root),
            remedy="the folder must be a complete, undamaged clone with its history",
        )

    def _environment(self, extra: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a git process: none of the user's or the caller's settings."""
        own = str(self._folder())
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("GIT_", "SSH_")) and name not in ("PAGER", "EDITOR", "VISUAL")
        }
        return {
            **kept,
            **GIT_OFFLINE,
            "GIT_DIR": own,
            "HOME": own,
            "XDG_CONFIG_HOME": own,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_OBJECT_DIRECTORY": str(self._objects),
            "LC_ALL": "C.UTF-8",
            **extra,
        }


def find_repository(folder: Path) -> GitRepository | None:
    """Return the repository whose working tree holds the folder, or None.

    It is None where no folder above has a `.git`, and where nothing was committed. Raises UserError
    for a repository that leads outside of itself (`.git`, alternates or links), and if git is not
    installed.
    """
    folder = folder.resolve()
    start = folder if folder.is_dir() else folder.parent
    for root in (start, *start.parents):
        if (git := _git_folder(root)) is not None:
            return _opened(root, *git)
    return None


def _opened(root: Path, git: Path, common: Path) -> GitRepository | None:
    if (common / "reftable").exists():
        raise UserError(
            "the branches of this repository are stored in a form that kofinlaw does not read",
            where=str(root),
            remedy=f"git -C {shlex.quote(str(root))} refs migrate --ref-format=files",
        )
    head = _commit(git, common)
    if head is None:
        return None
    _program(root)
    _stays_inside(common / "objects", common, root)
    return GitRepository(root, git, common, head)


def _git_folder(root: Path) -> tuple[Path, Path] | None:
    """Return the git folder of a working tree and the folder with its objects, or None.

    They are two folders in a worktree that `git worktree add` made.
    """
    entry = root / ".git"
    try:
        mode = entry.stat().st_mode
    except OSError:
        return None
    if stat.S_ISREG(mode):
        text = _small_file(entry).strip()
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
        common = (git / _small_file(named).strip()).resolve()
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
        back = git / _small_file(named).strip()
        return back.name == ".git" and back.parent.resolve() == root
    config = _small_file(git / "config")
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


def _stays_inside(objects: Path, common: Path, root: Path, step: int = 0) -> None:
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
    for line in _small_file(alternates).splitlines():
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
                _stays_inside(other, common, root, step + 1)


def _commit(git: Path, common: Path) -> str | None:
    """Return the id of the current commit; None if there is none yet.

    Raises UserError if a reference is not one.
    """
    text = _small_file(git / "HEAD").strip()
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
        text = _small_file(file).strip()
    raise UserError(
        "HEAD of the git folder is not a reference to a commit",
        where=str(git),
        remedy="name a complete, undamaged clone in data.sources",
    )


def _packed(common: Path, name: str) -> str | None:
    if not (file := common / "packed-refs").is_file():
        return None
    for line in _small_file(file).splitlines():
        commit, _, named = line.partition(" ")
        if named == name and _ID.fullmatch(commit):
            return commit
    return None


def _small_file(path: Path) -> str:
    """Return the text of a regular file; empty if it is anything else or too large."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            return ""
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""


def _program(root: Path) -> str:
    """Return the path of git. Only absolute folders of PATH are searched for it."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = shutil.which("git", path=os.pathsep.join(f for f in folders if Path(f).is_absolute()))
    if found is None:
        raise UserError(
            "git is not installed, and data.as_of needs the git history of this folder",
            where=str(root),
            remedy="install git, or leave out data.as_of",
        )
    return found
