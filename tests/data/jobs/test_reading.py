"""Two processes read and split documents into the same corpus as one."""

import pytest

from kofinlaw import UserError
from kofinlaw.cluster.jobs import HERE
from kofinlaw.cluster.process_pool import LocalProcesses
from kofinlaw.data.corpus import build_corpus
from kofinlaw.data.jobs.reading import FileToRead, read_files
from kofinlaw.data.settings import DataSettings


def test_the_corpus_of_two_processes_is_that_of_one(files, tmp_path):
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(1, 6):
        text = files.ACT.replace("가람법", f"가람{number}법").replace("000001", f"00000{number}")
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    (folder / "broken.docx").write_bytes(b"PK\x03\x04 no archive")
    (folder / "empty.txt").write_text("\n", encoding="utf-8")
    settings = DataSettings.model_validate({"sources": [str(folder)]})
    for name, workers in (("one", HERE), ("two", LocalProcesses(2, offline=True))):
        build_corpus(settings, tmp_path / name, base=tmp_path, workers=workers)
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("one", "two")
    )
    assert b"broken.docx" in one["rejected.jsonl"]
    assert one == two


def test_a_file_that_a_process_does_not_see_is_an_error_and_not_a_reject(tmp_path):
    file = FileToRead(tmp_path / "away.md", "away.md", 0)
    with pytest.raises(UserError, match="does not see this file") as caught:
        list(read_files([file], lambda file, log: iter(()), HERE))
    assert caught.value.where == str(file.path)
