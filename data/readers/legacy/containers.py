"""Open the OLE containers of HWP 5 and DOC files, with one kind of error for damaged ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.units import MIB

if TYPE_CHECKING:
    from olefile import OleFileIO

__all__ = ["Container", "starts_with"]


def starts_with(path: Path, *marks: bytes) -> bool:
    """Return whether a file begins with one of these bytes."""
    with path.open("rb") as handle:
        return handle.read(max(map(len, marks))).startswith(marks)


class Container:
    """An OLE file whose streams are read by name. Use it in a `with` block.

    Raises UserError if the file is no OLE file, or is damaged.
    """

    def __init__(self, path: Path, mebibytes: int) -> None:
        from olefile import OleFileIO

        self._left = mebibytes * MIB
        try:
            self._ole: OleFileIO = OleFileIO(str(path))
        except Exception as error:  # a damaged file causes errors of any type
            raise UserError(f"the file cannot be opened: {error}") from error

    def names(self) -> list[str]:
        """Return the names of all streams, with `/` between folders."""
        return ["/".join(parts) for parts in self._ole.listdir()]

    def read(self, name: str) -> bytes:
        """Return a stream.

        Raises UserError if it is missing or damaged, or if all streams together are larger than
        the limit.
        """
        try:
            data = self._ole.openstream(name).read()
        except Exception as error:  # a damaged file causes errors of any type
            raise UserError(f"{name} in the file cannot be read: {error}") from error
        self._left -= len(data)
        if self._left < 0:
            raise UserError("the streams of the file are larger than the limit")
        return bytes(data)

    def close(self) -> None:
        """Close the file."""
        self._ole.close()

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
