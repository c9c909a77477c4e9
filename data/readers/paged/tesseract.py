"""Read the picture of a page with the program Tesseract, if it is installed with Korean.

Tesseract (Apache-2.0) is called as a program: no package of Python is needed. With the same
version, the same Korean data and the same picture it returns the same words, so they are kept on
disk.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, islice
from pathlib import Path
from statistics import median

from kofinlaw import UserError
from kofinlaw.data.readers.paged.ocr_cache import keep_words, kept_words, picture_key
from kofinlaw.data.readers.paged.page_lines import Line

__all__ = ["Ocr", "Picture", "ReadPage", "find_ocr", "install_command", "read_pictures"]

_LANGUAGE = "kor"  # its model reads Latin letters too; with `eng` more Hangul is misread
# One column of lines of several sizes. Automatic layout takes the wide gaps between Korean words
# for the gaps between columns.
_LAYOUT = "4"
_PARALLEL = 4  # pictures at once: each needs about 10 MB, and Tesseract about 100 MB
_COLUMNS = 12  # of Tesseract's table
_WORD = "5"  # the level of words in it
_NOISE = 0.4  # a line with a lower confidence is a smear or a picture
_MOST_SLOW = 8  # pages in a row that take too long: then the program hangs, and OCR of a file ends
_WINDOWS = Path("C:/Program Files/Tesseract-OCR/tesseract.exe")


@dataclass(frozen=True, slots=True)
class Ocr:
    """The program that reads pictures, or what is missing.

    With `problem` empty, `program` reads Korean, with the Korean data of this size and time
    (`data`). Otherwise `remedy` installs what is missing.
    """

    program: str = ""
    version: str = ""
    data: str = ""
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in grey, one byte a pixel, rows from the top; `dpi` are its pixels an inch."""

    width: int
    height: int
    pixels: bytes
    dpi: float


@dataclass(frozen=True, slots=True)
class _Word:
    """A row of Tesseract's table: `line` numbers its line, the place is in pixels."""

    line: tuple[str, ...]
    left: int
    top: int
    width: int
    height: int
    confidence: float
    text: str

    @classmethod
    def of(cls, row: Sequence[str]) -> _Word:
        left, top, width, height = (int(value) for value in row[6:10])
        share = max(0.0, float(row[10])) / 100
        return cls(tuple(row[1:5]), left, top, width, height, share, row[11].strip())


@dataclass(frozen=True, slots=True)
class ReadPage:
    """A page that was read by OCR.

    `confidence` is the mean of its words, weighted by their length, 0 to 1. `problem` says why it
    could not be read; then there are no lines.
    """

    lines: tuple[Line, ...] = ()
    confidence: float = 0.0
    problem: str = ""


def find_ocr() -> Ocr:
    """Return the Tesseract on the search path, or what is missing: the program or its Korean."""
    program = shutil.which("tesseract") or (str(_WINDOWS) if _WINDOWS.is_file() else "")
    if not program:
        return Ocr(problem="Tesseract is not installed", remedy=install_command())
    return _asked(program, os.environ.get("TESSDATA_PREFIX", ""))


@lru_cache(8)
def _asked(program: str, tessdata: str) -> Ocr:
    """Ask a program for its version and languages; `tessdata` only separates the cached answers."""
    try:
        version = _output(program, "--version").split("\n", 1)[0].removeprefix("tesseract ").strip()
        listed = _output(program, "--list-langs")
    except (OSError, subprocess.SubprocessError) as error:
        return Ocr(problem=f"{program} does not start: {error}", remedy=install_command())
    if _LANGUAGE not in listed.split():
        return Ocr(problem="Tesseract has no Korean", remedy=install_command())
    return Ocr(program, version, _data(listed))


def _data(listed: str) -> str:
    """Return size and time of the Korean data in the folder that `--list-langs` names in quotes."""
    folder = re.search(r'"([^"\n]+)"', listed)
    try:
        found = (Path(folder[1] if folder else "") / f"{_LANGUAGE}.traineddata").stat()
    except OSError:
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _output(*command: str) -> str:
    found = subprocess.run(command, capture_output=True, check=True, timeout=30)
    return (found.stdout or found.stderr).decode("utf-8", "replace")


