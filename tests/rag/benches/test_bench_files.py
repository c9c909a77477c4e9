"""Files of each evaluation set become the same questions, keys and gold passages."""

import hashlib
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.rag.benches.bench_files import read_bench, read_bench_exam
from kofinlaw.rag.benches.sets import bench_set

CHOICE_FORMS = ["kmmlu", "kmmlu-pro", "kmmlu-redux", "fsku", "kbl", "kcl", "searchfiresafety"]


def rows_of(samples, name, asked):
    made = {
        "kmmlu": samples.kmmlu,
        "kmmlu-pro": samples.licensure,
        "kmmlu-redux": samples.licensure,
        "fsku": samples.fsku,
        "kbl": samples.kbl,
        "kcl": samples.kcl,
        "searchfiresafety": samples.fire_choice,
    }
    return made[name](asked)


@pytest.mark.parametrize("name", CHOICE_FORMS)
@pytest.mark.parametrize("form", [".jsonl", ".json", ".parquet"])
def test_every_choice_set_gives_the_questions_that_were_written(samples, tmp_path, name, form):
    path = samples.write_rows(tmp_path / f"file{form}", rows_of(samples, name, samples.ASKED))
    found = read_bench(bench_set(name), [path])
    assert (found.kind, found.set.name) == ("choice", name)
    assert [q.question for q in found.exam.questions] == [q for q, _, _ in samples.ASKED]
    assert [q.options[:4] for q in found.exam.questions] == [o for _, o, _ in samples.ASKED]
    assert [k.answer for k in found.exam.keys] == [str(a) for _, _, a in samples.ASKED]
    (read,) = found.files
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert read.questions == 3


def test_descriptions_become_slices(samples, tmp_path):
    path = samples.write_rows(tmp_path / "a.csv", samples.kmmlu())
    (first, *_) = read_bench(bench_set("kmmlu"), [path]).exam.keys
    assert first.slices == ("category:은행", "rows:odd")
    path = samples.write_rows(tmp_path / "b.jsonl", samples.licensure())
    (first, *_) = read_bench(bench_set("kmmlu-pro"), [path]).exam.keys
    assert first.slices == ("license_name:은행원", "subject:창구", "rows:odd")


def test_a_json_file_with_one_object_a_line_is_read(samples, tmp_path):
    path = samples.write_rows(tmp_path / "a.jsonl", samples.kbl(key="label"))
    path = path.rename(tmp_path / "kbl_legal_concept_qa_v0.1.json")
    assert len(read_bench(bench_set("kbl"), [path]).exam.questions) == 3


def test_fields_of_a_kbl_reasoning_task_are_in_the_stem(samples, tmp_path):
    row = {
        "question": "두 진술은 서로 모순되는가?", "statement1": "연체이자는 만기일부터 붙는다.",
        "statement2": "연체이자는 만기 다음 날부터 붙는다.", "A": "모순된다", "B": "모순되지 않는다",
        "label": "A",
    }  # fmt: skip
    path = samples.write_rows(tmp_path / "a.json", [row])
    found = read_bench(bench_set("kbl"), [path])
    (question,) = found.exam.questions
    assert question.question.splitlines()[1:] == [
        "진술 1: 연체이자는 만기일부터 붙는다.",
        "진술 2: 연체이자는 만기 다음 날부터 붙는다.",
    ]
    assert (question.options, found.exam.keys[0].answer) == (("모순된다", "모순되지 않는다"), "1")
    assert found.files[0].form == "statement consistency"


def test_a_bar_exam_with_four_options_and_an_empty_fifth_column(samples, tmp_path):
    rows = [{**row, "E": None} for row in samples.kbl()]
    path = samples.write_rows(tmp_path / "responsibility2020.jsonl", rows)
    assert {len(q.options) for q in read_bench(bench_set("kbl"), [path]).exam.questions} == {4}


