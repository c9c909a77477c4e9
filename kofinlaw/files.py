"""Read and write JSON Lines, and write files and folders atomically: complete or absent.

**Which writer to use.** The project has several ways to write records. Choose by what must happen
after a crash, and by who reads the records:

- `write_jsonl`, `write_json`, `write_text`: all records are known when the file is written, or
  come from one generator. The file is complete or absent. This is the default.
- `atomic_write`, `atomic_write_bytes`, `atomic_folder`: as above, for other formats and for
  folders of several files.
- `JsonlAppender`: records come one by one over a long time and must survive a kill. Each record
  is one line. Opening the file removes a line that a killed process left incomplete. Use it for
  logs that are only read from the start, such as training metrics.
- The teacher's ledger (`augment.teacher.ledger`): a `JsonlAppender` with a key for each request,
  so that a resumed run never sends a request again. Use it for expensive calls with a
  deterministic key.
- The answering journal (`rag.answer.journal`): several `JsonlAppender` files that belong
  together, with the state that decides whether a run may be resumed, and the time used so far.
- `data.spool.Spool`: temporary records that do not fit in memory while one stage runs. They are
  read back in any order and deleted with their folder. Nothing is resumed from them.
- `data.reject_log.RejectLog`: rejected records, collected by step in spools, and written with
  `write_jsonl` when the stage ends.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TextIO, TypeVar

from kofinlaw import UserError
from kofinlaw.decoding import SURROGATES, clean_text, clean_value, load_json
from kofinlaw.errors import machine_error
from kofinlaw.records import from_json, to_json

__all__ = [
    "SET_ASIDE",
    "JsonlAppender",
    "T",
    "atomic_folder",
    "atomic_write",
    "atomic_write_bytes",
    "cache_folder",
    "cut_torn_line",
    "disk_error",
    "dumps",
    "existing_path",
    "explained_error",
    "leads_outside",
    "parse_json_line",
    "read_json_lines",
    "read_json_records",
    "read_jsonl",
    "readable_lines",
    "repair_lines",
    "set_aside",
    "sha256_file",
    "sha256_text",
    "stage_folders",
    "sync",
    "write_json",
    "write_jsonl",
    "write_text",
]

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)
SET_ASIDE = ".set-aside-"  # in the names of what could not be used and was kept


def cache_folder(cache: Path | None = None) -> Path:
    """Return the folder of what is kept between runs: models, vectors, environments, read pages.

    It may not exist yet. It is the first of these:

    1. `cache`
    2. $KOFINLAW_CACHE
    3. ~/.cache/kofinlaw, if it exists or if $XDG_CACHE_HOME is not set
    4. $XDG_CACHE_HOME/kofinlaw
    """
    if cache is not None:
        return Path(cache)
    if named := os.environ.get("KOFINLAW_CACHE"):
        return Path(named).expanduser()
    usual = Path("~/.cache/kofinlaw").expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base).expanduser() / "kofinlaw" if base and not usual.exists() else usual


def existing_path(path: Path) -> Path:
    """Return the file or folder that a path names, also if one of the two spells Hangul decomposed.

    People write composed Hangul. Files from macOS have decomposed names, and on Linux these are
    other names. Returns the path unchanged if there is no such file.
    """
    try:
        if path.exists():
            return path
    except OSError:  # a name that is too long
        return path
    found = Path(path.anchor)
    for part in path.parts[1 if path.anchor else 0 :]:
        step = found / part
        if not step.exists():
            wanted = clean_text(part)
            try:
                names = os.listdir(found)
            except OSError:
                return path
            same = (name for name in names if clean_text(name) == wanted)
            step = found / next(same, part)
        found = step
    return found if found.exists() else path


def leads_outside(path: Path, folder: Path) -> bool:
    """Return whether a path below a folder is a link to something that is not below the folder.

    The folder itself may be a link. A link to a hidden file of the folder (`.git/config`) leads
    outside too. Hard links cannot be distinguished from files.
    """
    if not path.is_symlink():
        return False
    try:
        inside = path.resolve().relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or another folder
        return True
    return any(part.startswith(".") for part in inside.parts)


def dumps(record: object) -> str:
    """Return a dictionary or a dataclass as one line of JSON.

    The keys keep the record's order, and Korean text stays readable. Raises TypeError for another
    type.
    """
    value = record if isinstance(record, dict) else to_json(record)
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


@contextmanager
def atomic_write(path: Path) -> Iterator[TextIO]:
    """Open a temporary text file (UTF-8) that replaces `path` when the block ends without error.

    The file is synced before it is renamed, so readers see the old file or the complete new one.
    A link keeps leading to its file, and that file is replaced. A device or a pipe (`/dev/stdout`)
    is written directly, because replacing it would destroy it.
    Raises UserError if the disk is full or the folder is not writable.
    """
    with (
        _replacing(path) as temporary,
        open(temporary, "w", encoding="utf-8", errors=SURROGATES) as handle,
    ):
        yield handle
        _flush(handle)


@contextmanager
def atomic_write_bytes(path: Path) -> Iterator[BinaryIO]:
    """Do as `atomic_write` does, for bytes."""
    with _replacing(path) as temporary, open(temporary, "wb") as handle:
        yield handle
        _flush(handle)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder; it replaces `path` when the block ends without error.

    For a device or a pipe it is the path itself.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if _is_special(path):
        try:
            yield path
        except Exception as error:
            _raise_explained(error, path)
        return
    path = path.resolve() if path.is_symlink() else path
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    except Exception as error:  # libraries wrap the system's error in their own
        _raise_explained(error, path)
    finally:
        temporary.unlink(missing_ok=True)


def _is_special(path: Path) -> bool:
    """Return whether a path is a device or a pipe, or leads to one through `/dev` or `/proc`."""
    opened = path.parent in {Path("/dev"), Path("/dev/fd")} or path.parts[:2] == ("/", "proc")
    return opened or (path.exists() and not path.is_file() and not path.is_dir())


def _raise_explained(error: Exception, path: Path) -> NoReturn:
    explained = disk_error(error, path)
    named = isinstance(error, UserError) and not getattr(explained, "everywhere", False)
    if explained is error or named:  # a UserError names its file and the remedy already
        raise error
    raise explained from error


def _flush(handle: TextIO | BinaryIO) -> None:
    handle.flush()
    with contextlib.suppress(OSError) if _has_no_disk(handle) else contextlib.nullcontext():
        os.fsync(handle.fileno())


def _has_no_disk(handle: TextIO | BinaryIO) -> bool:
    """Return whether a file is a device or a pipe, which cannot be synced."""
    return not stat.S_ISREG(os.fstat(handle.fileno()).st_mode)


@contextmanager
def atomic_folder(folder: Path) -> Iterator[Path]:
    """Create a temporary folder that replaces `folder` when the block ends without error.

    Files and folder are synced before the rename. A temporary folder of a killed process is
    deleted first, and a failed block leaves nothing behind. Raises UserError as `atomic_write`
    does.
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
    except Exception as error:
        _raise_explained(error, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def sync(path: Path) -> None:
    """Force a file, or the list of names in a folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def disk_error(error: E, path: Path) -> E | UserError:
    """Return the UserError for an error of the machine (a full disk, too many open files, missing
    permissions; also in the words of a library), or for a file in place of a folder; any other
    error unchanged.
    """
    explained = machine_error(error, path)
    if explained is not None:
        return explained
    if isinstance(error, OSError) and error.errno in (errno.ENOTDIR, errno.EISDIR):
        wanted = "folder" if error.errno == errno.ENOTDIR else "file"
        return UserError(
            f"this is not a {wanted}", where=str(path), remedy=f"name a {wanted}, or another path"
        )
    return error


def set_aside(path: Path) -> Path:
    """Rename a file or folder that cannot be used to `<name>.set-aside-<number>`; return the path.

    The leading dot of a hidden name is removed, so that the user sees what was kept.
    """
    name = path.name.lstrip(".")
    number = 1
    while (target := path.with_name(f"{name}{SET_ASIDE}{number}")).exists():
        number += 1
    path.rename(target)
    return target


def stage_folders(run: Path) -> list[Path]:
    """Return the folders of a run's finished stages by name, without what was set aside."""
    found = (path.parent for path in run.glob("*/stage.json"))
    return sorted(f for f in found if not f.name.startswith(".") and SET_ASIDE not in f.name)


def explained_error(error: BaseException) -> UserError | None:
    """Return the error that the user can fix behind one that ends a command; None for a fault.

    A UserError is returned unchanged, except where its cause is an error of the machine that every
    file would have: it may call a file damaged that could not be opened.
    """
    where = Path(getattr(error, "filename", None) or ".")
    explained = disk_error(error, where)
    if isinstance(error, UserError) and not getattr(explained, "everywhere", False):
        return error
    return explained if isinstance(explained, UserError) else None


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    with atomic_write(path) as handle:
        handle.write(text)


def write_json(path: Path, value: object) -> None:
    """Write one JSON document atomically, indented so that people can read it."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def write_jsonl(path: Path, records: Iterable[object]) -> int:
    """Write records as JSON Lines, atomically; returns the number of records."""
    count = 0
    with atomic_write(path) as handle:
        for record in records:
            handle.write(dumps(record) + "\n")
            count += 1
    return count


def read_jsonl(path: Path, record_type: type[T]) -> Iterator[T]:
    """Yield the records of a JSON Lines file, in order.

    Raises UserError with file and line for a missing file, a broken line or a wrong field.
    """
    for line, value in read_json_lines(path):
        try:
            yield from_json(record_type, value)
        except (TypeError, KeyError) as error:
            raise UserError(
                f"this line is not a {record_type.__name__}: {error}",
                where=f"{path}:{line}",
                remedy="fix the line, or delete the stage's folder and run it again",
            ) from error


def read_json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number from 1, object) of each line that is not blank; its texts are clean.

    Raises UserError for a missing file, a broken line or a line that is not an object.
    """
    for number, value, fault in read_json_records(path):
        if fault:
            raise UserError(fault, where=f"{path}:{number}")
        yield number, value


def read_json_records(path: Path) -> Iterator[tuple[int, dict[str, Any], str]]:
    """Yield (line number from 1, object, fault) of each line that is not blank.

    A line that is not an object has an empty one, and the fault says why: one bad line of a user's
    file does not end the work. Raises UserError for a missing file, or one that is not UTF-8.
    """
    try:
        handle = open(path, encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise UserError(
            "no such file", where=str(path), remedy="check the path, or run what writes this file"
        ) from error
    except IsADirectoryError as error:
        raise UserError("this is a folder, not a file", where=str(path)) from error
    except OSError as error:
        raise disk_error(error, path) from error
    with handle:
        try:
            for number, line in enumerate(handle, 1):
                if not line.strip():
                    continue
                try:
                    value = parse_json_line(line)
                except ValueError as error:
                    yield number, {}, f"broken JSON: {error}"
                    continue
                if isinstance(value, dict):
                    yield number, value, ""
                else:
                    yield number, {}, "a line must hold one JSON object"
        except UnicodeDecodeError as error:
            raise UserError("the file is not UTF-8", where=str(path)) from error


def readable_lines(
    path: Path, check: Callable[[dict[str, Any]], object]
) -> tuple[list[dict[str, Any]], list[int]]:
    """Return the objects of a journal's lines and the numbers (from 1) of lines that are unusable.

    A line is unusable if it is not UTF-8, not one JSON object, or if `check` raises ValueError,
    TypeError or KeyError for it. An incomplete last line counts as absent: a kill left it. A
    missing file has no lines. Raises UserError if the file cannot be opened.
    """
    rows: list[dict[str, Any]] = []
    unusable: list[int] = []
    try:
        cut_torn_line(path)
        data = path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise disk_error(error, path) from error
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            value = load_json(line.decode("utf-8"))
            if not isinstance(value, dict) or not _is_unicode(value):
                raise TypeError("no object")
            check(value)
        except (ValueError, TypeError, KeyError, AttributeError):
            unusable.append(number)
            continue
        rows.append(value)
    return rows, unusable


def repair_lines(path: Path, check: Callable[[dict[str, Any]], object]) -> str:
    """Rewrite a journal without the lines that are unusable; the file with them is set aside.

    Returns a sentence about it; empty if every line is usable (`readable_lines`).
    """
    rows, unusable = readable_lines(path, check)
    if not unusable:
        return ""
    kept = set_aside(path)
    write_jsonl(path, rows)
    lines = f"line {unusable[0]}" if len(unusable) == 1 else f"{len(unusable)} lines"
    return f"{lines} of {path.name} cannot be read; the file with them is kept as {kept.name}"


def _is_unicode(value: object) -> bool:
    """Return whether all texts of a JSON value can be encoded (escapes allow others)."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def parse_json_line(line: str) -> Any:
    """Return the JSON value of a line with clean texts (`kofinlaw.decoding.clean_text`).

    Raises ValueError with the cause if the line is not JSON, is nested too deeply, or has a number
    of thousands of digits.
    """
    try:
        try:
            return clean_value(load_json(line))
        except json.JSONDecodeError:  # a mark between two values, or a control character in one
            return clean_value(load_json(clean_text(line, lines=False)))
    except json.JSONDecodeError as error:
        raise ValueError(error.msg) from error


class JsonlAppender:
    """Append records to a JSON Lines file so that a kill loses at most the last record.

    Opening the file removes an incomplete last line. Each `append` is flushed to the operating
    system; `sync` forces the lines to the disk. Raises UserError if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        cut_torn_line(path)
        try:
            self._handle = open(path, "a", encoding="utf-8", errors=SURROGATES)
        except OSError as error:
            raise disk_error(error, path) from error
        self.path = path

    def append(self, record: object) -> None:
        """Write one record (a dictionary or a dataclass).

        Raises UserError on a full disk; earlier lines stay complete.
        """
        try:
            self._handle.write(dumps(record) + "\n")
            self._handle.flush()
        except OSError as error:
            raise disk_error(error, self.path) from error

    def sync(self) -> None:
        """Force the appended lines to the disk. Raises as `append` does."""
        try:
            self._handle.flush()
            os.fsync(self._handle.fileno())
        except OSError as error:
            raise disk_error(error, self.path) from error

    def close(self) -> None:
        """Sync and close the file."""
        if not self._handle.closed:
            self.sync()
            self._handle.close()

    def __enter__(self) -> JsonlAppender:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def cut_torn_line(path: Path) -> None:
    """Remove the bytes after the last newline: an incomplete line of a killed process."""
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
    """Return the SHA-256 of UTF-8 text, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", SURROGATES)).hexdigest()


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
