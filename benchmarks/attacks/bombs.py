"""Give the readers small files that unpack, nest or repeat without end.

Each must be read or refused within a limit of seconds and of memory.
"""

from __future__ import annotations

import csv
import io
import lzma
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from attacks.cases import Case, Ending, run_cases
from attacks.fuzz import Form, document_forms, other_forms, preload

__all__ = ["bombs"]

SECONDS = 60.0  # for each file
MEBIBYTE = 1 << 20
_WORDS = "은행은 전산장비를 점검하고 그 결과를 보고하여야 한다. "


def _zip_bomb(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def _aliases(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for n in range(1, levels):
        lines.append(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]")
    return "\n".join(lines) + "\n"


def _office(valid: Path, part: str, data: bytes) -> bytes:
    """Return an office file in which one part has this content."""
    out = io.BytesIO()
    with zipfile.ZipFile(valid) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            own = info.filename.endswith(part)
            new.writestr(info.filename, data if own else old.read(info.filename))
    return out.getvalue()


def _xz(mebibytes: int) -> bytes:
    """Return a line of JSON with a text of so many MiB, packed."""
    packer = lzma.LZMACompressor(preset=0)
    parts = [packer.compress(b'{"text": "')]
    parts += [packer.compress(b"a" * MEBIBYTE) for _ in range(mebibytes)]
    return b"".join([*parts, packer.compress(b'"}\n'), packer.flush()])


def _documents(valid: dict[str, Path], scale: float) -> Iterator[tuple[str, bytes]]:
    """Yield (file name, content); `scale` is the size of the large ones in MiB."""
    large = int(scale * MEBIBYTE)
    text = (_WORDS * (large // len(_WORDS.encode()) + 1)).encode()[:large].decode("utf-8", "ignore")
    deep, many = 20_000, int(100_000 * min(1.0, scale))
    yield "한 줄.md", text.encode()
    yield "한 줄.txt", text.replace(" ", "").encode()
    yield "한 줄.html", f"<p>{text}</p>".encode()
    yield "빈칸.md", b"# a" + b" " * large + b"\n"
    yield "빈칸.html", b"<h1>a" + b" " * large + b"</h1>"
    yield "글자 하나.md", "가".encode() * (large // 3)
    yield "자모.txt", ("ᄒ" * (large // 3)).encode()
    yield "깊은.html", b"<div>" * deep + b"a" + b"</div>" * deep
    yield "열린.html", b"<b><i>" * deep + "제1조".encode()
    yield "깊은 표.html", b"<table><tr><td>" * 3_000 + b"a"
    yield "깊은.json", b'{"a":' * deep + b"1" + b"}" * deep
    yield "깊은 목록.json", b"[" * deep + b"]" * deep
    yield "숫자.json", b'{"a": ' + b"9" * 100_000 + b"}"
    yield "깊은.jsonl", b'{"text": ' + b"[" * deep + b"]" * deep + b"}\n"
    yield "깊은.xml", b"<a>" * deep + b"</a>" * deep
    entities = '<!ENTITY e0 "가가가가">'
    for n in range(1, 12):
        entities += f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">'
    yield "개체.xml", f'<?xml version="1.0"?><!DOCTYPE a [{entities}]><a>&e11;</a>'.encode()
    yield "머리.md", f"---\n{_aliases(10)}---\n# 제목\n본문".encode()
    yield "머리 깊은.md", b"---\na: " + b"[" * deep + b"\n---\n# a\n"
    cell = io.StringIO()
    csv.writer(cell).writerows([["title", "text"], ["가", text]])
    yield "큰 칸.csv", cell.getvalue().encode()
    yield "따옴표.csv", b'title,text\n"' + b"a,b\n" * many
    yield "많은 열.csv", b",".join([b"a"] * many) + b"\n" + b",".join([b"b"] * many)
    if scale >= 1:
        yield "압축.jsonl.xz", _xz(600)
    yield "인용.md", b">" * deep + " 제1조(목적)".encode()
    yield "목록.md", b"".join(b"  " * n + b"- a\n" for n in range(2_000))
    yield "별표.md", b"*" * 200_000
    yield "괄호.md", b"[" * 200_000
    yield "조문.md", "".join(f"제{n}조의{n}(목적)" for n in range(many)).encode()
    yield "글.rtf", b"{\\rtf1 " + b"{" * deep + b"a" + b"}" * deep
    yield "쪽.pdf", b"%PDF-1.4\n" + b"1 0 obj<</Kids[1 0 R]/Parent 1 0 R>>endobj\n" * 5_000
    zeros = b"\0" * int(min(1.0, scale) * 300 * MEBIBYTE)
    for suffix, part in (
        (".docx", "document.xml"),
        (".hwpx", "section0.xml"),
        (".odt", "content.xml"),
    ):
        if suffix in valid:
            yield f"폭탄{suffix}", _office(valid[suffix], part, zeros)
            nested = b"<a>" * deep + b"</a>" * deep
            yield f"깊은{suffix}", _office(valid[suffix], part, nested)
    if ".xlsx" in valid:
        far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>a</t></is></c></row>'
        sheet = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        sheet += b"<sheetData>" + far + b"</sheetData></worksheet>"
        yield "먼 칸.xlsx", _office(valid[".xlsx"], "sheet1.xml", sheet)
        yield "폭탄.xlsx", _office(valid[".xlsx"], "sheet1.xml", zeros)
    yield "많은 파일.docx", _zip_bomb({f"word/{n}.xml": b"<a/>" for n in range(20_000)})


def _forms(scale: float) -> Iterator[tuple[str, bytes]]:
    """Yield (name of a form of `other_forms`, content)."""
    large, deep = int(scale * MEBIBYTE), 20_000
    yield "recipe", _aliases(12).encode()
    yield "recipe", b"a: &a [*a]\n"
    yield "recipe", b"a: &a {<<: *a}\n"
    yield "recipe", b"name: " + b"[" * deep
    yield "recipe", b"".join(b"  " * n + b"a:\n" for n in range(5_000))
    yield "recipe", b"seed: " + b"9" * 5_000 + b"\n"
    yield "recipe", b"name: " + b"a" * large + b"\n"
    yield "questions.jsonl", b'{"id": "a", "question": ' + b"[" * deep + b"\n"
    yield "questions.jsonl", b'{"id": "a", "question": "' + b"1) a " * (large // 5) + b'"}\n'
    yield "questions.jsonl", b'{"id": 1' + b"0" * 10_000 + b', "question": "a"}\n'
    yield "questions.csv", b'ID,Question\nT1,"' + "① 가 ".encode() * 100_000 + b'"\n'
    yield "questions.csv", b'ID,Question\nT1,"' + b"a\n" * (large // 2)
    yield "key.jsonl", b'{"id": "q0", "answer": ' + b"[" * deep + b"\n"
    yield "examples.jsonl", b'{"messages": ' + b"[" * deep + b"]" * deep + b"}\n"
    yield "examples.jsonl", b'{"id": ' + b"9" * 5_000 + b', "text": "a"}\n'
    yield "submission.csv", b'ID,Answer\nT1,"' + "①".encode() * (large // 3) + b'"\n'
    yield "submission.csv", b"ID,Answer\n" + b"T1,1\n" * (large // 80)
    yield "model/config.json", b'{"a": ' + b"[" * deep + b"]" * deep + b"}"
    loops = b"{% for a in range(99999) %}" * 3 + b"a" + b"{% endfor %}" * 3
    yield "model/tokenizer_config.json", b'{"chat_template": "' + loops + b'"}'
    yield "model/model.safetensors", (2**62).to_bytes(8, "little") + b"{}"
    yield "adapter/adapter_config.json", b"[" * deep


def bombs(
    work: Path, scale: float = 16, sample: int = 0, seed: int = 0, *, forms: bool = True
) -> list[Ending]:
    """Return how each file ended.

    Args:
        work: A folder for the files.
        scale: Size of the large ones in MiB.
        sample: How many of the files, drawn with `seed`; 0: all.
        seed: Draws the sample.
        forms: Whether recipes, questions, keys, examples and model folders are attacked too.
    """
    preload()
    valid = {path.suffix: path for path in document_forms(work)}
    cases = [Case(name, _reads(work, name, data)) for name, data in _documents(valid, scale)]
    others = {form.name: form for form in other_forms(work)}
    for number, (name, data) in enumerate(_forms(scale) if forms else ()):
        form = others[name]

        def read(form: Form = form, data: bytes = data) -> str:
            folder = work / "bomb"
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(form.valid.parent, folder)
            (folder / form.valid.name).write_bytes(data)
            return form.read(folder / form.valid.name)

        cases.append(Case(f"{name} {number}", read))
    if sample:
        cases = random.Random(seed).sample(cases, sample)
    return run_cases(cases, SECONDS)


def _reads(work: Path, name: str, data: bytes) -> Callable[[], str]:
    from attacks.fuzz import _lost_files

    def read() -> str:
        lost = _lost_files(work, {name: data})
        if lost != "[]":
            raise AssertionError(f"neither read nor rejected: {lost}")
        return lost

    return read