def test_fsku_takes_its_answers_from_the_file_next_to_it(samples, tmp_path):
    path = samples.write_rows(tmp_path / "test(kor).csv", samples.fsku(answers=False))
    with pytest.raises(UserError, match="answers in another file") as error:
        read_bench(bench_set("fsku"), [path])
    assert "answer.csv" in error.value.remedy
    answers = samples.write_rows(
        tmp_path / "answer.csv", [{"Answer": a} for _, _, a in samples.ASKED]
    )
    found = read_bench(bench_set("fsku"), [path])
    assert [k.answer for k in found.exam.keys] == ["2", "3", "1"]
    assert [one.form for one in found.files] == ["multiple choice", "answers"]
    assert [q.question for q in found.exam.questions] == [q for q, _, _ in samples.ASKED]
    samples.write_rows(tmp_path / "other.csv", [{"Answer": 1}])
    with pytest.raises(UserError, match="1 answers for 3 questions"):
        read_bench(bench_set("fsku"), [path], tmp_path / "other.csv")
    with_answers = samples.write_rows(tmp_path / "whole.csv", samples.fsku())
    with pytest.raises(UserError, match="holds its answers"):
        read_bench(bench_set("fsku"), [with_answers], answers)


def test_lines_of_numbers_and_texts_are_the_options_of_fsku(samples, tmp_path):
    text = "다음 기한은?\n1 답 0\n2 답 1\n3 답 2\n4 답 3"
    rows = [{"Domain": "가", "Sub_domain": "나", "Question": text, "Answer": 4}]
    path = samples.write_rows(tmp_path / "a.csv", rows)
    (question,) = read_bench(bench_set("fsku"), [path]).exam.questions
    assert question.question == "다음 기한은?"
    assert len(question.options) == 4


def test_fsku_free_text_has_keywords(samples, tmp_path):
    row = {
        "Question": "연체이자는 언제 붙나요?",
        "Answer": "만기 다음 날부터입니다.",
        "Keyword": "만기, 다음 날",
    }
    path = samples.write_rows(tmp_path / "subjective_test(kor).csv", [row])
    found = read_bench(bench_set("fsku"), [path])
    assert found.kind == "free"
    assert found.exam.keys[0].keywords == ("만기", "다음 날")
    assert found.exam.keys[0].reference == "만기 다음 날부터입니다."


def test_kcl_rows_hold_their_precedents(samples, tmp_path):
    path = samples.write_rows(tmp_path / "kcl_mcqa.parquet", samples.kcl())
    found = read_bench(bench_set("kcl"), [path])
    assert found.gold["row-0001"] == (("대법원 2019다0",), ("대법원 2019다1",))
    assert found.passages["row-0001"][0].text.startswith("대법원 2019다0\n판결요지 0.")
    essay = {
        "meta": "가",
        "question": "논하시오.",
        "rubrics": ["가"],
        "score": 3,
        "supporting_precedents": [],
    }
    path = samples.write_rows(tmp_path / "kcl_essay.jsonl", [essay])
    with pytest.raises(UserError, match="no reference answer"):
        read_bench(bench_set("kcl"), [path])


def test_koblex_joins_background_and_question(samples, tmp_path):
    path = samples.write_rows(tmp_path / "koblex.jsonl", samples.koblex())
    found = read_bench(bench_set("koblex"), [path])
    first = found.exam.questions[0]
    assert first.question == f"지점에서 일이 생겼다.\n{samples.ASKED[0][0]}"
    assert found.exam.keys[0].slices == ("n_hops:1", "rows:odd")
    (passage,) = found.passages[first.id]
    assert passage.title == samples.PROVISIONS[0][0]
    assert found.gold[first.id] == ((passage.id,),)


@pytest.mark.parametrize(
    ("name", "count", "left_out"),
    [("allganize", 3, 0), ("allganize-finance", 1, 2), ("allganize-law", 1, 2)],
)
def test_allganize_keeps_its_domain(samples, tmp_path, name, count, left_out):
    path = samples.write_rows(tmp_path / "rag_evaluation_result.csv", samples.allganize())
    found = read_bench(bench_set(name), [path])
    assert (len(found.exam.questions), found.left_out) == (count, left_out)
    if name == "allganize-law":
        assert found.gold["row-0001"] == (("규정집.pdf p.2",), ("규정집.pdf p.3",))


def test_autorag_reads_lists_of_lists_lists_and_one_id(samples, tmp_path):
    rows = samples.autorag()
    path = samples.write_rows(tmp_path / "qa.jsonl", rows)
    found = read_bench(bench_set("autorag"), [path])
    assert found.gold == {
        "q0": (("p0",),),
        "q1": (("p1",), ("p2", "p0")),
        "q2": (("p2",),),
    }
    assert [key.reference for key in found.exam.keys] == ["가", "나", "라"]
    assert found.more_references == 1
    nested = samples.autorag(gold=([["p0"]], [["p1"], ["p2", "p0"]], [["p2"]]),
                             answers=(["가"], ["나", "다"], ["라"]))  # fmt: skip
    path = samples.write_rows(tmp_path / "qa.parquet", nested)
    assert read_bench(bench_set("autorag"), [path]).gold == found.gold


