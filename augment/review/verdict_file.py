"""Keep verdicts in an append-only file that several processes may write."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.augment.review.verdicts import Verdict, read_verdict
from kofinlaw.errors import raise_if_machine
from kofinlaw.files import disk_error, dumps, parse_json_line

__all__ = ["VERDICT_FILE", "VerdictFile", "read_verdicts"]

VERDICT_FILE = "review.jsonl"  # in the folder of a run, outside of its stages


def read_verdicts(path: Path) -> list[Verdict]:
    """Return the verdicts of a file in order; none if there is no file.

    Raises UserError with file and line for a line that is not a verdict.
    """
    return VerdictFile(path).read()


class VerdictFile:
    """The verdicts of a run, one JSON object a line, and what this process has read of them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._verdicts: list[Verdict] = []
        self._seen = b""  # the complete lines of `_verdicts`

    def read(self) -> list[Verdict]:
        """Return all verdicts in order, also those that other processes wrote since the last call.

        A file that an editor changed is read from its start. A last line without its end counts if
        it is JSON, because an editor may leave the end out. Another one is not read: a process is
        writing it, or was killed. Raises UserError with file and line for a line that is not a
        verdict.
        """
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise disk_error(error, self.path) from error
        if not data.startswith(self._seen):
            self._verdicts, self._seen = [], b""
        whole = data[len(self._seen) : data.rfind(b"\n") + 1]
        first = self._seen.count(b"\n") + 1
        found = [
            self._verdict(line, number)
            for number, line in enumerate(whole.split(b"\n")[:-1], first)
            if line.strip()
        ]
        self._verdicts += found
        self._seen += whole
        last = data[len(self._seen) :]
        if _is_json(last):
            return [*self._verdicts, self._verdict(last, self._seen.count(b"\n") + 1)]
        return list(self._verdicts)

    def append(self, verdicts: Sequence[Verdict]) -> None:
        """Write verdicts and force them to the disk, all or none of them.

        Raises UserError on a full disk; the lines before stay complete.
        """
        data = "".join(dumps(one) + "\n" for one in verdicts).encode()
        with self._locked() as handle:
            end = _whole_end(handle)
            last = _read_from(handle, end)
            if _is_json(last):  # an editor left out the end of the line
                end += len(last)
                data = b"\n" + data
            try:
                handle.truncate(end)  # without the incomplete line of a killed process
                handle.seek(end)
                while data:  # the disk may take a part of it
                    data = data[handle.write(data) :]
                os.fsync(handle.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    handle.truncate(end)
                raise

    @contextlib.contextmanager
    def _locked(self) -> Iterator[FileIO]:
        """The file, which no other process writes in the meantime. Raises UserError."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a failed write must leave nothing to be written later.
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
            with FileIO(descriptor, "rb+") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield handle
        except OSError as error:
            raise_if_machine(error, self.path)
            raise disk_error(error, self.path) from error

    def _verdict(self, line: bytes, number: int) -> Verdict:
        try:
            value = parse_json_line(line.decode("utf-8"))
            if not isinstance(value, dict):
                raise ValueError("a line must hold one JSON object")
            return read_verdict(value)
        except ValueError as error:
            why = "not UTF-8" if isinstance(error, UnicodeDecodeError) else error
            raise UserError(
                f"this line is not a verdict: {why}",
                where=f"{self.path}:{number}",
                remedy="fix or delete the line; the other verdicts are kept",
            ) from error


def _is_json(line: bytes) -> bool:
    """Return whether a last line is complete. What a killed process left of an object never is."""
    if not line.strip():
        return False
    try:
        parse_json_line(line.decode("utf-8"))
    except ValueError:
        return False
    return True


def _read_from(handle: FileIO, start: int) -> bytes:
    handle.seek(start)
    return handle.read()


def _whole_end(handle: FileIO) -> int:
    """Return where the last complete line of a file ends."""
    end = handle.seek(0, os.SEEK_END)
    position = end
    while position:
        step = min(65536, position)
        handle.seek(position - step)
        found = handle.read(step).rfind(b"\n")
        if found >= 0:
            return position - step + found + 1
        position -= step
    return 0
