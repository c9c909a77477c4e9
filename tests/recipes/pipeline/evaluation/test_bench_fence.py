"""The fence that a measured evaluation set leaves in a run."""

from kofinlaw.recipes.pipeline.evaluation.bench_fence import (
    copies_between,
    fence_texts,
    fenced_texts,
    write_fence,
)
from kofinlaw.records import Key, Question


def test_a_question_is_fenced_with_its_options_and_with_its_answer(tmp_path):
    questions = [Question("a", "기한은?", ("1일", "3일")), Question("b", "누가 하는가?")]
    keys = [Key("a", answer="1,2"), Key("b", reference="은행장이 한다.")]
    texts = fence_texts(questions, keys)
    assert texts == [
        "기한은?\n1일\n3일", "누가 하는가?", "기한은?\n1일", "기한은?\n3일",
        "누가 하는가?\n은행장이 한다.",
    ]  # fmt: skip
    write_fence(tmp_path / "bench" / "kmmlu" / "Law", texts, [("Law.csv", "ab")])
    write_fence(tmp_path / "bench" / "kbl" / "civil", texts[:1], [("civil.json", "cd")])
    assert fenced_texts(tmp_path) == [texts[0], *texts]
    assert fenced_texts(tmp_path / "none") == []


def test_near_copies_name_the_question_the_file_and_the_line():
    texts = ["연체이자는 언제부터 붙는가?\n만기일\n만기일의 다음 날\n통지한 날\n약정한 날"]
    others = [("other.jsonl", 4, "금고 열쇠는 누가 맡는가?"), ("other.jsonl", 7, texts[0])]
    assert copies_between(["a"], texts, others) == [
        {"question": "a", "file": "other.jsonl", "line": 7, "share": 1.0}
    ]