def test_searchfiresafety_names_its_documents(samples, tmp_path):
    path = samples.write_rows(tmp_path / "multihop_qa_mcq.jsonl", samples.fire_choice())
    found = read_bench(bench_set("searchfiresafety"), [path])
    assert found.gold["0"] == (("0",), ("2",))
    path = samples.write_rows(tmp_path / "realworld_qa.jsonl", samples.fire_free())
    found = read_bench(bench_set("searchfiresafety"), [path])
    assert (found.kind, found.gold["1"]) == ("free", (("1",),))


def test_several_files_keep_their_ids_apart(samples, tmp_path):
    paths = [
        samples.write_rows(tmp_path / f"{name}.csv", samples.kmmlu()) for name in ("Law", "Tax")
    ]
    found = read_bench(bench_set("kmmlu"), paths)
    assert [q.id for q in found.exam.questions[:4:3]] == ["Law/row-0001", "Tax/row-0001"]
    assert [one.questions for one in found.files] == [3, 3]
    other = samples.write_rows(tmp_path / "b" / "Law.csv", samples.kmmlu())
    with pytest.raises(UserError, match="the same name"):
        read_bench(bench_set("kmmlu"), [paths[0], other])


def test_an_exam_of_a_recipe_is_multiple_choice(samples, tmp_path):
    path = samples.write_rows(tmp_path / "a.parquet", samples.licensure())
    assert len(read_bench_exam(bench_set("kmmlu-pro"), path).questions) == 3
    path = samples.write_rows(tmp_path / "koblex.jsonl", samples.koblex())
    with pytest.raises(UserError, match="an exam is multiple choice"):
        read_bench_exam(bench_set("koblex"), path)


