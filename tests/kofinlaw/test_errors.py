"""Errors of the machine are explained as such, in the words of every library that reports them."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.errors import MachineError, machine_error, raise_if_machine
from kofinlaw.files import (
    JsonlAppender,
    atomic_folder,
    atomic_write,
    atomic_write_bytes,
    cut_torn_line,
    explained_error,
    read_json_lines,
)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A small whole file of each kind that the project reads through a library."""
    import lancedb
    import pyarrow as pa
    import pyarrow.parquet as pq
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models

    folder = tmp_path_factory.mktemp("written")
    np.save(folder / "a.npy", np.zeros(3))
    save_file({"a": np.zeros(3)}, folder / "a.safetensors")
    pq.write_table(pa.table({"a": [1]}), folder / "a.parquet")
    Tokenizer(models.WordLevel({"a": 0}, unk_token="a")).save(str(folder / "a.json"))
    lancedb.connect(str(folder / "lance")).create_table("a", pa.table({"a": [1]}))
    with sqlite3.connect(folder / "a.sqlite") as rows:
        rows.execute("CREATE TABLE a (b)")
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr("a", "a")
    (folder / "a.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    return folder


def _readers(folder: Path):
    import lancedb
    import pyarrow.parquet as pq
    import pypdfium2
    from safetensors import safe_open
    from tokenizers import Tokenizer

    store = lancedb.connect(str(folder / "lance"))
    return {
        "numpy": lambda: np.load(folder / "a.npy"),
        "safetensors": lambda: safe_open(folder / "a.safetensors", framework="numpy"),
        "pyarrow": lambda: pq.read_table(folder / "a.parquet"),
        "tokenizers": lambda: Tokenizer.from_file(str(folder / "a.json")),
        "lancedb": lambda: store.open_table("a").search().to_arrow(),
        "sqlite": lambda: sqlite3.connect(folder / "a.sqlite").execute("SELECT b FROM a"),
        "zipfile": lambda: zipfile.ZipFile(folder / "a.zip"),
        "pdfium": lambda: pypdfium2.PdfDocument(folder / "a.pdf"),
        "subprocess": lambda: subprocess.run(["true"], check=True),
    }


def test_too_many_open_files_is_seen_through_every_library(written, no_more_files):
    for name, read in _readers(written).items():
        found: MachineError | None = None
        with no_more_files():
            try:
                read()
            except Exception as error:
                found = machine_error(error, written)
        assert found is not None, name
        assert found.everywhere, name
        assert "too many open files" in found.message, name
        assert "ulimit -n" in found.remedy, name
        assert "delete" not in str(found), name


def test_a_damaged_file_is_not_called_an_error_of_the_machine(written, tmp_path):
    from safetensors import safe_open
    from tokenizers import Tokenizer

    cut = tmp_path / "cut"
    cut.write_bytes((written / "a.safetensors").read_bytes()[:-3])
    for read in (
        lambda: safe_open(cut, framework="numpy"),
        lambda: Tokenizer.from_file(str(cut)),
        lambda: np.load(cut),
        lambda: zipfile.ZipFile(cut),
        lambda: sqlite3.connect(cut).execute("SELECT b FROM a"),
        lambda: open(tmp_path / "absent"),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011 (of any library)
            read()
        assert machine_error(caught.value, cut) is None


def _save_numpy(path: Path) -> None:
    np.save(path, np.random.default_rng(1).random(20_000))


def _save_safetensors(path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(20_000)}, path)


def _save_torch(path: Path) -> None:
    import torch

    torch.save({"a": torch.zeros(20_000)}, path)


def _save_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": np.random.default_rng(1).random(20_000)}), path)


def _save_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", os.urandom(80_000))


def _save_sqlite(path: Path) -> None:
    with sqlite3.connect(path) as rows:
        rows.execute("CREATE TABLE a (b)")
        rows.execute("INSERT INTO a VALUES (?)", (os.urandom(80_000),))


def _save_tokenizer(path: Path) -> None:
    from tokenizers import Tokenizer, models

    words = {str(number): number for number in range(5_000)}
    Tokenizer(models.WordLevel(words, unk_token="0")).save(str(path))


@pytest.mark.parametrize(
    "save",
    [
        _save_numpy,
        _save_safetensors,
        _save_torch,
        _save_parquet,
        _save_zip,
        _save_sqlite,
        _save_tokenizer,
    ],
)
def test_a_full_disk_in_any_librarys_words_is_one_error_and_the_older_folder_is_kept(
    save, tmp_path, small_files
):
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "older").write_text("kept", encoding="utf-8")
    with (
        small_files(32_000),
        pytest.raises(MachineError, match=r"no space left|drive") as caught,
        atomic_folder(folder) as temporary,
    ):
        save(temporary / "file")
    assert "fault of kofinlaw" not in str(caught.value)
    assert (folder / "older").read_text(encoding="utf-8") == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_record_on_a_full_disk_is_explained_and_the_lines_before_it_are_kept(
    tmp_path, small_files
):
    path = tmp_path / "log.jsonl"
    log = JsonlAppender(path)
    with small_files(1_000), pytest.raises(MachineError, match="no space left"):
        [log.append({"number": number}) for number in range(1_000)]
    cut_torn_line(path)
    kept = [value["number"] for _, value in read_json_lines(path)]
    assert kept == list(range(len(kept)))
    assert len(kept) > 10


