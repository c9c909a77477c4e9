"""Read the text in force on a day from the git history of a clone of statutes.

In such a clone (legalize-kr's format) each commit is one amendment with the date of its
promulgation, and the front matter of each file says when it comes into force. Commits are not in
the order of their dates. Therefore the version is chosen for each file, never with `rev-list`.
"""

from __future__ import annotations

import datetime
import fnmatch
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kofinlaw import UserError
from kofinlaw.data.frontmatter import iso_day, split_front_matter
from kofinlaw.data.law.git.git_repository import GitRepository, find_repository
from kofinlaw.decoding import decode

__all__ = ["Version", "tracked_files", "versions_in_force"]

_LINK = "120000"  # git's mode of a symbolic link
_FILES = ("100644", "100755", "100664", _LINK)


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a file: path in the repository, commit, ISO day of the commit, and bytes.

    `state` says whether this text was in force on the requested day, came into force later, was
    repealed before, or is a link, which is not followed.
    """

    path: str
    commit: str
    day: str
    data: bytes
    state: Literal["in_force", "later", "repealed", "link"] = "in_force"


@dataclass(frozen=True, slots=True)
class _Change:
    """A change of a file: ISO day and id of its commit, and mode and id of the blob after it.

    The blob is empty where the file was deleted.
    """

    day: str
    commit: str
    mode: str
    blob: str


def tracked_files(folder: Path) -> set[str]:
    """Return the files below a folder in the current commit, as paths relative to it.

    It is empty outside of a git repository. Raises UserError for a repository that cannot be read,
    and for one whose history was left out.
    """
    repository = find_repository(folder)
    if repository is None:
        return set()
    place = _place(repository, folder)
    with repository:
        listed = repository.run("ls-tree", "-r", "-z", repository.head, "--", *place)
        out = set()
        for line in listed.split(b"\0"):
            head, _, name = line.partition(b"\t")
            if head[:6].decode("ascii") in _FILES:
                out.add(os.fsdecode(name).removeprefix("".join(place)))
        if out and repository.shallow:
            raise repository.incomplete("it is a shallow clone")
    return out


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
    its oldest text. A file that was a link has the state `link`. With `first`, the version of
    `as_of` is followed by the versions in force since `first`, back in time. `patterns` are
    patterns of file names. Raises UserError if git fails or the clone lacks objects.
    """
    repository = find_repository(folder)
    if repository is None:
        return
    oldest = first.isoformat() if first else ""
    with repository:
        histories = _histories(repository, folder, patterns)
        for path in sorted(histories):
            yield from _in_force(path, histories[path], as_of.isoformat(), oldest, repository)


def _place(repository: GitRepository, folder: Path) -> list[str]:
    """Return the path of a folder in the repository, with a slash; nothing for its root."""
    place = folder.resolve().relative_to(repository.root).as_posix()
    return [] if place == "." else [f"{place}/"]


def _in_force(
    path: str, history: list[_Change], day: str, first: str, repository: GitRepository
) -> Iterator[Version]:
    """Yield the version in force; `history` is newest first; `first` is empty for one version."""
    later: Version | None = None
    since = ""  # the day from which the last version found was in force
    for change in history:
        promulgated, commit = change.day, change.commit
        if not change.blob or change.mode == _LINK:
            if since:
                return
            if promulgated <= day:
                state: Literal["link", "repealed"] = "link" if change.blob else "repealed"
                yield Version(path, commit, promulgated, b"", state)
                return
            continue
        data = repository.read(change.blob)
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


def _histories(
    repository: GitRepository, folder: Path, patterns: tuple[str, ...]
) -> dict[str, list[_Change]]:
    """Return the changes of each path, newest day first.

    Changes of one day keep the order of the log, newest first.
    """
    log = repository.run(
        "log",
        "--no-renames",
        "--raw",
        "--no-abbrev",
        "-z",
        "--format=%x01%H %ad",
        "--date=format:%Y-%m-%d",
        repository.head,
        "--",
        *_place(repository, folder),
    ).decode("utf-8", errors="surrogateescape")
    out: dict[str, list[_Change]] = {}
    commit = day = ""
    fields = iter(log.split("\0"))
    for field in fields:
        if head := re.fullmatch(r"\s*\x01([0-9a-f]+) (\S+)\s*", field):
            commit, day = head.groups()
            continue
        # `:100644 100644 old-blob new-blob M`, then the path
        change = re.fullmatch(r"\s*:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) ([A-Z])\d*", field)
        if change is None:
            continue
        path = next(fields, "")
        mode, blob, status = change.groups()
        name = path.rpartition("/")[2].lower()
        is_file = (status == "D" or mode in _FILES) and _plain(path)
        if is_file and any(fnmatch.fnmatch(name, pattern) for pattern in patterns):
            kept = _Change(day, commit, mode, "" if status == "D" else blob)
            out.setdefault(path, []).append(kept)
    for history in out.values():
        history.sort(key=lambda item: item.day, reverse=True)
    return out


def _plain(path: str) -> bool:
    """Return whether every part of a path is the name of a file; a damaged tree may hold `..`."""
    return not any(part in ("", ".", "..") for part in path.split("/"))
