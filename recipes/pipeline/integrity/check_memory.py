"""Remember the SHA-256 of large files, so that only a file that may have changed is read again."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.decoding import load_json
from kofinlaw.files import sha256_file, write_json

__all__ = ["CHECKED", "LARGE", "SETTLED_SECONDS", "CheckMemory"]

CHECKED = ".checked.json"
LARGE = 1 << 20
"""Bytes from which a file's hash is remembered; smaller files are read each time."""
# FAT keeps times of change in steps of two seconds: a file that changed again within a step has the
# same time. A hash is remembered only of a file whose last change is longer ago than that.
SETTLED_SECONDS = 3.0


class CheckMemory:
    """Hashes of large files below a run's folder, with size, times of change and inode.

    The file `.checked.json` keeps them between processes. It only saves time: without it, or if it
    cannot be read or written, files are read again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._known = _read(self.folder / CHECKED)
        self._new = False
        self.read_bytes = 0

    def sha256(self, path: Path) -> str:
        """Return a file's SHA-256; read the file only if it may have changed. Raises OSError."""
        return self._hash(path, fresh=False)

    def fresh_sha256(self, path: Path) -> str:
        """Return a file's SHA-256; the file is read in any case. Raises OSError."""
        return self._hash(path, fresh=True)

    def _hash(self, path: Path, *, fresh: bool) -> str:
        status = path.stat()
        if status.st_size < LARGE:
            self.read_bytes += status.st_size
            return sha256_file(path)
        name, seen = self._name(path), _seen(status)
        known = self._known.get(name)
        if not fresh and known is not None and known[:-1] == seen:
            return str(known[-1])
        started = self._file_system_time()
        digest = sha256_file(path)
        self.read_bytes += status.st_size
        last = max(status.st_mtime_ns, status.st_ctime_ns) / 1e9
        settled = started is not None and last < started - SETTLED_SECONDS
        if settled and _seen(path.stat()) == seen:
            self._known[name] = [*seen, digest]
            self._new = True
        elif name in self._known:
            del self._known[name]
            self._new = True
        return digest

    def save(self) -> None:
        """Write new hashes for the next process, if the folder is writable."""
        if self._new and self.folder.is_dir():
            with contextlib.suppress(OSError, UserError):
                write_json(self.folder / CHECKED, {"format": 1, "files": self._known})
            self._new = False

    def _name(self, path: Path) -> str:
        """Return the key of a file: its path below the run's folder, else its whole path."""
        whole = os.fsencode(path.resolve()).decode("utf-8", "backslashreplace")
        return whole.removeprefix(f"{self.folder}/")

    def _file_system_time(self) -> float | None:
        """Return the time of the folder's file system, in seconds; None if it is not writable.

        The clock of a network drive may differ from that of this machine.
        """
        probe = self.folder / f".clock.{os.getpid()}.tmp"
        try:
            probe.write_bytes(b"")
            return probe.stat().st_mtime
        except OSError:
            return None
        finally:
            with contextlib.suppress(OSError):
                probe.unlink(missing_ok=True)


def _seen(status: os.stat_result) -> list[object]:
    """Return what changes if a file does: size, times of change (ns) and inode."""
    return [
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_ino,
        stat.S_IFMT(status.st_mode),
    ]


def _read(path: Path) -> dict[str, list[object]]:
    try:
        value = load_json(path.read_text(encoding="utf-8"))
        files = value["files"] if value["format"] == 1 else {}
        return {
            str(name): row
            for name, row in files.items()
            if isinstance(row, list) and len(row) == 6 and isinstance(row[-1], str)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
