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
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.law.git.git_folder import check_objects, current_commit, git_folders, small_file
from kofinlaw.offline import GIT_OFFLINE

__all__ = ["GitRepository", "find_repository"]

_TIMEOUT_SECONDS = 600
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
        return bool(small_file(self._shallow).strip())

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
        if (git := git_folders(root)) is not None:
            return _opened(root, *git)
    return None


def _opened(root: Path, git: Path, common: Path) -> GitRepository | None:
    if (common / "reftable").exists():
        raise UserError(
            "the branches of this repository are stored in a form that kofinlaw does not read",
            where=str(root),
            remedy=f"git -C {shlex.quote(str(root))} refs migrate --ref-format=files",
        )
    head = current_commit(git, common)
    if head is None:
        return None
    _program(root)
    check_objects(common / "objects", common, root)
    return GitRepository(root, git, common, head)


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
