"""Convert HWP 5 to text; needs the extra `hwp`.

Tested on files that another library writes, not on files of Hancom's own software. Tables become
rows inside the text. Headings become plain lines, because the library does not return styles.
"""

from __future__ import annotations

from pathlib import Path

from kofinlaw import UserError

__all__ = ["hwp_to_text"]


def hwp_to_text(path: Path) -> str:
    """Return the text of an HWP 5 file with its tables.

    Raises UserError if the extra is missing, or if the file is broken or encrypted.
    """
    try:
        from hwp_hwpx_parser import HWP5Reader
    except ImportError as error:
        raise UserError(
            "HWP 5 needs another package", remedy="pip install 'kofinlaw[hwp]', or save it as HWPX"
        ) from error
    try:
        reader = HWP5Reader(path)
    except Exception as error:  # the library passes on errors of its container library
        raise UserError(f"the HWP file cannot be opened: {error}") from error
    try:
        if not reader.is_valid():
            raise UserError("this is not an HWP 5 file")
        if reader.is_encrypted():
            raise UserError("the HWP file is encrypted", remedy="save it without a password")
        return str(reader.extract_text())
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"the HWP file is damaged: {error}") from error
    finally:
        reader.close()
