"""Compare the confidence of OCR with its share of right characters, on a worsened sample page.

    python benchmarks/ocr.py

The second page of the sample PDF is rendered at 300 dots an inch, worsened, and read by Tesseract.
The share of right characters is the similarity (difflib) to its text layer, without blanks.
"""

from __future__ import annotations

import difflib
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image, ImageFilter

from kofinlaw.data.readers.paged.tesseract import Picture, find_ocr, read_pictures

PAGE = Path(__file__).parents[1] / "data/sample/corpus/재해복구_훈련_시행세칙.pdf"
DOTS = 300
# name: blur in pixels, noise in shades of grey, scale before reading, rotation in degrees
WORSENED = {
    "as scanned": (0.0, 0.0, 1.0, 0.0),
    "turned by one degree": (0.0, 0.0, 1.0, 1.0),
    "75 dots an inch": (0.0, 0.0, 0.25, 0.0),
    "51 dots an inch": (0.0, 0.0, 0.17, 0.0),
    "42 dots an inch": (0.0, 0.0, 0.14, 0.0),
    "36 dots an inch": (0.0, 0.0, 0.12, 0.0),
    "noise": (0.0, 12.0, 1.0, 0.0),
    "blurred": (4.0, 0.0, 1.0, 0.0),
    "blurred beyond reading": (6.0, 0.0, 1.0, 0.0),
}


def worsened(image: Image.Image, blur: float, noise: float, scale: float, turn: float) -> Picture:
    """Return the page as a bad scanner would see it, with the same noise each time."""
    size = image.size
    if scale != 1:
        image = image.resize((int(size[0] * scale), int(size[1] * scale))).resize(size)
    image = image.rotate(turn, fillcolor=255).filter(ImageFilter.GaussianBlur(blur))
    shades = np.asarray(image).astype(float)
    if noise:
        grain = np.random.default_rng(0).normal(0, noise, shades.shape)
        shades = np.clip(shades * 0.8 + 20 + grain, 0, 255)
    return Picture(*size, shades.astype("uint8").tobytes(), DOTS)


def main() -> None:
    """Print confidence and share of right characters of each version of the page."""
    ocr = find_ocr()
    if ocr.problem:
        raise SystemExit(f"{ocr.problem}: {ocr.remedy}")
    page = pypdfium2.PdfDocument(PAGE)[1]
    expected = "".join(page.get_textpage().get_text_range().split())
    image = Image.fromarray(page.render(scale=DOTS / 72, grayscale=True).to_numpy())
    print(f"{'page':<24}{'confidence':>11}{'right':>7}")
    for name, changes in WORSENED.items():
        (read,) = read_pictures([worsened(image, *changes)], ocr, 120)
        found = "".join("".join(line.text.split()) for line in read.lines)
        right = difflib.SequenceMatcher(None, expected, found, autojunk=False).ratio()
        print(f"{name:<24}{read.confidence:>11.2f}{right:>7.2f}")


if __name__ == "__main__":
    main()
