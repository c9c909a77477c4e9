"""List every file below a source: those to read, and the others with the reason."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.data.readers.documents import file_suffix
from kofinlaw.data.readers.formats import READERS, no_reader
from kofinlaw.data.reject_log import UnreadFile
from kofinlaw.data.settings import SourceSettings
from kofinlaw.decoding import clean_text, decode_name
from kofinlaw.files import existing_path, leads_outside

__all__ = [
    "FileList",
    "linked_files",
    "list_files",
    "shown_path",
    "source_path",
    "unread_lines",
]

_MAX_LINES = 20
_NAMES = {
    "no_reader": "no reader",
    "unreadable": "rejected",
    "not_included": "not included",
    "not_in_force": "not in force",
    "no_chunk": "no chunk left",
    "needs_ocr": "needs OCR",
    "ocr_unsure": "OCR is not sure",
    "ocr_failed": "OCR failed",
}
_COUNTED = {
    "no reader": "without a reader",
    "no chunk left": "without a chunk",
    "needs OCR": "need OCR",
    "OCR is not sure": "with unsure OCR",
    "OCR failed": "with failed OCR",
}
_OUTSIDE = (
    "a link that leads outside of the source → add the file to data.sources, or set "
    "`follow_links: true` of the source"
)
# What the user can do something about comes first in the terminal.
_ORDER = (
    "unreadable",
    "needs_ocr",
    "ocr_unsure",
    "ocr_failed",
    "empty",
    "no_reader",
    "no_chunk",
    "link",
    "not_in_force",
    "untracked",
)


@dataclass(slots=True)
class FileList:
    """The files below a source: `to_read` as (path, name in records), ordered by name, and
    `unread`.
    """

    to_read: list[tuple[Path, str]] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)

    def skip(self, name: str, reason: str, detail: str) -> None:
        """Add a file or link that is not read."""
        self.unread.append(UnreadFile(name, reason, detail))


def source_path(source: SourceSettings, base: Path) -> Path:
    """Return the path of a source, however its name spells Hangul."""
    return existing_path(base / source.path)


def linked_files(source: SourceSettings, base: Path) -> list[Path]:
    """Return the files outside of a source that its links name; empty without `follow_links`."""
    root = source_path(source, base)
    if not source.follow_links or not root.is_dir():
        return []
    found = (path for path, is_folder in _walk(root, FileList()) if not is_folder)
    return [path for path in found if path.is_file() and leads_outside(path, root)]


def list_files(
    source: SourceSettings, base: Path, extra_suffixes: Collection[str] = ()
) -> FileList:
    """Return all files and links below a source, ordered by name. The folder `.git` is left out.

    - Links to folders are not followed, so a folder with a link to itself does not loop.
    - Links to files outside of the source are read only with `source.follow_links`.
    - A link to a file that is read anyway is unread.
    - A file that `source.include` does not match is unread: without a reader, or not included.
    - Hidden files and folders, and lock files of open documents, are unread.

    Args:
        source: The source.
        base: The folder to which the path of the source is relative.
        extra_suffixes: Suffixes that readers of the caller read, in addition to the built-in ones.

    Raises UserError if the source does not exist.
    """
    root = source_path(source, base)
    files = FileList()
    known = {*READERS, *extra_suffixes}
    if root.is_file():
        _add(files, root, shown_path(root.name), known)
        return files
    if not root.is_dir():
        raise UserError(
            "no such file or folder", where=source.path, remedy="fix data.sources in the recipe"
        )
    patterns = [clean_text(pattern.lower()) for pattern in source.include]
    for path, is_folder in _walk(root, files):
        name = shown_path(f"{root.name}/{path.relative_to(root).as_posix()}")
        plain = name.rpartition("/")[2]
        if is_folder and path.is_symlink():
            files.skip(name, "link", "a link to a folder is not followed → add it to data.sources")
        elif is_folder:
            files.skip(name, "hidden", "a hidden folder")
        elif plain.startswith("."):
            files.skip(name, "hidden", "a hidden file")
        elif plain.startswith("~$"):
            files.skip(name, "lock_file", "a lock file of an open document")
        elif not source.follow_links and leads_outside(path, root):
            files.skip(name, "link", _OUTSIDE)
        elif any(fnmatch.fnmatch(plain.lower(), pattern) for pattern in patterns):
            _add(files, path, name, known)
        elif file_suffix(path) in known:
            files.skip(name, "not_included", "its name does not match `include` of the source")
        else:
            files.skip(name, "no_reader", _no_reader(path))
    _skip_second_links(files)
    return files


def _skip_second_links(files: FileList) -> None:
    """Move links to a file that is read anyway to the unread: one text, read twice under two
    names, would make two documents.
    """
    owner = {path.resolve(): name for path, name in files.to_read if not path.is_symlink()}
    kept = []
    for path, name in files.to_read:
        if path.is_symlink():
            first = owner.setdefault(path.resolve(), name)
            if first != name:
                files.skip(name, "link", f"a link to {first}, which is read")
                continue
        kept.append((path, name))
    files.to_read[:] = kept


def _walk(root: Path, files: FileList) -> Iterator[tuple[Path, bool]]:
    """Yield (path, whether it is a folder) of all files, hidden folders and links to folders."""

    def unreadable(error: OSError) -> None:
        name = Path(str(error.filename)).relative_to(root.parent).as_posix()
        files.skip(shown_path(name), "unreadable", f"the folder cannot be read: {error.strerror}")

    for folder, folders, names in os.walk(root, onerror=unreadable):
        kept = []
        for name in sorted(folders):
            path = Path(folder) / name
            if name == ".git":
                continue
            if name.startswith(".") or path.is_symlink():
                yield path, True
            else:
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            yield Path(folder) / name, False


def _add(files: FileList, path: Path, name: str, known: Collection[str]) -> None:
    """Add a file that the source includes, if it is a file and has a reader."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        what = "a link to a missing file" if path.is_symlink() else "the file cannot be opened"
        files.skip(name, "unreadable", f"{what}: {error.strerror}")
        return
    if not stat.S_ISREG(mode):  # opening a pipe would wait without end
        files.skip(name, "unreadable", "not a regular file")
    elif file_suffix(path) not in known:
        files.skip(name, "no_reader", _no_reader(path))
    else:
        files.to_read.append((path, name))


