"""The benchmarks of kofinlaw.data when a measurement fails."""

import json
import unicodedata

import corpus_memory
import first_hour
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


OUTPUT = """no problem found

Next:
  kofinlaw run rules.yaml
  kofinlaw ask '제3조의 내용은?' --run runs/rules   # as soon as the index is built
  kofinlaw init FOLDER   # a recipe for your own documents
"""


def test_the_commands_under_next_are_found_without_their_comments():
    commands = first_hour.next_commands(OUTPUT)
    assert commands == [
        "kofinlaw run rules.yaml",
        "kofinlaw ask '제3조의 내용은?' --run runs/rules",
        "kofinlaw init FOLDER",
    ]
    assert [first_hour.has_placeholder(command) for command in commands] == [False, False, True]
    assert first_hour.next_commands("error: no such file\n") == []


def test_a_walk_runs_only_commands_that_were_printed(tmp_path):
    walk = first_hour.Walk(tmp_path)
    with pytest.raises(SystemExit, match="no command printed `kofinlaw plan`"):
        walk.follow("plan")


def test_each_file_is_accounted_for_where_it_is_named(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    chunk = {"source": unicodedata.normalize("NFD", "docs/가.csv#2"), "as_of": "2026-01-01"}
    (data / "chunks.jsonl").write_text(json.dumps(chunk), encoding="utf-8")
    (data / "rejected.jsonl").write_text('{"id": "docs/나.png"}', encoding="utf-8")
    (data / "card.md").write_text("docs/가.csv docs/나.png docs/다.doc", encoding="utf-8")
    names = ["가.csv", "나.png", "다.doc"]
    assert first_hour.accounted(names, tmp_path, "no reader: docs/나.png") == names[:2]
    assert first_hour.accounted(names, tmp_path, "2 files") == names[:1]
    assert first_hour.days_found(tmp_path) == {"가.csv": {"2026-01-01"}}


def test_an_answer_is_right_where_the_first_passage_of_the_file_has_the_key():
    question = {"id": "q", "question": "?", "answerable": True, "file": "가.csv", "key": "3억원"}
    passage = {"chunk": "c", "unit": "가 제1조", "text": "한도는 3억원으로 한다."}
    answer = {"answer": "3억원", "evidence": [passage], "abstained": False}
    asked = first_hour.judged(question, answer, {"c": "docs/가.csv#1"})
    assert (asked.right, asked.refused) == (True, False)
    assert not first_hour.judged(question, answer, {"c": "docs/나.csv"}).right
    assert not first_hour.judged(question | {"key": "2억원"}, answer, {"c": "docs/가.csv"}).right
    refusal = {"answer": "없습니다.", "evidence": [], "abstained": True}
    asked = first_hour.judged(question, refusal, {})
    assert (asked.right, asked.refused) == (False, True)