def test_files_written_at_once_explain_a_full_disk_too(tmp_path, small_files):
    with small_files(1_000):
        with (
            pytest.raises(MachineError, match="no space left"),
            atomic_write(tmp_path / "a") as out,
        ):
            out.write("가" * 5_000)
        with pytest.raises(MachineError), atomic_write_bytes(tmp_path / "b") as out:
            np.save(out, np.zeros(5_000))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("code", "said", "everywhere"),
    [
        (errno.ENOSPC, "no space left", True),
        (errno.EDQUOT, "quota", True),
        (errno.EFBIG, "no space left", True),
        (errno.EMFILE, "too many open files", True),
        (errno.ENFILE, "too many open files", True),
        (errno.ENOMEM, "too little free memory", True),
        (errno.EACCES, "may not be read", False),
        (errno.EROFS, "read-only", False),
        (errno.EIO, "drive reports an error", False),
        (errno.ESTALE, "drive reports an error", False),
    ],
)
def test_every_form_of_an_error_number_is_explained(code, said, everywhere):
    words = os.strerror(code)
    forms = [
        OSError(code, words),
        RuntimeError(f"lance error: IO: {words} (os error {code}), writer.rs:258"),
        Exception(f"{words} (os error {code})"),
        BaseException(f'Failed to build: Os {{ code: {code}, kind: Uncategorized, message: "x" }}'),
        RuntimeError(f"open file failed because of errno {code} on fopen: {words}, file path: a"),
        RuntimeError(f"unable to mmap 12 bytes from file <a>: {words} ({code})"),
        OSError(f"[Errno {code}] Error writing bytes to file. Detail: [errno {code}] {words}"),
    ]
    wrapped = UserError("the index is damaged")
    wrapped.__cause__ = forms[0]
    for error in [*forms, wrapped]:
        found = machine_error(error, "file")
        assert found is not None, error
        assert said in found.message
        assert found.everywhere is everywhere


@settings(max_examples=25)
@given(st.text(max_size=200), st.sampled_from([ValueError, KeyError, UserError, TypeError]))
def test_the_text_of_a_document_in_a_message_is_no_error_of_the_machine(text, kind):
    assert machine_error(kind(f"{text} Permission denied: too many open files")) is None


def test_a_user_error_keeps_its_own_words_unless_every_file_fails():
    own = UserError("the recipe cannot be written", remedy="name a folder with --out")
    own.__cause__ = PermissionError(errno.EACCES, "Permission denied")
    assert explained_error(own) is own
    own.__cause__ = OSError(errno.EMFILE, "Too many open files")
    assert "too many open files" in str(explained_error(own))
    assert explained_error(ZeroDivisionError("division by zero")) is None
    raise_if_machine(ZeroDivisionError("division by zero"))


@pytest.mark.parametrize("program", [["-m", "kofinlaw", "models"], ["{train}", "quickstart"]])
def test_a_deleted_working_folder_is_one_error(program, tmp_path):
    train = str(Path(__file__).parents[2] / "recipes" / "train.py")
    words = [word.replace("{train}", train) for word in program]
    gone = tmp_path / "gone"
    gone.mkdir()
    script = 'cd "$0" && rmdir "$0" && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, gone, sys.executable, *words], capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr
    assert "the current folder no longer exists" in done.stderr
    assert "Traceback" not in done.stderr
