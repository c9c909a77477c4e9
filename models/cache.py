"""Cache prepared models on disk: built once, complete or absent, checked by hash on every use."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.errors import machine_error, raise_if_machine
from kofinlaw.files import sha256_file

__all__ = ["MANIFEST", "build_once", "hashes_match", "is_intact"]

MANIFEST = "kofinlaw-cache.json"
# Name, size in bytes, modification time in nanoseconds and expected SHA-256 of a file.
_Stamp = tuple[str, int, int, str]


def build_once(folder: Path, make: Callable[[Path], None], *, version: str) -> Path:
    """Return `folder`, built first if it is absent, damaged or of another version.

    The folder appears by one rename, so that a killed process leaves no incomplete folder. If two
    processes build it at once, the second waits. The SHA-256 of every file is stored in the folder
    and compared once per process.

    Args:
        folder: the folder to return.
        make: writes the content into the temporary folder that it receives.
        version: version of the content; a folder of another version is built again.

    Raises: UserError if the disk is full or the folder cannot be written.
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
    except Exception as error:  # libraries wrap the system's error in their own
        explained = _user_error(error, folder)
        if explained is error:
            raise
        raise explained from error
    if not is_intact(folder, version):
        raise UserError("the cache changed right after it was written", where=str(folder))
    return folder


def is_intact(folder: Path, version: str) -> bool:
    """Return whether the folder has this version and every file of its manifest
    with the right hash.
    """
    try:
        manifest = load_json((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["version"] != version:
            return False
        files: dict[str, str] = manifest["files"]
        stamps = tuple(
            (name, (s := (folder / name).stat()).st_size, s.st_mtime_ns, files[name])
            for name in sorted(files)
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise_if_machine(error, folder)
        return False
    return hashes_match(folder.resolve(), stamps)


@lru_cache(maxsize=256)
def hashes_match(folder: Path, stamps: tuple[_Stamp, ...]) -> bool:
    """Return whether every file of the folder has its expected hash; compared once per process.

    A file that was written since has another stamp and is compared again.
    """
    return all(sha256_file(folder / name) == digest for name, _, _, digest in stamps)


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


# Reentrant, because building one folder may build another one first.
_thread_lock = threading.RLock()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive file lock, which the system releases if the process dies."""
    with _thread_lock, open(path, "w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _user_error(error: Exception, folder: Path) -> Exception:
    """Return a UserError for a full disk or missing rights; other errors unchanged."""
    if isinstance(error, UserError):
        return error
    if getattr(error, "errno", 0) in (
        errno.EACCES,
        errno.EROFS,
        errno.EPERM,
        errno.ENOTDIR,
        errno.EEXIST,
    ):
        return UserError(
            "the model cache is not writable",
            where=str(folder),
            remedy="set KOFINLAW_CACHE to a folder that you can write to",
        )
    return machine_error(error, folder) or error
