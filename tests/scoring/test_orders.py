"""Permuted options compared with the plain order."""

from kofinlaw.files import write_jsonl
from kofinlaw.records import Key, Question
from kofinlaw.scoring.orders import order_figures, read_option_scores
from kofinlaw.scoring.settings import ScoreSettings

QUESTIONS = [Question(f"Q{i}", "옳은 것은?", ("가", "나")) for i in (1, 2, 3)]

GOLDS = {"Q1": Key("Q1", answer="1"), "Q2": Key("Q2", answer="1"), "Q3": Key("Q3", answer="2")}


def turn(name, number, *scores, text=""):
    return {"id": name, "turn": number, "scores": list(scores), "text": text, "shown": 2}


def test_the_plain_order_is_compared_with_the_others_and_their_mean(tmp_path):
    write_jsonl(
        tmp_path / "plan.jsonl",
        [
            turn("Q1", 0, 0.6, 0.4), turn("Q1", 1, 0.9, 0.1),  # the same option twice: right
            turn("Q2", 0, 0.4, 0.6), turn("Q2", 1, 0.9, 0.1),  # the position decides; the mean is right
            turn("Q3", 0, 0.3, 0.7),  # asked in one order: not counted
        ],
    )  # fmt: skip
    found = order_figures(
        read_option_scores(tmp_path), QUESTIONS, GOLDS, ScoreSettings(bootstrap_samples=100)
    )
    assert (found["n"], found["orders"]) == (2, 2)
    assert found["plain"]["value"] == 0.5
    assert found["permuted"]["value"] == 1
    assert found["averaged"]["value"] == 1
    assert found["consistent"]["value"] == 0.5
    assert found["by_chance"] == 0.5
    assert (found["gained"], found["lost"]) == (1, 0)


def test_written_turns_are_no_permutation_and_without_a_plan_there_is_no_figure(tmp_path):
    write_jsonl(
        tmp_path / "plan.jsonl", [turn("Q1", 0, 0.6, 0.4), turn("Q1", 1, 0.1, 0.9, text="나")]
    )
    settings = ScoreSettings()
    assert order_figures(read_option_scores(tmp_path), QUESTIONS, GOLDS, settings) is None
    assert order_figures(read_option_scores(tmp_path / "none"), QUESTIONS, GOLDS, settings) is None
