"""Files of a finished stage: each kind of change is found, and nothing else is reported."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw.recipes.pipeline.integrity.outputs import compare, describe


@pytest.fixture
def stage(tmp_path):
    """A stage's folder with records, a model, a Korean name, and files that nobody reads."""
    folder = tmp_path / "merge"
    (folder / "model").mkdir(parents=True)
    (folder / "checkpoints" / "step-000001").mkdir(parents=True)
    (folder / "chunks.jsonl").write_text('{"text": "3일"}\n', encoding="utf-8")
    (folder / "빈 파일.jsonl").write_text("", encoding="utf-8")
    for name in ("config.json", "model.safetensors", "README.md"):
        (folder / "model" / name).write_text(f"{name} " * 50)
    for name in ("stage.json", "log.txt", ".hidden", "checkpoints/step-000001/optimizer.pt"):
        (folder / name).write_text("anything")
    return folder


def altered_digit(folder):
    path = folder / "chunks.jsonl"
    path.write_text(path.read_text("utf-8").replace("3", "8"), encoding="utf-8")
    return "chunks.jsonl", "other content"


def one_bit(folder):
    path = folder / "model" / "model.safetensors"
    data = bytearray(path.read_bytes())
    data[7] ^= 1
    path.write_bytes(data)
    return "model/model.safetensors", "other content"


def one_bit_with_the_old_time(folder):
    path = folder / "model" / "model.safetensors"
    before = path.stat()
    found = one_bit(folder)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return found


def truncated(folder):
    os.truncate(folder / "chunks.jsonl", 4)
    return "chunks.jsonl", "4 bytes"


def emptied(folder):
    os.truncate(folder / "chunks.jsonl", 0)
    return "chunks.jsonl", "0 bytes"


def missing(folder):
    (folder / "model" / "config.json").unlink()
    return "model/config.json", "missing"


def folder_missing(folder):
    (folder / "model").rename(folder.parent / "elsewhere")
    return "model/config.json", "missing"


def link_with_the_same_content(folder):
    path = folder / "chunks.jsonl"
    path.rename(folder.parent / "moved.jsonl")
    path.symlink_to(folder.parent / "moved.jsonl")
    return "chunks.jsonl", "link to"


def folder_behind_a_link(folder):
    (folder / "model").rename(folder.parent / "model")
    (folder / "model").symlink_to(folder.parent / "model")
    return "model/config.json", "link to"


def dangling_link(folder):
    (folder / "chunks.jsonl").unlink()
    (folder / "chunks.jsonl").symlink_to("nowhere")
    return "chunks.jsonl", "link to"


def pipe(folder):
    (folder / "chunks.jsonl").unlink()
    os.mkfifo(folder / "chunks.jsonl")  # reading it would wait for ever
    return "chunks.jsonl", "no longer a file"


def folder_in_its_place(folder):
    (folder / "chunks.jsonl").unlink()
    (folder / "chunks.jsonl").mkdir()
    return "chunks.jsonl", "missing"


def added_to_a_model(folder):
    (folder / "model" / "generation_config.json").write_text("{}")
    return "model/generation_config.json", "new"


CHANGES = [
    altered_digit,
    one_bit,
    one_bit_with_the_old_time,
    truncated,
    emptied,
    missing,
    folder_missing,
    link_with_the_same_content,
    folder_behind_a_link,
    dangling_link,
    pipe,
    folder_in_its_place,
    added_to_a_model,
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_change_is_named_with_its_kind(stage, change):
    outputs = describe(stage)
    assert compare(stage, outputs) == []
    name, kind = change(stage)
    found = compare(stage, outputs)
    assert name in [one.name for one in found]
    assert kind in next(one.what for one in found if one.name == name)


@pytest.mark.parametrize(
    "name",
    [
        "log.txt",
        "stage.json",
        ".hidden",
        "model/README.md",
        "checkpoints/step-000001/optimizer.pt",
        "notes.txt",
    ],
)
def test_what_no_stage_reads_may_change(stage, name):
    outputs = describe(stage)
    (stage / name).write_text("something else")
    assert compare(stage, outputs) == []
    (stage / name).unlink()
    assert compare(stage, outputs) == []


def test_a_circle_of_links_ends(stage):
    (stage / "model" / "up").symlink_to(stage)
    assert "model/config.json" in describe(stage)


def test_a_name_that_is_not_utf8_is_recorded(stage):
    Path(os.fsdecode(os.fsencode(stage) + b"/\xff.bin")).write_bytes(b"1")
    assert "\\xff.bin" in describe(stage)


@settings(max_examples=25)
@given(st.binary(min_size=1, max_size=400), st.data())
def test_any_flipped_bit_and_any_cut_is_found(content, data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "records.jsonl"
        path.write_bytes(content)
        outputs = describe(folder)
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        for changed in (bytes(flipped), content[: bit // 8], content + b"\n"):
            path.write_bytes(changed)
            assert [one.name for one in compare(folder, outputs)] == ["records.jsonl"]
        path.write_bytes(content)
        assert compare(folder, outputs) == []
