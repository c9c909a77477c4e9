"""The CSV forms of the benchmark and the contest, with and without ids."""

import pytest

from kofinlaw import UserError
from kofinlaw.records import Key, Question
from kofinlaw.scoring.answers import read_answers
from kofinlaw.scoring.benchmark import keywords_of, read_asked, read_key
from kofinlaw.scoring.score import score_answers
from kofinlaw.scoring.settings import ScoreSettings

CHOICE = (
    'Domain,Sub_domain,Question,Answer\n'
    '금융보안,전자금융,"접근매체가 아닌 것은?\n1 전자식 카드\n2 주민등록증\n3 생체정보\n4 비밀번호",2\n'
    '금융보안,개인정보,"보존 기간은?\n1 1년\n2 3년\n3 5년\n4 10년",3.0\n'
)  # fmt: skip

FREE = 'Question,Answer,Keyword\n사고 보고 기한은?,안 날부터 10일 이내에 보고한다.,"안 날, 10일"\n'


def write(path, text, encoding="utf-8-sig"):
    path.write_bytes(text.encode(encoding))
    return path


def test_multiple_choice_without_ids_is_named_by_row_and_domains_are_slices(tmp_path):
    path = write(tmp_path / "mc.csv", CHOICE)
    asked = read_asked(path)
    assert asked[0] == Question(
        "row-0001", "접근매체가 아닌 것은?", ("전자식 카드", "주민등록증", "생체정보", "비밀번호")
    )
    assert read_key(path, asked)[1] == Key(
        "row-0002", answer="3", slices=("domain:금융보안", "sub_domain:개인정보")
    )


def test_free_text_has_reference_and_keywords(tmp_path):
    path = write(tmp_path / "free.csv", FREE, "cp949")
    assert read_key(path, read_asked(path)) == [
        Key("row-0001", reference="안 날부터 10일 이내에 보고한다.", keywords=("안 날", "10일"))
    ]


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("['가', \"나 다\"]", ("가", "나 다")),
        ("가;나|다", ("가", "나", "다")),
        ("가, 가", ("가",)),
        ("", ()),
    ],
)
def test_keywords_come_in_any_separator(cell, words):
    assert keywords_of(cell) == words


def test_a_benchmark_file_and_answers_without_ids_score_together(tmp_path):
    both = write(tmp_path / "mc.csv", CHOICE)
    answers = write(tmp_path / "answers.csv", "Answer\n2\n4\n")
    score_answers(
        both, both, {"plain": answers}, None, tmp_path / "out",
        settings=ScoreSettings(embedder=None, bootstrap_samples=100),
    )  # fmt: skip
    text = (tmp_path / "out/scores.json").read_text(encoding="utf-8")
    assert '"domain:금융보안"' in text
    items = (tmp_path / "out/items.jsonl").read_text(encoding="utf-8").splitlines()
    assert [line.count('"score": 1.0') or line.count('"score":1.0') for line in items] == [1, 0]


def test_the_contests_files_keep_their_ids(tmp_path):
    questions = write(tmp_path / "test.csv", 'ID,Question\nTEST_000,"옳은 것은?\n1 가\n2 나"\n')
    key = write(tmp_path / "key.csv", "ID,Answer\nTEST_000,나\n")
    asked = read_asked(questions)
    assert read_key(key, asked) == [Key("TEST_000", answer="2")]
    assert (
        read_answers(write(tmp_path / "a.csv", "ID,Answer\nTEST_000,2\n"))
        .answers["TEST_000"]
        .answer
        == "2"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Domain,Question\n금융,기한은?\n", "needs the column `Answer`"),
        ("Answer\n1\n2\n", "2 answers without ids for 1 questions"),
        ("Question,Answer\n,1\n", "question is empty"),
        ("Question,Answer\n", "no rows"),
        ("ID,Question,Answer\nA,기한은?,1\nA,금액은?,2\n", "share the id A"),
    ],
)
def test_files_that_do_not_fit_are_refused_with_their_place(tmp_path, text, message):
    path = write(tmp_path / "key.csv", text)
    with pytest.raises(UserError, match=message) as caught:
        read_key(path, [Question("Q1", "기한은?")])
    assert "key.csv" in str(caught.value)
