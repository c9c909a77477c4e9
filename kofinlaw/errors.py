"""Define UserError, and explain errors of the machine before a file is called damaged.

A library reports a full disk or too many open files in its own words, often as an error about the
file it was reading. Code that calls a file damaged, absent or broken therefore asks
`raise_if_machine` first. Only then may it say so, skip the file, or build it again.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

__all__ = ["MachineError", "UserError", "check_working_folder", "machine_error", "raise_if_machine"]


class UserError(Exception):
    """An error that the user can fix. The command line shows it without a traceback.

    Args:
        message: What failed.
        where: Where it failed: `file:line`, a record id or a recipe key.
        remedy: What the user can do about it.
    """

    def __init__(self, message: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n  → {self.remedy}" if self.remedy else head


class MachineError(UserError):
    """An error of the machine or of a path's permissions. It says nothing about a file's content.

    `everywhere` says whether every other file would fail too (a full disk, too many open files).
    Such an error ends the work. Code that skips or rejects single files must not catch it.
    """

    def __init__(
        self, message: str, *, where: str = "", remedy: str = "", everywhere: bool = True
    ) -> None:
        super().__init__(message, where=where, remedy=remedy)
        self.everywhere = everywhere


_FULL = (
    "no space left on the disk",
    "free some space and run the same command again; finished records are kept",
)
_MEMORY = (
    "the machine has too little free memory",
    "end other programs, raise the limit (`ulimit -v`, the container's), or use a smaller model",
)
_OPEN_FILES = (
    "too many open files (the limit of this process)",
    "raise the limit with `ulimit -n 4096` and run the same command again; no file is damaged",
)
_PERMISSION = (
    "this file or folder may not be read or written",
    "fix its permissions, or choose another folder (a run's: --runs DIR)",
)
_DEVICE = (
    "the disk or network drive reports an error",
    "check the free space and the drive (`df`, `dmesg`), then run the same command again; "
    "the file itself may be whole",
)
# Message and remedy by errno. Every other file fails too with those of _EVERYWHERE.
_EXPLAINED = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: ("the disk quota is used up", _FULL[1]),
    errno.EFBIG: ("no space left on the disk: the file is larger than the limit", _FULL[1]),
    errno.EMFILE: _OPEN_FILES,
    errno.ENFILE: ("too many open files on this machine", _OPEN_FILES[1]),
    errno.ENOMEM: _MEMORY,
    errno.EAGAIN: (
        "this process may not start another thread or process",
        "raise the limit (`ulimit -u`, the container's), then run the same command again",
    ),
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.EROFS: ("this disk is mounted read-only", _PERMISSION[1]),
    errno.EIO: _DEVICE,
    errno.ESTALE: _DEVICE,
    errno.ENXIO: _DEVICE,
    errno.ENODEV: _DEVICE,
    errno.EREMOTEIO: _DEVICE,
}
_EVERYWHERE = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG),
        *(errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN),
    )
)
# The number of an error in the text of a library: Python and Arrow, Rust, torch.
_NUMBER = re.compile(
    r"\[?\berrno:? (\d{1,3})\b|\(os error (\d{1,3})\)|\bOs \{ code: (\d{1,3})", re.IGNORECASE
)
# Words of libraries that give no number, and of the system.
_WORDS = (
    (re.compile(r"unexpected pos \d+ vs|PytorchStreamWriter failed writing"), errno.ENOSPC),
    (re.compile(r"\b\d+ requested and \d+ written"), errno.ENOSPC),  # numpy
    (re.compile(r"database or disk is full"), errno.ENOSPC),  # SQLite
    (re.compile(r"disk I/O error"), errno.EIO),  # SQLite, also on a full disk
    (re.compile(r"can't start new thread"), errno.EAGAIN),
    (re.compile(r"DefaultCPUAllocator"), errno.ENOMEM),  # torch
)
_SYSTEM_WORDS = {os.strerror(code).lower(): code for code in _EXPLAINED if code != errno.EAGAIN}
_READ = 2000  # characters of a message that are searched
_CAUSES = 8  # errors that are followed back along a chain


def machine_error(error: BaseException, path: Path | str = "") -> MachineError | None:
    """Return the explanation of an error that comes from the machine, else None.

    It looks at the errno of the error and of its causes, at the number or the words in a library's
    message, and at whether this process can still open a file: safetensors reports too many open
    files as a missing file, PDFium and SQLite as a file that cannot be opened.

    Args:
        error: What a library or the system raised.
        path: The file or folder that was read or written.
    """
    for one in _chain(error):
        if isinstance(one, MachineError):
            return one
    found = [(code, one) for one in _chain(error) if (code := _errno_of(one)) in _EXPLAINED]
    codes = [code for code, _ in found]
    if not codes and _no_descriptor_left():
        codes = [errno.EMFILE]
    if not codes:
        return None
    message, remedy = _EXPLAINED[codes[0]]
    everywhere = codes[0] in _EVERYWHERE
    named = getattr(found[0][1], "filename", None) if found and not everywhere else None
    return MachineError(message, where=str(named or path), remedy=remedy, everywhere=everywhere)


def raise_if_machine(error: BaseException, path: Path | str = "") -> None:
    """Raise the MachineError of an error that comes from the machine; else do nothing."""
    explained = machine_error(error, path)
    if explained is not None:
        raise explained from error


def check_working_folder() -> None:
    """Raise UserError if the folder that this process works in was deleted or may not be read."""
    try:
        Path.cwd()
    except OSError as error:
        raise_if_machine(error, ".")
        raise UserError(
            "the current folder no longer exists",
            where=".",
            remedy="change to a folder that exists (`cd ~`) and run the command again",
        ) from error


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and its causes, the newest first."""
    one: BaseException | None = error
    for _ in range(_CAUSES):
        if one is None:
            return
        yield one
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)


def _errno_of(error: BaseException) -> int:
    """Return the errno of an error; 0 if it has none that is known here."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, OSError) and error.errno:
        return 0 if error.errno == errno.EAGAIN else error.errno  # a lock or a socket
    if isinstance(error, UserError | UnicodeError):
        return 0  # their text may be that of a document
    text = str(error)[:_READ]
    for match in _NUMBER.finditer(text):
        code = int(match[1] or match[2] or match[3])
        if code in _EXPLAINED:
            return code
    if isinstance(error, ValueError | LookupError | TypeError):
        return 0
    found = next((code for pattern, code in _WORDS if pattern.search(text)), 0)
    lower = text.lower()
    return found or next((code for words, code in _SYSTEM_WORDS.items() if words in lower), 0)


def _no_descriptor_left() -> bool:
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error.errno in (errno.EMFILE, errno.ENFILE)
    return False
