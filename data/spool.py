"""Store records in temporary files while a corpus is built; memory holds only their offsets.

`kofinlaw.files` explains when to use a spool and when another writer.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kofinlaw.files import disk_error, dumps

__all__ = ["ByteSpool", "Spool", "work_folder"]

_FOLDER = ".work"


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """Create an empty folder for spools inside `out`; it is deleted when the block ends.

    What a killed run left in it is deleted first.
    """
    folder = out / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ByteSpool:
    """Byte strings in one file: appended in order, read in any order by row (from 0).

    Memory use is eight bytes a row. Raises UserError if the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._offsets = array("q", [0])
        try:
            self._handle = open(path, "w+b")
        except OSError as error:
            raise disk_error(error, path) from error
        self._path = path
        self._at_end = True

    def append(self, data: bytes) -> int:
        """Write a byte string; returns its row."""
        try:
            if not self._at_end:
                self._handle.seek(self._offsets[-1])
                self._at_end = True
            self._handle.write(data)
        except OSError as error:
            raise disk_error(error, self._path) from error
        self._offsets.append(self._offsets[-1] + len(data))
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def __getitem__(self, row: int) -> bytes:
        start, end = self._offsets[row], self._offsets[row + 1]
        try:
            self._handle.seek(start)  # writes what is still in the buffer
        except OSError as error:
            raise disk_error(error, self._path) from error
        self._at_end = False
        return self._handle.read(end - start)

    def close(self) -> None:
        """Close the file; it is deleted with its folder, so it does not matter if it is full."""
        with contextlib.suppress(OSError):
            self._handle.close()


class Spool:
    """JSON records, one a line: appended in order, read in any order by row (from 0).

    Raises UserError as `ByteSpool` does.
    """

    def __init__(self, path: Path) -> None:
        self._lines = ByteSpool(path)

    def append(self, record: object) -> int:
        """Write a record (a dataclass or a dictionary); returns its row."""
        return self._lines.append(dumps(record).encode("utf-8", errors="surrogatepass") + b"\n")

    def extend(self, records: Iterable[object]) -> None:
        """Append records in order."""
        for record in records:
            self.append(record)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return json.loads(self._lines[row][:-1].decode("utf-8", errors="surrogatepass"))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in range(len(self)):
            yield self[row]

    def close(self) -> None:
        """Close the file; it is deleted with its folder."""
        self._lines.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