BROKEN = [
    ("kmmlu", "a.csv", "question,answer,A,B,C,D\n가는?,7,나,다,라,마\n", "names none of the 4", ":2"),
    ("kmmlu", "a.csv", "question,answer,A,B,C,D\n가는?,1,나,,라,마\n", "option B is empty", ":2"),
    ("kmmlu", "a.csv", "question,answer,A,B,C,D\n,1,나,다,라,마\n", "`question` is empty", ":2"),
    ("kmmlu", "a.csv", "question,answer,A,B,C,D\n가는?,1,나,다\n", "4 cells", ":2"),
    ("kmmlu", "a.csv", "question,answer,answer,A,B,C,D\n가?,1,2,나,다,라,마\n", "more than one", ":1"),
    ("kbl", "a.csv", "question,A,B,gt,gt\n가?,나,다,A,B\n", "more than one column `gt`", ":1"),
    ("kmmlu", "a.csv", "question,answer,A,B,C,D\n", "no question", "a.csv"),
    ("kmmlu", "a.csv", "", "empty", "a.csv"),
    ("kmmlu", "a.csv", "문항,정답\n가,1\n", "lacks columns of kmmlu; it has: 문항, 정답", "a.csv"),
    ("kmmlu", "a.xlsx", "PK", "no reader for .xlsx", "a.xlsx"),
    ("kmmlu", "a.parquet", "not a table", "cannot be read", "a.parquet"),
    ("kmmlu", "a.csv", "PAR1....", "this is a Parquet file", "a.csv"),
    ("kmmlu", "a.parquet", "version https://git-lfs.github.com/spec/v1\n", "pointer", "a.parquet"),
    ("kmmlu-pro", "a.jsonl", '{"question": "가?", "options": ["나", "다"], "solution": 3}\n', "none", ":1"),
    ("kmmlu-pro", "a.jsonl", '{"question": "가?", "options": "나", "solution": 1}\n', "must be a list", ":1"),
    ("kmmlu-pro", "a.jsonl", '{"question": "가?"\n', "JSON", ":1"),
    ("kmmlu-pro", "a.json", '[{"question": "가?", "options": ["나", "다"], "solution": 1}, {}]',
     "no `question`", ":2"),
    ("kcl", "a.jsonl", '{"question": "가?", "A": "나", "B": "다", "C": "라", "D": "마", "E": "바", '
     '"label": "A", "supporting_precedents": ["{"]}\n', "broken JSON", ":1"),
    ("autorag", "a.jsonl", '{"qid": "1", "query": "가?", "retrieval_gt": [], "generation_gt": []}\n',
     "`generation_gt` is empty", ":1"),
    ("allganize", "a.csv", "domain,question,target_answer,target_file_name,target_page_no\n"
     "law,가?,나,a.pdf,뒤쪽\n", "names no page", ":2"),
    ("koblex", "a.jsonl", '{"background": "", "question": "가?", "answer": "", "contexts": []}\n',
     "`answer` is empty", ":1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "file", "content", "said", "where"), BROKEN)
def test_a_broken_file_is_one_error_with_its_place(tmp_path, name, file, content, said, where):
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(UserError) as error:
        read_bench(bench_set(name), [tmp_path / file])
    assert said in str(error.value)
    assert where in str(error.value.where)
    assert error.value.remedy or "broken JSON" in str(error.value)


def test_wrong_columns_name_the_set_that_they_belong_to(samples, tmp_path):
    path = samples.write_rows(tmp_path / "a.jsonl", samples.licensure())
    with pytest.raises(UserError) as error:
        read_bench(bench_set("kmmlu"), [path])
    assert "kmmlu-pro or kmmlu-redux" in error.value.remedy
    assert "question, a, b, c, d, answer" in error.value.remedy


def test_several_right_answers_count_and_equal_ids_do_not(samples, tmp_path):
    rows = samples.licensure()
    rows[0]["solution"] = "1,3"
    path = samples.write_rows(tmp_path / "a.jsonl", rows)
    assert read_bench(bench_set("kmmlu-pro"), [path]).exam.keys[0].labels == ("1", "3")
    rows = samples.autorag()
    rows[2]["qid"] = "q0"
    path = samples.write_rows(tmp_path / "qa.jsonl", rows)
    with pytest.raises(UserError, match="`q0` is used on line 1") as error:
        read_bench(bench_set("autorag"), [path])
    assert error.value.where.endswith(":3")


def test_cp949_and_a_byte_order_mark_are_read_and_other_bytes_refused(samples, tmp_path):
    text = samples.write_rows(tmp_path / "a.csv", samples.kmmlu()).read_text("utf-8")
    wanted = read_bench(bench_set("kmmlu"), [tmp_path / "a.csv"]).exam.questions
    for encoding in ("cp949", "utf-8-sig", "utf-16"):
        (tmp_path / "b.csv").write_text(text, encoding=encoding)
        assert read_bench(bench_set("kmmlu"), [tmp_path / "b.csv"]).exam.questions == wanted
    (tmp_path / "c.csv").write_bytes(b"question,answer\n\xff\xfe\x00\x81\xff")
    with pytest.raises(UserError, match="UTF-8"):
        read_bench(bench_set("kmmlu"), [tmp_path / "c.csv"])


def test_figures_of_parquet_are_answers(samples, tmp_path):
    table = pa.Table.from_pylist(samples.kmmlu())
    table = table.set_column(1, "answer", pa.array([2.0, 3.0, 1.0]))
    parquet.write_table(table, tmp_path / "a.parquet")
    keys = read_bench(bench_set("kmmlu"), [tmp_path / "a.parquet"]).exam.keys
    assert [key.answer for key in keys] == ["2", "3", "1"]


WORDS = st.text("가나다라마바사 아자차카", min_size=3, max_size=20).filter(
    lambda t: len(t.split()) > 0
)


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_every_form_gives_back_what_was_written(samples, data):
    texts = data.draw(st.lists(WORDS.map(str.split), min_size=6, max_size=24, unique_by=tuple))
    stems = [f"{' '.join(words)} 가운데 옳은 것은?" for words in texts[: len(texts) // 6 + 1]]
    asked = [
        (stem, tuple(f"{number}번째 날 {n}일" for number in ("첫", "둘", "셋", "넷")),
         data.draw(st.integers(1, 4)))
        for n, stem in enumerate(stems)
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        read = []
        for name in CHOICE_FORMS:
            suffix = data.draw(st.sampled_from([".jsonl", ".json", ".parquet"]))
            rows = rows_of(samples, name, asked)
            path = samples.write_rows(Path(folder) / f"{name}{suffix}", rows)
            exam = read_bench(bench_set(name), [path]).exam
            read.append(
                [(q.question, q.options[:4], k.answer)
                 for q, k in zip(exam.questions, exam.keys, strict=True)]
            )  # fmt: skip
        wanted = [(" ".join(q.split()), o, str(a)) for q, o, a in asked]
        for found in read:
            assert [(" ".join(q.split()), o, a) for q, o, a in found] == wanted
