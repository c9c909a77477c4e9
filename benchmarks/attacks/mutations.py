"""Change a small valid file at random: flip, cut and copy bytes, insert what breaks parsers."""

from __future__ import annotations

import io
import random
import zipfile

__all__ = ["mutated"]

# Inserted somewhere: marks, limits of numbers and nesting, half characters, ends of structures.
TEXTS = (
    *("\x00", "﻿", "​", "‮", "\x1b[2J", "\r", "\n" * 50, " " * 2_000, "가" * 3_000),
    *("\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe", b"\x80", b"\xc0\xaf"),
    *("9" * 5_000, "-1", "1e999", "NaN", "Infinity", "null", "true", "[]", "{}", '""'),
    *("[" * 3_000, "{" * 500, '{"a":' * 1_500, "<b>" * 3_000, "(" * 3_000, "- " * 2_000),
    *("]]>", "<!--", "<![CDATA[", "&#0;", "&lt;" * 100, "<!DOCTYPE a [<!ENTITY b 'c'>]>", "&b;"),
    *("---\n", "&a *a", "*a", "!!python/object:os.system", "{{ 1/0 }}", "${HOME}", "../../x"),
    *("\\ud800", "\\u0000", "정답:", "①", "제1조(목적)", "1) 2) 3)", "```", '"', ",", "\t", ";"),
)


def mutated(data: bytes, choice: random.Random) -> bytes:
    """Return the data with one to four changes; a ZIP file is often changed inside a part."""
    if data.startswith(b"PK\x03\x04") and choice.random() < 0.7:
        return _in_a_part(data, choice)
    for _ in range(choice.randint(1, 4)):
        data = _changed(data, choice)
    return data


def _in_a_part(data: bytes, choice: random.Random) -> bytes:
    """Return the archive with one changed part, packed again with right sums."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        infos = [info for info in old.infolist() if not info.is_dir()]
        hit = choice.choice(infos).filename
        for info in infos:
            part = old.read(info.filename)
            if info.filename == hit:
                if choice.random() < 0.1:
                    continue
                for _ in range(choice.randint(1, 4)):
                    part = _changed(part, choice)
            new.writestr(info, part)
    return out.getvalue()


def _changed(data: bytes, choice: random.Random) -> bytes:
    at = choice.randrange(len(data) + 1)
    end = min(len(data), at + choice.choice((1, 2, 8, 64, 1_000)))
    kind = choice.randrange(7)
    if kind == 0 and data:
        place = min(at, len(data) - 1)
        flipped = data[place] ^ (1 << choice.randrange(8))
        return data[:place] + bytes([flipped]) + data[place + 1 :]
    if kind == 1:
        return data[:at]
    if kind == 2:
        return data[:at] + data[end:]
    if kind == 3:
        return data[:end] + data[at:end] * choice.choice((1, 2, 50)) + data[end:]
    if kind == 4:
        other = choice.randrange(len(data) + 1)
        return data[:at] + data[other : other + 64] + data[end:]
    text = choice.choice(TEXTS)
    inserted = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if kind == 5:
        return data[:at] + inserted + data[at:]
    return data[:at] + inserted + data[end:]
