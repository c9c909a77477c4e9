"""Tesseract: what is missing, what its table says, and a real page where it is installed."""

from __future__ import annotations

import difflib
import errno
import sys
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.data.readers.paged import ocr_cache, tesseract
from kofinlaw.data.readers.paged.tesseract import Picture, find_ocr, install_command, read_pictures

HEADER = (
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("KOFINLAW_CACHE", str(folder))
    return folder


def program(folder: Path, monkeypatch, body: str) -> Path:
    """A program `tesseract` that is alone on the search path."""
    path = folder / "tesseract"
    path.write_text(f"#!{sys.executable}\nimport sys\n{body}\n", encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return path


def speaking(languages: str, output: str = "", extra: str = "") -> str:
    """The body of a program with these languages, which answers a picture with `output`."""
    return (
        f"if '--version' in sys.argv: print('tesseract 9.1')\n"
        f"elif '--list-langs' in sys.argv: print({languages!r})\n"
        f"else:\n    sys.stdin.buffer.read()\n    {extra or 'pass'}\n    print({output!r})"
    )


def picture(width=100, height=200):
    return Picture(width, height, bytes([255]) * (width * height), 72.0)


def rows(*words):
    """Tesseract's table of (line, left, top, width, height, confidence, text)."""
    lines = [HEADER, "1\t1\t0\t0\t0\t0\t0\t0\t100\t200\t-1\t"]
    for line, left, top, width, height, confidence, text in words:
        lines.append(
            f"5\t1\t1\t1\t{line}\t1\t{left}\t{top}\t{width}\t{height}\t{confidence}\t{text}"
        )
    return "\n".join(lines)


def test_without_the_program_the_remedy_installs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    ocr = find_ocr()
    assert (ocr.program, ocr.problem) == ("", "Tesseract is not installed")
    assert ocr.remedy == install_command() != ""


@pytest.mark.skipif(sys.platform != "linux", reason="the commands of Linux")
@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("apt-get", "sudo apt-get install tesseract-ocr tesseract-ocr-kor"),
        ("dnf", "sudo dnf install tesseract tesseract-langpack-kor"),
    ],
)
def test_the_command_is_that_of_the_system(tmp_path, monkeypatch, tool, command):
    (tmp_path / tool).write_text("#!/bin/sh\n")
    (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert install_command() == command


def test_a_program_without_korean_is_not_used(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, speaking("eng\nosd"))
    ocr = find_ocr()
    assert (ocr.program, ocr.problem) == ("", "Tesseract has no Korean")


def test_lines_have_the_blanks_of_the_text_and_the_places_of_the_table(tmp_path, monkeypatch):
    table = rows(
        (1, 10, 20, 10, 12, 90, "보"),
        (1, 20, 20, 10, 12, 80, "관"),
        (1, 40, 21, 20, 10, 70, "기간"),
        (2, 10, 60, 30, 10, 12, "ㄴㄴ"),
        (3, 10, 100, 80, 14, 100, "5년으로"),
    )
    path = program(
        tmp_path, monkeypatch, speaking("kor\neng", f"{table}\n보관   기간\n\nㄴㄴ\n5년으로\n\f")
    )
    ocr = find_ocr()
    assert (ocr.program, ocr.version) == (str(path), "9.1")
    (page,) = read_pictures([picture()], ocr, 20)
    # The second line is noise: its confidence is below 0.4. It counts for the page.
    assert [(line.text, line.right) for line in page.lines] == [
        ("보관 기간", 60.0),
        ("5년으로", 90.0),
    ]
    assert page.lines[0].height == pytest.approx(1 - 26 / 200)
    assert page.confidence == pytest.approx((0.9 + 0.8 + 2 * 0.7 + 2 * 0.12 + 4 * 1.0) / 10)


def test_a_picture_is_read_once(tmp_path, monkeypatch, cache):
    output = rows((1, 10, 20, 10, 12, 90, "보관")) + "\n보관\n"
    path = program(tmp_path, monkeypatch, speaking("kor", output))
    ocr = find_ocr()
    first = list(read_pictures([picture()], ocr, 20))
    path.unlink()
    assert list(read_pictures([picture()], ocr, 20)) == first
    (kept,) = (cache / "ocr").iterdir()
    kept.write_bytes(kept.read_bytes()[:-4])  # damaged: read again
    with pytest.raises(UserError, match="cannot be started"):
        list(read_pictures([picture()], ocr, 20))
    kept.unlink()
    with pytest.raises(UserError, match="cannot be started"):
        list(read_pictures([picture(width=101)], ocr, 20))


def test_new_korean_data_read_a_picture_again(tmp_path, monkeypatch):
    data = tmp_path / "kor.traineddata"
    listed = f'List of available languages in "{tmp_path}" (1):\nkor'
    program(tmp_path, monkeypatch, speaking(listed, rows((1, 10, 20, 10, 12, 90, "보관"))))
    data.write_bytes(b"fast")
    first = find_ocr()
    assert first.data.startswith("4 ")
    list(read_pictures([picture()], first, 20))
    data.write_bytes(b"the best")
    tesseract._asked.cache_clear()
    second = find_ocr()
    (tmp_path / "tesseract").unlink()
    assert len(list(read_pictures([picture()], first, 20))) == 1
    with pytest.raises(UserError, match="cannot be started"):
        list(read_pictures([picture()], second, 20))


def test_a_full_disk_keeps_nothing_and_is_not_an_error(tmp_path, monkeypatch, cache):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ocr_cache.os, "replace", full)
    program(tmp_path, monkeypatch, speaking("kor", rows((1, 10, 20, 10, 12, 90, "보관"))))
    (page,) = read_pictures([picture()], find_ocr(), 20)
    assert [line.text for line in page.lines] == ["보관"]
    assert list((cache / "ocr").iterdir()) == []


def test_a_program_that_hangs_is_not_tried_on_every_page(tmp_path, monkeypatch):
    monkeypatch.setattr(tesseract, "_MOST_SLOW", 1)
    monkeypatch.setattr(tesseract, "_PARALLEL", 1)
    program(tmp_path, monkeypatch, speaking("kor", extra="import time; time.sleep(9)"))
    pages = read_pictures([picture(100 + n) for n in range(3)], find_ocr(), 1)
    assert [page.problem for page in pages] == [
        "OCR took more than 1 seconds",
        *["not tried: OCR of the 1 pages before took too long"] * 2,
    ]


def test_a_failing_and_a_slow_program_are_a_problem_of_the_page(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, speaking("kor", extra="sys.exit('no memory')"))
    (page,) = read_pictures([picture()], find_ocr(), 20)
    assert (page.lines, page.problem) == ((), "Tesseract failed: no memory")
    program(tmp_path, monkeypatch, speaking("kor", extra="import time; time.sleep(9)"))
    (page,) = read_pictures([picture()], find_ocr(), 1)
    assert page.problem == "OCR took more than 1 seconds"


def test_a_real_page_is_read(files):
    ocr = find_ocr()
    if ocr.problem:
        pytest.skip(ocr.problem)
    bitmap = files.page_bitmap(page=1)
    pixels = bitmap.to_numpy().tobytes()
    (page,) = read_pictures([Picture(bitmap.width, bitmap.height, pixels, 200)], ocr, 100)
    text = "".join("".join(line.text.split()) for line in page.lines)
    expected = "".join(files.page_text(page=1).split())
    matcher = difflib.SequenceMatcher(None, expected, text, autojunk=False)
    assert matcher.ratio() > 0.9
    assert page.confidence > 0.8
