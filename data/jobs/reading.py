"""Read one source file: the part of reading that processes share."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from operator import methodcaller
from pathlib import Path
from typing import Protocol

from kofinlaw import UserError
from kofinlaw.cluster.jobs import Job, Workers, in_order
from kofinlaw.data.readers.documents import Document
from kofinlaw.data.reject_log import Step

__all__ = ["FileToRead", "ReadFile", "ReadLog", "read_files"]

# Files that are read before the first of them is needed; bounds the memory of finished documents.
AHEAD = 16


@dataclass(frozen=True)
class FileToRead:
    """A file, its name in records, and the number of its source."""

    path: Path
    name: str
    source: int


class ReadLog(Protocol):
    """Receives what the reading of a file reports; a `RejectLog` is one."""

    def reject(
        self,
        step: Step,
        name: str,
        reason: str,
        detail: str,
        record: object = None,
        *,
        in_part: bool = False,
    ) -> None:
        """Log a rejected record."""

    def warn(self, warning: str, *, shown: bool = False) -> None:
        """Keep a warning."""


@dataclass
class ReadFile:
    """The documents of a file, and what its reader reported, in order."""

    documents: list[Document] = field(default_factory=list)
    reports: list[Callable[[ReadLog], None]] = field(default_factory=list)

    def reject(
        self,
        step: Step,
        name: str,
        reason: str,
        detail: str,
        record: object = None,
        *,
        in_part: bool = False,
    ) -> None:
        """Keep a rejected record."""
        values = (step, name, reason, detail, record)
        self.reports.append(methodcaller("reject", *values, in_part=in_part))

    def warn(self, warning: str, *, shown: bool = False) -> None:
        """Keep a warning."""
        self.reports.append(methodcaller("warn", warning, shown=shown))

    def tell(self, log: ReadLog) -> None:
        """Report everything to the log of the corpus."""
        for report in self.reports:
            report(log)


Read = Callable[[FileToRead, ReadLog], Iterator[Document]]


def read_files(
    files: Sequence[FileToRead], read: Read, workers: Workers
) -> Iterator[tuple[FileToRead, ReadFile]]:
    """Yield each file with its documents, in the order of the files.

    `read` is sent to other processes. Raises UserError if a process does not see a file: it would
    otherwise be missing from the corpus without a word.
    """
    job = Job("reading documents", partial(nullcontext, None), partial(_read_file, read))
    with workers.start(job) as pool:
        yield from zip(files, in_order(pool, files, ahead=AHEAD), strict=True)


def _read_file(read: Read, state: None, file: FileToRead) -> ReadFile:
    if not file.path.is_file():
        raise UserError(
            f"machine {socket.gethostname()} of the cluster does not see this file",
            where=str(file.path),
            remedy="mount the folder of the documents under the same path on every machine",
        )
    found = ReadFile()
    found.documents.extend(read(file, found))
    return found
