"""The local cache of prepared models: made once, whole or absent, checked by hash on every use."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from kofinlaw import UserError

MANIFEST = "kofinlaw-cache.json"
_checked: dict[Path, tuple[tuple[str, int, int], ...]] = {}


def cache_folder(cache: Path | None = None) -> Path:
    """Where prepared models live: `cache`, else $KOFINLAW_CACHE, else ~/.cache/kofinlaw."""
    if cache is not None:
        return Path(cache)
    if named := os.environ.get("KOFINLAW_CACHE"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kofinlaw"


def build_once(folder: Path, make: Callable[[Path], None], *, version: str) -> Path:
    """`folder`, made by `make(temporary folder)` where it is absent, damaged or of another version.

    Survives a kill at any moment (the folder appears by one rename) and two processes at once
    (the second waits). Every file's SHA-256 is written beside them and compared once a process.
    Raises UserError for a full disk or a folder that cannot be written.
    """
    if is_intact(folder, version):
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(f".{folder.name}.lock")):
            if is_intact(folder, version):
                return folder
            for leftover in folder.parent.glob(f".{folder.name}.*.tmp"):
                shutil.rmtree(leftover, ignore_errors=True)
            temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
            temporary.mkdir()
            try:
                make(temporary)
                _write_manifest(temporary, version)
                if folder.exists():
                    shutil.rmtree(folder)
                os.replace(temporary, folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise _explained(error, folder) from error
    if not is_intact(folder, version):
        raise UserError("the cache changed right after it was written", where=str(folder))
    return folder


def is_intact(folder: Path, version: str) -> bool:
    """Whether every file the manifest lists is there with its hash, and nothing is missing."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["version"] != version:
            return False
        files: dict[str, str] = manifest["files"]
        stamp = tuple(
            (name, (s := (folder / name).stat()).st_size, s.st_mtime_ns) for name in sorted(files)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False
    key = folder.resolve()
    if _checked.get(key) == stamp:
        return True
    if any(sha256_file(folder / name) != digest for name, digest in files.items()):
        return False
    _checked[key] = stamp
    return True


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _write_manifest(folder: Path, version: str) -> None:
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    for name in names:
        with open(folder / name, "rb") as handle:
            os.fsync(handle.fileno())
    files = {name: sha256_file(folder / name) for name in names}
    with open(folder / MANIFEST, "w", encoding="utf-8") as handle:
        json.dump({"version": version, "files": files}, handle, indent=2)
        handle.flush()
        os.fsync(handle.fileno())


# Reentrant: making one folder may need another one made first.
_thread_lock = threading.RLock()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """An exclusive lock that the system drops when its holder dies."""
    with _thread_lock, open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _explained(error: OSError, folder: Path) -> Exception:
    if error.errno == errno.ENOSPC:
        message, remedy = "no space left on the disk", "free some space and run again"
    elif error.errno in (errno.EACCES, errno.EROFS, errno.EPERM, errno.ENOTDIR, errno.EEXIST):
        message = "the model cache cannot be written"
        remedy = "point KOFINLAW_CACHE at a folder you may write"
    else:
        return error
    return UserError(message, where=str(folder), remedy=remedy)
