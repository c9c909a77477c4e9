"""Read picture files of scanned pages by OCR: PNG, JPEG, BMP, and TIFF with several pages."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from kofinlaw import UserError
from kofinlaw.data.readers.paged.page_lines import join_pages
from kofinlaw.data.readers.paged.tesseract import Picture, ReadPage, find_ocr, read_pictures
from kofinlaw.data.readers.paged.unread_pages import (
    NoTextError,
    Pages,
    checked_pages,
    pages_without_ocr,
)
from kofinlaw.data.settings import LimitSettings

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["picture_to_text"]

_MOST_PIXELS = 60_000_000
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP")
_FEW_DOTS = 120.0  # screens and cameras state 72 or 96, which says nothing about a page
_DOTS_PER_INCH = 300.0


def picture_to_text(path: Path, limits: LimitSettings) -> tuple[str, Pages]:
    """Return (text, how its pages were read) of a picture.

    Raises UserError if the file is broken or too large, or if it has no text (`NoTextError`): also
    where Tesseract with Korean is not installed.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=_FORMATS) as image:
            count = getattr(image, "n_frames", 1)
            width, height = image.size
    except UnidentifiedImageError as error:
        raise UserError("the picture is not PNG, JPEG, TIFF or BMP") from error
    except Exception as error:  # a damaged header causes errors of any type
        raise UserError(f"the picture cannot be opened: {error}") from error
    if count > limits.pages:
        raise UserError(
            f"the picture has {count} pages, more than {limits.pages}",
            remedy="split it, or raise data.limits.pages",
        )
    if width * height > _MOST_PIXELS:
        raise UserError(
            f"the picture has {width} x {height} pixels, more than {_MOST_PIXELS // 10**6} million",
            remedy="save it smaller",
        )
    ocr = find_ocr()
    numbers = list(range(1, count + 1))
    if ocr.problem or not limits.ocr_pages:
        missing = ocr if limits.ocr_pages else None
        raise NoTextError([pages_without_ocr(numbers, "a picture", missing)])
    now = numbers[: limits.ocr_pages]
    problems: dict[int, str] = {}
    found = list(read_pictures(_frames(path, len(now), problems), ocr, limits.ocr_seconds))
    whole = (number for number in now if number not in problems)
    read = dict(zip(whole, found, strict=True))
    read |= {number: ReadPage(problem=problem) for number, problem in problems.items()}
    by_page, confidences, failed = checked_pages(read, limits.ocr_confidence)
    later = numbers[len(now) :]
    unread = [*failed, *([pages_without_ocr(later, "a picture", None)] if later else [])]
    if not by_page:
        raise NoTextError(unread)
    joined = join_pages([by_page.get(number, ()) for number in numbers])
    return joined.text, Pages(joined.starts, confidences, tuple(unread))


def _frames(path: Path, count: int, problems: dict[int, str]) -> Iterator[Picture]:
    """Yield the first pages of a picture file. `problems` receives the number (from 1) of each page
    that cannot be read, with the reason; such a page is not yielded.
    """
    from PIL import Image

    with Image.open(path, formats=_FORMATS) as image:
        for number in range(1, count + 1):
            try:
                image.seek(number - 1)
                if image.width * image.height > _MOST_PIXELS:
                    problems[number] = "the picture is too large"
                    continue
                frame = _frame(image)
            except Exception as error:  # damaged data cause errors of any type
                problems[number] = f"the picture is damaged: {error}"
            else:
                yield frame


def _frame(image: Image.Image) -> Picture:
    """Return the current page of a picture in grey, upright as the camera noted."""
    from PIL import ImageOps

    stated = float(image.info.get("dpi", (0, 0))[0] or 0)
    grey = ImageOps.exif_transpose(_on_white(image)).convert("L")
    dots = stated if stated > _FEW_DOTS else _DOTS_PER_INCH
    return Picture(grey.width, grey.height, grey.tobytes(), dots)


def _on_white(image: Image.Image) -> Image.Image:
    """Return a picture on white paper where it is transparent."""
    from PIL import Image

    if "A" not in image.getbands() and "transparency" not in image.info:
        return image
    clear = image.convert("RGBA")
    paper = Image.new("RGBA", clear.size, "white")
    paper.alpha_composite(clear)
    return paper
