from kofinlaw.records import Key, Question
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.baselines import Evidence
from kofinlaw.scoring.stats.free_baselines import (
    baseline_answers,
    is_free_baseline,
    score_free_baselines,
)

QUESTION = Question("F1", "지급업자는 오류를 안 날부터 며칠 이내에 보고하여야 하는가?")
KEY = Key("F1", reference="지급업자는 오류를 안 날부터 10일 이내에 보고하여야 한다.")
SENTENCE = "지급업자는 오류를 안 날부터 10일 이내에 감독위원회에 보고하여야 한다."
PASSAGE = f"제4조(확인)\n지급업자는 거래기록을 5년간 보존하여야 한다.\n{SENTENCE}"


class Constant:
    """An embedder for which all texts are equal: only keywords distinguish answers."""

    name, dimensions = "constant", 1

    def encode_queries(self, texts):
        import numpy as np

        return np.ones((len(texts), 1), dtype=np.float32)


def test_the_question_given_back_and_the_nearest_sentence():
    shown = [Evidence(("base-rag", "trained-rag"), "shown", {"F1": (PASSAGE,)})]
    answers = baseline_answers([QUESTION], shown)
    assert answers == {"echo": {"F1": QUESTION.question}, "sentence": {"F1": SENTENCE}}
    contest, facts = score_free_baselines(
        [QUESTION],
        {"F1": KEY},
        shown,
        settings=ScoreSettings(),
        embedder=Constant(),
        seed=1,
    )
    assert {name: figure.value for name, figure in facts.items()} == {"echo": 0, "sentence": 1}
    assert contest["echo"].value == 1  # the contest's score cannot tell them apart
    without, _ = score_free_baselines(
        [QUESTION], {"F1": KEY}, shown, settings=ScoreSettings(), embedder=None, seed=1
    )
    assert without == {}


def test_systems_with_other_evidence_have_their_own_sentence():
    shown = [
        Evidence(("base-rag",), "shown", {"F1": (PASSAGE,)}),
        Evidence(("trained-rag",), "shown", {"F1": (SENTENCE,)}),
    ]
    assert set(baseline_answers([QUESTION], shown)) == {
        "echo",
        "sentence:base-rag",
        "sentence:trained-rag",
    }
    assert is_free_baseline("sentence:base-rag")
    assert not is_free_baseline("overlap:base-rag")
    choice = Question("Q", "?", ("가", "나"))
    none = score_free_baselines(
        [choice], {"Q": Key("Q", "1")}, [], settings=ScoreSettings(), embedder=None, seed=1
    )
    assert none == ({}, {})
