"""JSON Lines in and out, and files that are whole or absent."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

from kofinlaw import UserError
from kofinlaw.records import from_json, to_json

T = TypeVar("T")


def dumps(record: Any) -> str:
    """One line of JSON, keys in the record's order, Korean left readable."""
    value = record if isinstance(record, dict) else to_json(record)
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


@contextmanager
def atomic_write(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Write beside `path`, fsync, rename: readers see the old file or the new, never a half.

    Raises UserError where the disk is full or the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    encoding = None if "b" in mode else "utf-8"
    try:
        with open(temporary, mode, encoding=encoding) as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise disk_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` that takes its name when the block ends well, in place of an older.

    Files and folder are synced first. What a killed writer left is deleted before, and nothing is
    left behind by one that fails. Raises UserError as `atomic_write`.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    try:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        yield temporary
        for path in sorted(temporary.rglob("*")):
            sync(path)
        sync(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(temporary, folder)
        sync(folder.parent)
    except OSError as error:
        raise disk_error(error, folder) from error
    except Exception as error:
        # safetensors and torch wrap the system's error in their own
        if "No space left" in str(error):
            raise disk_error(OSError(errno.ENOSPC, str(error)), folder) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync(path: Path) -> None:
    """Force a file, or a folder's list of names, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_error(error: OSError, path: Path) -> Exception:
    """The person's version of a full disk or a read-only folder; other errors come back as is."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return UserError(
            "no space left on the disk",
            where=str(path),
            remedy="free some space and run the same command again; finished records are kept",
        )
    if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        return UserError(
            "this folder cannot be written",
            where=str(path),
            remedy="choose another folder with --runs DIR, or mend its permissions",
        )
    return error


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic_write(path) as handle:
        handle.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document whole or not at all, indented for people."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_jsonl(path: Path, records: Iterable[Any]) -> int:
    """Write records one a line, whole or not at all; returns how many."""
    count = 0
    with atomic_write(path) as handle:
        for record in records:
            handle.write(dumps(record) + "\n")
            count += 1
    return count


def read_jsonl(path: Path, record_type: type[T]) -> Iterator[T]:
    """Records of a file in order.

    Raises UserError with file and line for a missing file, a broken line or a wrong field.
    """
    for line, value in read_json_lines(path):
        try:
            yield from_json(record_type, value)
        except (TypeError, KeyError) as error:
            raise UserError(
                f"this line is not a {record_type.__name__}: {error}",
                where=f"{path}:{line}",
                remedy="mend the line, or delete the stage's folder and run it again",
            ) from error


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number from 1, object) of each non-blank line; raises UserError as `read_jsonl`."""
    try:
        handle = open(path, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError("no such file", where=str(path)) from error
    with handle:
        try:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                try:
                    value = json.loads(line)
                except json.JSONDecodeError as error:
                    raise UserError(
                        f"broken JSON: {error.msg}", where=f"{path}:{number}"
                    ) from error
                if not isinstance(value, dict):
                    raise UserError("a line must hold one JSON object", where=f"{path}:{number}")
                yield number, value
        except UnicodeDecodeError as error:
            raise UserError("the file is not UTF-8", where=str(path)) from error


class JsonlAppender:
    """Append-only JSON Lines that survives a kill: a torn last line is cut off on opening.

    Each `append` is flushed to the operating system; `sync` forces it to the disk.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_line(path)
        try:
            self._handle = open(path, "a", encoding="utf-8")
        except OSError as error:
            raise disk_error(error, path) from error
        self.path = path

    def append(self, record: Any) -> None:
        """Write one record; raises UserError on a full disk, leaving earlier lines whole."""
        try:
            self._handle.write(dumps(record) + "\n")
            self._handle.flush()
        except OSError as error:
            raise disk_error(error, self.path) from error

    def sync(self) -> None:
        """Force what was appended to the disk."""
        os.fsync(self._handle.fileno())

    def close(self) -> None:
        """Sync and close."""
        if not self._handle.closed:
            self.sync()
            self._handle.close()

    def __enter__(self) -> JsonlAppender:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def cut_torn_line(path: Path) -> None:
    """Drop the bytes after the last newline: what a killed writer left half done."""
    if not path.exists() or path.stat().st_size == 0:
        return
    with open(path, "rb+") as handle:
        size = handle.seek(0, os.SEEK_END)
        position = size
        while position > 0:
            step = min(65536, position)
            handle.seek(position - step)
            found = handle.read(step).rfind(b"\n")
            if found >= 0:
                position = position - step + found + 1
                break
            position -= step
        if position < size:
            handle.truncate(position)


def sha256_text(text: str) -> str:
    """SHA-256 of UTF-8 text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
