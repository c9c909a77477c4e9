"""The scores of one system."""

from dataclasses import replace

import pytest

from kofinlaw import UserError
from kofinlaw.records import Answer, Chunk, Key, Question
from kofinlaw.scoring.answers import read_answers
from kofinlaw.scoring.system_scores import score_system

CHOICE = [Question(f"q{i}", "다음 중 옳은 것은?", ("가", "나", "다", "라")) for i in range(1, 5)]

CHOICE_KEY = [Key(f"q{i}", answer=str(i), units=(f"법 제{i}조",)) for i in range(1, 5)]

FREE = Question("f1", "통지 기한을 설명하시오.")

FREE_KEY = Key("f1", reference="7일 이내에 통지한다.", keywords=("7일", "통지"))


def answer(name, text, evidence=(), **more):
    return Answer(name, text, tuple(evidence), **{"confidence": 0.5, "tokens": 1, **more})


def test_missing_doubled_foreign_and_unreadable_answers_are_counted_and_named(settings, embedder):
    given = [
        answer("q1", "1"),
        answer("q2", "2일 이내"),
        answer("q3", "3"),
        answer("q3", "1"),
        answer("zz", "1"),
    ]
    scores = score_system(
        [*CHOICE, FREE], [*CHOICE_KEY, FREE_KEY], given, settings=settings, embedder=embedder
    )
    assert scores.choice.value == 0.5
    assert scores.choice.n == 4
    assert scores.missing == ("q4", "f1")
    assert scores.duplicates == ("q3",)
    assert scores.foreign == ("zz",)
    assert scores.unreadable == ("q2",)
    assert scores.free.value == 0.0


def test_a_perfect_system_scores_one(settings, embedder):
    given = [answer(k.id, k.answer) for k in CHOICE_KEY] + [answer("f1", FREE_KEY.reference)]
    scores = score_system(
        [*CHOICE, FREE], [*CHOICE_KEY, FREE_KEY], given, settings=settings, embedder=embedder
    )
    assert scores.choice.value == 1.0
    assert scores.free.value == pytest.approx(1.0)
    assert scores.blend.value == pytest.approx(1.0)
    assert scores.text["rougeL"] == pytest.approx(1.0)


def test_refusals_and_fallbacks_are_counted(settings):
    given = [answer("q1", "1", origin="fallback"), answer("f1", "없습니다.", origin="abstention")]
    scores = score_system([*CHOICE, FREE], [*CHOICE_KEY, FREE_KEY], given, settings=settings)
    assert (scores.fallbacks, scores.abstained) == (1, 1)


def test_without_an_embedder_there_is_keyword_recall_but_no_free_score(settings):
    scores = score_system(
        [*CHOICE, FREE], [*CHOICE_KEY, FREE_KEY], [answer("f1", "통지한다")], settings=settings
    )
    assert scores.free is None
    assert scores.blend is None
    assert scores.keywords.value == 0.5


def test_a_megabyte_of_answer_is_scored_and_cut(settings, embedder):
    text = "<script>alert(1)</script>" + "통지 " * 350_000 + "7일"
    scores = score_system(
        [FREE], [FREE_KEY], [answer("f1", text)], settings=settings, embedder=embedder
    )
    item = scores.items[0]
    assert item.keywords == 1.0  # keywords are looked for in all of it
    assert len(item.answer) == settings.scored_characters
    assert item.answer_length == len(text)


def test_a_nan_confidence_and_tokens_are_absent(tmp_path, settings):
    path = tmp_path / "answers.jsonl"
    path.write_text(
        '{"id": "q1", "answer": 1, "confidence": NaN, "tokens": null, "evidence": null}\n{"id": "q2", "answer": null}\n{"id": "q3", "answer": NaN}\n'
    )
    scores = score_system(CHOICE, CHOICE_KEY, read_answers(path), settings=settings)
    assert scores.choice.value == 0.25
    assert scores.missing == ("q2", "q3", "q4")
    assert scores.items[0].confidence is None


@pytest.mark.parametrize(
    ("questions", "keys", "message"),
    [
        ([CHOICE[0], CHOICE[0]], CHOICE_KEY, "two questions"),
        (CHOICE, [CHOICE_KEY[0]] * 2, "two keys"),
        (CHOICE, [Key("q1", answer="7")], "none of 1..4"),
        ([FREE], [Key("f1")], "needs a reference"),
        (CHOICE, [Key("other", answer="1")], "no question has a key"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(settings, questions, keys, message):
    with pytest.raises(UserError, match=message):
        score_system(questions, keys, [], settings=settings)


def test_only_the_recorded_text_supports_a_claim(settings):
    text = "전자금융거래법 제9조\n① 7일 이내에 통지한다.\n② 30일 이내에 보상한다."
    chunk = Chunk(
        "a", "a", "전자금융거래법", "statute", "", "전자금융거래법 제9조", text, "", "", "", ""
    )

    def scored(texts):
        return score_system(
            [FREE],
            [FREE_KEY],
            [answer("f1", "30일 이내에 보상한다.", ["a"])],
            settings=settings,
            passages={"a": chunk},
            shown={"f1": ("a",)},
            texts=texts,
        ).grounding

    assert scored({})["grounded"] == 1
    cut = "전자금융거래법 제9조\n① 7일 이내에 통지한다."
    assert (scored({"f1": (cut,)})["claims"], scored({"f1": (cut,)})["grounded"]) == (1, 0)


def test_passage_numbers_in_answers_and_reasons_are_scored(settings):
    shown = {question.id: ("a", "b") for question in [*CHOICE, FREE]}
    unit_of = {"a": "다른 법 제1조", "b": "전자금융거래법 제9조"}
    golds = [replace(key, units=("전자금융거래법 제9조",)) for key in [*CHOICE_KEY, FREE_KEY]]

    def scored(text, reasons):
        return score_system(
            [*CHOICE, FREE],
            golds,
            [answer("f1", text, ["a", "b"])],
            settings=settings,
            shown=shown,
            unit_of=unit_of,
            reasons=reasons,
        ).citations

    assert scored("30일 이내에 보상한다.", {}) is None
    found = scored("[2] 30일 이내에 보상한다.", {"q1": "[1] 제1조와 [7]"})
    assert (found["citations"], found["right"], found["unknown"]) == (3, 1, 1)
