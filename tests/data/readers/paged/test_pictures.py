"""Pictures of pages: PNG, JPEG, TIFF with pages."""

from __future__ import annotations

import pytest
from PIL import Image

from kofinlaw import UserError
from kofinlaw.data.readers.formats import read_documents
from kofinlaw.data.readers.paged import pictures
from kofinlaw.data.readers.paged.page_lines import Line
from kofinlaw.data.readers.paged.tesseract import Ocr, ReadPage, find_ocr, install_command
from kofinlaw.data.readers.paged.unread_pages import NoTextError
from kofinlaw.data.settings import LimitSettings


def save(path, *colours, size=(60, 80), mode="L"):
    first, *others = [Image.new(mode, size, colour) for colour in colours]
    more = {"save_all": True, "append_images": others} if others else {}
    first.save(path, **more)
    return path


def refusal(path, **limits):
    with pytest.raises(UserError) as caught:
        list(read_documents(path, None, LimitSettings(**limits)))
    return caught.value


def test_without_tesseract_a_picture_names_the_command(tmp_path, monkeypatch):
    path = save(tmp_path / "a.tiff", 255, 255)
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refusal(path)
    assert isinstance(error, NoTextError)
    missing = f"pages 1-2: a picture → Tesseract is not installed: {install_command()}"
    assert error.message == missing
    assert error.unread[0].reason == "needs_ocr"


@pytest.fixture
def shades(monkeypatch):
    """The grey of each picture that is read; its text is `공고 <grey>`."""
    seen = []
    monkeypatch.setattr(pictures, "find_ocr", lambda: Ocr(program="x"))

    def read(found, ocr, seconds):
        for one in found:
            assert len(one.pixels) == one.width * one.height
            seen.append((one.pixels[0], one.dpi))
            lines = (
                Line(f"공고 {one.pixels[0]}", 10, 0.8, 0),
                Line("수수료는 500원이다.", 100, 0.5, 0),
            )
            yield ReadPage(lines, 0.5 if one.pixels[0] == 9 else 0.8)

    monkeypatch.setattr(pictures, "read_pictures", read)
    return seen


def test_each_page_of_a_tiff_is_read(tmp_path, shades):
    (document,) = read_documents(save(tmp_path / "고시.tif", 200, 9, 100))
    assert (document.title, document.format) == ("공고 200", "picture")
    assert document.text == "공고 200\n수수료는 500원이다.\n공고 100\n수수료는 500원이다.\n"
    assert document.pages.ocr == ((1, 0.8), (3, 0.8))
    assert document.pages.starts == (0, 20, 20)
    assert [(one.pages, one.reason) for one in document.pages.unread] == [((2,), "ocr_unsure")]


def test_a_damaged_or_too_large_page_of_a_tiff_does_not_lose_the_others(
    tmp_path, shades, monkeypatch
):
    pages = [Image.effect_noise((60, 80), 50), *(Image.new("L", (60, 80), n) for n in (200, 100))]
    path = tmp_path / "a.tif"
    large = Image.new("L", (90, 90), 50)
    pages[1].save(
        path, save_all=True, append_images=[pages[0], large, pages[2]], compression="tiff_lzw"
    )
    with Image.open(path) as image:
        image.seek(1)
        (start,), (size,) = image.tag_v2[273], image.tag_v2[279]
    data = path.read_bytes()
    path.write_bytes(data[:start] + b"\xff" * size + data[start + size :])
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 60 * 80)
    (document,) = read_documents(path)
    assert document.pages.ocr == ((1, 0.8), (4, 0.8))
    assert {one.pages: one.reason for one in document.pages.unread} == {
        (2,): "ocr_failed",
        (3,): "ocr_failed",
    }
    details = sorted(one.detail for one in document.pages.unread)
    assert details[0].startswith("page 2: the picture is damaged: ")
    assert details[1] == "page 3: the picture is too large"


def test_transparent_colour_is_white_and_the_stated_dots_count(tmp_path, shades):
    clear = Image.new("RGBA", (20, 20), (0, 0, 0, 0))
    clear.save(tmp_path / "a.png", dpi=(200, 200))
    list(read_documents(tmp_path / "a.png"))
    assert shades == [(255, pytest.approx(200, abs=0.1))]


def test_a_picture_without_a_page_of_sure_words_has_no_text(tmp_path, shades):
    assert "confidence 0.50 is below 0.75" in refusal(save(tmp_path / "a.bmp", 9)).message


@pytest.mark.parametrize("keep", [8, 30, 60])
def test_damaged_pictures_are_refused(tmp_path, shades, keep):
    for suffix in ("png", "jpg", "tif"):
        path = save(tmp_path / f"a.{suffix}", 200)
        path.write_bytes(path.read_bytes()[:keep])
        assert "the picture" in refusal(path).message


def test_a_picture_with_too_many_pixels_or_pages_is_refused(tmp_path, monkeypatch):
    path = save(tmp_path / "a.tif", 1, 2, 3)
    assert refusal(path, pages=2).message == "the picture has 3 pages, more than 2"
    monkeypatch.setattr(pictures, "_MOST_PIXELS", 60 * 80 - 1)
    assert "60 x 80 pixels" in refusal(path).message


def test_a_real_picture_is_read(files, tmp_path, monkeypatch):
    monkeypatch.setenv("KOFINLAW_CACHE", str(tmp_path / "cache"))
    ocr = find_ocr()
    if ocr.problem:
        pytest.skip(ocr.problem)
    bitmap = files.page_bitmap(page=1)
    bitmap.to_pil().save(tmp_path / "세칙.png", dpi=(200, 200))
    (document,) = read_documents(tmp_path / "세칙.png")
    assert "6시간마다 복제한다" in document.text
    assert document.pages.ocr[0][1] > 0.8
