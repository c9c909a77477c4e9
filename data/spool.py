"""Records on disk while a corpus is made: only their places are in memory."""

from __future__ import annotations

import json
import shutil
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kofinlaw.files import disk_error, dumps

_FOLDER = ".work"


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """A folder for spools inside `out`; what a killed run left there goes, and so does it."""
    folder = out / _FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class ByteSpool:
    """Pieces of bytes on disk: appended in order, read in any order.

    Eight bytes a piece are kept in memory. Raises UserError where the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._places = array("q", [0])
        try:
            self._handle = open(path, "w+b")
        except OSError as error:
            raise disk_error(error, path) from error
        self._path = path
        self._at_end = True

    def append(self, data: bytes) -> int:
        """Write a piece; returns its place."""
        try:
            if not self._at_end:
                self._handle.seek(self._places[-1])
                self._at_end = True
            self._handle.write(data)
        except OSError as error:
            raise disk_error(error, self._path) from error
        self._places.append(self._places[-1] + len(data))
        return len(self) - 1

    def __len__(self) -> int:
        return len(self._places) - 1

    def __getitem__(self, place: int) -> bytes:
        start, end = self._places[place], self._places[place + 1]
        self._handle.seek(start)
        self._at_end = False
        return self._handle.read(end - start)

    def close(self) -> None:
        """Close the file; it goes with its folder."""
        self._handle.close()


class Spool:
    """JSON records, one a line: appended in order, read in any order.

    Raises UserError as `ByteSpool`.
    """

    def __init__(self, path: Path) -> None:
        self._lines = ByteSpool(path)

    def append(self, record: Any) -> int:
        """Write a record (a dataclass or a mapping); returns its place."""
        return self._lines.append(dumps(record).encode("utf-8", errors="surrogatepass") + b"\n")

    def extend(self, records: Iterable[Any]) -> None:
        """Append records in order."""
        for record in records:
            self.append(record)

    def __len__(self) -> int:
        return len(self._lines)

    def line(self, place: int) -> str:
        """The record's line of JSON, without its end."""
        return self._lines[place][:-1].decode("utf-8", errors="surrogatepass")

    def __getitem__(self, place: int) -> dict[str, Any]:
        return json.loads(self.line(place))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for place in range(len(self)):
            yield self[place]

    def close(self) -> None:
        """Close the file; it goes with its folder."""
        self._lines.close()

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