def _no_reader(path: Path) -> str:
    return " → ".join(no_reader(path))


def shown_path(path: str) -> str:
    """Return a path as text: composed Hangul, and CP949 where the bytes of a name are not UTF-8."""
    return "/".join(decode_name(name).replace("\n", " ") for name in path.split("/"))


def unread_lines(found: int, unread: Collection[UnreadFile]) -> list[str]:
    """Return lines for the terminal: how many files were read, then the others by name, with
    those of which only some pages were read.

    The most useful come first; after 20 the rest is counted.
    """
    whole = {file.name: file for file in unread if not file.in_part}
    parts = {file.name for file in unread} - set(whole)
    counts: dict[str, int] = {}
    for file in whole.values():
        reason = _reason(file.reason)
        counts[reason] = counts.get(reason, 0) + 1
    summary = [f"{found - len(whole)} of {found} files read"]
    summary += [f"{len(parts)} of them only in part"] if parts else []
    summary += [f"{count} {_COUNTED.get(reason, reason)}" for reason, count in counts.items()]
    order = {reason: place for place, reason in enumerate(_ORDER)}
    listed = sorted(unread, key=lambda file: order.get(file.reason, len(order)))
    lines = [", ".join(summary)]
    lines += [f"{_reason(f.reason)}: {f.name}: {f.detail}" for f in listed[:_MAX_LINES]]
    more = len(listed) - _MAX_LINES
    return [*lines, f"… and {more} more, in card.json"] if more > 0 else lines


def _reason(reason: str) -> str:
    return _NAMES.get(reason, reason.replace("_", " "))