def install_command() -> str:
    """Return the command that installs Tesseract with Korean on this system."""
    if sys.platform == "darwin":
        return "brew install tesseract tesseract-lang"
    if sys.platform == "win32":
        return "install Tesseract with Korean: https://github.com/UB-Mannheim/tesseract/wiki"
    commands = {
        "apt-get": "sudo apt-get install tesseract-ocr tesseract-ocr-kor",
        "dnf": "sudo dnf install tesseract tesseract-langpack-kor",
        "zypper": "sudo zypper install tesseract-ocr tesseract-ocr-traineddata-korean",
        "pacman": "sudo pacman -S tesseract tesseract-data-kor",
    }
    here = (command for tool, command in commands.items() if shutil.which(tool))
    return next(here, "install Tesseract with its Korean data (`kor.traineddata`)")


def read_pictures(pictures: Iterable[Picture], ocr: Ocr, seconds: int) -> Iterator[ReadPage]:
    """Yield each picture's lines, in order; several are read at once.

    Args:
        pictures: The pictures; few of them are taken at a time.
        ocr: The program, as `find_ocr` returns it.
        seconds: The longest time for one picture. A picture that takes longer has a problem. After
            eight of them in a row the others are not tried.

    Raises UserError if the program cannot be started.
    """
    waiting = iter(pictures)
    workers = max(1, min(_PARALLEL, len(os.sched_getaffinity(0)) if _can_ask() else 1))
    slow = 0
    with ThreadPoolExecutor(workers) as threads:
        while batch := list(islice(waiting, workers)):
            if slow >= _MOST_SLOW:
                problem = f"not tried: OCR of the {slow} pages before took too long"
                yield from (ReadPage(problem=problem) for _ in batch)
                continue
            for page in threads.map(lambda one: _read(one, ocr, seconds), batch):
                slow = slow + 1 if page.problem == _too_slow(seconds) else 0
                yield page


def _too_slow(seconds: int) -> str:
    return f"OCR took more than {seconds} seconds"


def _can_ask() -> bool:
    return hasattr(os, "sched_getaffinity")


def _read(picture: Picture, ocr: Ocr, seconds: int) -> ReadPage:
    # In 8 bits a pixel, the portable grey map needs no compression on either side.
    head = f"P5 {picture.width} {picture.height} 255\n".encode()
    dots = str(max(70, round(picture.dpi)))
    options = ["-l", _LANGUAGE, "--psm", _LAYOUT, "--dpi", dots, "tsv", "txt"]
    reader = (ocr.version, ocr.data, " ".join(options))
    key = picture_key(*(part.encode() for part in reader), head, picture.pixels)
    if (kept := kept_words(key)) is not None:
        return _page(kept, picture)
    try:
        done = subprocess.run(
            [ocr.program, "stdin", "stdout", *options],
            input=head + picture.pixels,
            capture_output=True,
            timeout=seconds,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )
    except subprocess.TimeoutExpired:
        return ReadPage(problem=_too_slow(seconds))
    except OSError as error:
        raise UserError(f"Tesseract cannot be started: {error}", remedy=ocr.remedy) from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        return ReadPage(problem=f"Tesseract failed: {lines[-1] if lines else done.returncode}")
    words = done.stdout.decode("utf-8", "replace")
    keep_words(key, words)
    return _page(words, picture)


def _page(output: str, picture: Picture) -> ReadPage:
    """Return the page of Tesseract's table of words and of its text, which follow each other.

    The table has places and confidences, but separates each Korean letter; the text has the blanks.
    """
    rows = [line.split("\t") for line in output.splitlines() if line.count("\t") == _COLUMNS - 1]
    texts = [" ".join(line.split()) for line in output.splitlines() if "\t" not in line]
    texts = [text for text in texts if text]
    words = [_Word.of(row) for row in rows if row[0] == _WORD and row[-1].strip()]
    groups = [list(group) for _, group in groupby(words, key=lambda word: word.line)]
    if len(texts) != len(groups):
        texts = [" ".join(word.text for word in group) for group in groups]
    lines = [
        _line(text, group, picture)
        for text, group in zip(texts, groups, strict=True)
        if _confidence(group) >= _NOISE
    ]
    return ReadPage(tuple(lines), round(_confidence(words), 4))


def _confidence(words: Sequence[_Word]) -> float:
    """Return the mean confidence of words, weighted by their length, 0 to 1."""
    letters = sum(len(word.text) for word in words)
    return sum(len(word.text) * word.confidence for word in words) / letters if letters else 0.0


def _line(text: str, words: Sequence[_Word], picture: Picture) -> Line:
    points = 72 / picture.dpi
    middle = median(word.top + word.height / 2 for word in words)
    size = median(word.height for word in words) * points
    right = max(word.left + word.width for word in words) * points
    return Line(text, right, 1 - middle / picture.height, size)
