"""The benchmarks of kofinlaw.data when a measurement fails."""

import json
import unicodedata

import corpus_memory
import office_files
import pytest

from kofinlaw.data.readers.formats import read_documents


def test_a_build_that_dies_ends_the_memory_benchmark_with_a_message(capfd):
    with pytest.raises(SystemExit, match="no result: exit code 1"):
        corpus_memory.measure(0, 1)
    assert "no document could be read" in capfd.readouterr().err


@pytest.fixture(scope="module")
def office_texts(tmp_path_factory):
    """The texts that the readers find in the folder of `first_hour.py`, by composed file name."""
    folder = tmp_path_factory.mktemp("office")
    office_files.write_folder(folder)
    return {
        unicodedata.normalize("NFC", path.name): "\n".join(d.text for d in read_documents(path))
        for path in folder.iterdir()
        if path.name != office_files.PICTURE
    }


def question_file(name):
    lines = (office_files.HERE / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_the_office_folder_has_eleven_formats_that_are_read(office_texts):
    assert {entry.file for entry in office_files.office_files()} == set(office_texts)
    assert len({name.rsplit(".", 1)[1] for name in office_texts}) == 11
    assert all(len(text) > 500 for text in office_texts.values())


def test_each_planted_answer_is_read_from_its_file(office_texts):
    questions = question_file("questions.jsonl")
    parts = [question["part"] for question in questions]
    assert {part: parts.count(part) for part in parts} == dict.fromkeys(
        ("planted", "refused", "reworded"), 12
    )
    days = {entry.file: entry.day for entry in office_files.office_files()}
    for question in questions:
        assert question["answerable"] == (question["part"] != "refused")
        if question["answerable"]:
            assert question["key"] in office_texts[question["file"]], question["id"]
            assert question["day"] == days[question["file"]], question["id"]
    assert len({question["question"] for question in questions}) == 36


def test_the_regulation_questions_are_thirty_of_each_kind():
    questions = question_file("regulation_questions.jsonl")
    assert [question["answerable"] for question in questions] == [True] * 30 + [False] * 30
    assert len({question["question"] for question in questions}) == 60
    assert all(
        question["regulation"] and question["where"] and question["key"]
        for question in questions[:30]
    )
