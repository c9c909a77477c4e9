"""Read the text in force on a day from the git history of a clone of statutes.

In such a clone (legalize-kr's format) each commit is one amendment with the date of its
promulgation, and the front matter of each file says when it comes into force. Commits are not in
the order of their dates. Therefore the version is chosen for each file, never with `rev-list`.
"""

from __future__ import annotations

import datetime
import fnmatch
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.frontmatter import iso_day, split_front_matter
from kofinlaw.decoding import decode

__all__ = ["Version", "repository", "tracked", "tracked_files", "versions_in_force"]

_TIMEOUT_SECONDS = 600
# The configuration of an untrusted repository must not run programs.
_SAFE_OPTIONS = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.quotePath=false",
)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a file: path in the repository, commit, ISO day of the commit, and bytes.

    `state` says whether this text was in force on the requested day, came into force later, or
    was repealed before.
    """

    path: str
    commit: str
    day: str
    data: bytes
    state: Literal["in_force", "later", "repealed"] = "in_force"


def repository(folder: Path) -> Path | None:
    """Return the root of the git repository that contains the folder, or None."""
    if shutil.which("git") is None:
        return None
    folder = folder if folder.is_dir() else folder.parent
    done = _run(folder, "rev-parse", "--show-toplevel", check=False)
    return Path(done.decode().strip()) if done.strip() else None


def tracked(folder: Path) -> bool:
    """Return whether git has the history of at least one file in the folder."""
    return bool(_run(folder, "ls-files", "--", ".", check=False)[:1]) and bool(
        _run(folder, "log", "-1", "--format=%H", "--", ".", check=False).strip()
    )


def tracked_files(folder: Path) -> set[str]:
    """Return the files below a folder that git knows, as paths relative to it."""
    listed = _run(folder, "ls-files", "-z", "--", ".", check=False)
    return {os.fsdecode(name) for name in listed.split(b"\0") if name}


def versions_in_force(
    folder: Path,
    as_of: datetime.date,
    patterns: tuple[str, ...],
    *,
    first: datetime.date | None = None,
) -> Iterator[Version]:
    """Yield the version of each file in `folder` that was in force on `as_of`, ordered by path.

    It is the last promulgated version that was in force on that day. A file that was repealed
    before has the state `repealed`. A file that came into force later has the state `later`, with
    its oldest text. With `first`, the version of `as_of` is followed by the versions in force since
    `first`, back in time. `patterns` are patterns of file names. Raises UserError if git fails.
    """
    histories = _histories(folder, patterns)
    oldest = first.isoformat() if first else ""
    with _Blobs(folder) as blobs:
        for path in sorted(histories):
            yield from _in_force(path, histories[path], as_of.isoformat(), oldest, blobs)


def _in_force(
    path: str, history: list[tuple[str, str, str]], day: str, first: str, blobs: _Blobs
) -> Iterator[Version]:
    """Yield the version in force; `history` has (day, commit, status),
    newest first; `first` is empty for a single version.
    """
    later: Version | None = None
    since = ""  # the day from which the last version found was in force
    for promulgated, commit, status in history:
        if status == "D":
            if since:
                return
            if promulgated <= day:
                yield Version(path, commit, promulgated, b"", "repealed")
                return
            continue
        data = blobs.read(f"{commit}:{path}")
        if data is None:
            continue
        begins = _in_force_from(data, promulgated)
        if promulgated <= day and begins <= day and (not since or begins < since):
            yield Version(path, commit, promulgated, data)
            since = begins
            if not first or since <= first:
                return
        elif not since:
            later = Version(path, commit, promulgated, data, "later")
    if later is not None and not since:
        yield later


def _in_force_from(data: bytes, promulgated: str) -> str:
    """Return the ISO day on which a version comes into force,
    by its front matter or else its commit.
    """
    try:
        meta, _, _ = split_front_matter(decode(data)[0])
    except UserError:
        return promulgated
    return iso_day(meta.get("시행일자")) or iso_day(meta.get("발령일자")) or promulgated


def _histories(folder: Path, patterns: tuple[str, ...]) -> dict[str, list[tuple[str, str, str]]]:
    """Return the commits of each path as (day, commit, status), newest day first.

    Commits of one day keep the order of the log, newest first.
    """
    log = _run(
        folder,
        "log",
        "--no-renames",
        "--name-status",
        "-z",
        "--format=%x01%H %ad",
        "--date=format:%Y-%m-%d",
        "--",
        ".",
    ).decode("utf-8", errors="surrogateescape")
    out: dict[str, list[tuple[str, str, str]]] = {}
    for block in log.split("\x01")[1:]:
        head, _, rest = block.partition("\0")
        head = head.strip()
        if " " not in head:
            continue
        commit, _, day = head.partition(" ")
        fields = [field.strip("\n") for field in rest.split("\0") if field.strip("\n")]
        for status, path in zip(fields[0::2], fields[1::2], strict=False):
            name = path.rpartition("/")[2].lower()
            if any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
                out.setdefault(path, []).append((day, commit, status[:1]))
    for history in out.values():
        history.sort(key=lambda item: item[0], reverse=True)
    return out


class _Blobs:
    """Read file contents with `git cat-file --batch`: one process for any number of versions."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["git", *_SAFE_OPTIONS, "cat-file", "--batch"],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def read(self, name: str) -> bytes | None:
        """Return the bytes of `commit:path`, or None if there is no such file."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None or "\n" in name:
            return None
        stdin.write(name.encode("utf-8", errors="surrogateescape") + b"\n")
        stdin.flush()
        head = stdout.readline().split()
        if len(head) != 3 or head[1] != b"blob":
            return None
        data = stdout.read(int(head[2]))
        stdout.read(1)
        return data

    def __enter__(self) -> _Blobs:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait(timeout=_TIMEOUT_SECONDS)


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C.UTF-8",
    }


def _run(folder: Path, *arguments: str, check: bool = True) -> bytes:
    try:
        done = subprocess.run(
            ["git", *_SAFE_OPTIONS, "--no-pager", *arguments],
            cwd=folder,
            env=_environment(),
            capture_output=True,
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(
            f"git could not be run: {error}", where=str(folder), remedy="install git"
        ) from error
    if done.returncode != 0:
        if not check:
            return b""
        lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        raise UserError(
            f"git failed: {lines[0] if lines else 'no message'}",
            where=str(folder),
            remedy="the folder must be a complete clone with its history (not --depth 1)",
        )
    return done.stdout
