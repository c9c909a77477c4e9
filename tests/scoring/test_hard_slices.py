"""Hard and look-up questions apart, each with its own best solver."""

from dataclasses import replace

from kofinlaw.records import Answer, Key, Question
from kofinlaw.scoring.answers import AnswerSheet
from kofinlaw.scoring.hard_slices import sort_records
from kofinlaw.scoring.settings import ScoreSettings
from kofinlaw.scoring.stats.baselines import choice_baselines
from kofinlaw.scoring.system_scores import score_system

SETTINGS = ScoreSettings(embedder=None, bootstrap_samples=200)


def scored(hard, look_up):
    """The longest option is right on look-up questions only; the system the other way round."""
    questions, keys, answers = [], [], {}
    for i in range(hard + look_up):
        is_hard = i < hard
        options = [f"가{i}", f"나{i}", f"다{i}"]
        options.insert(i % 4, f"아주 긴 보기{i}")
        answer = str((i % 4 + is_hard) % 4 + 1)
        questions.append(Question(f"q{i}", f"옳은 것은? {i}", tuple(options)))
        keys.append(Key(f"q{i}", answer, slices=("hard" if is_hard else "look_up",)))
        answers[f"q{i}"] = Answer(f"q{i}", answer if is_hard else str((i + 2) % 4 + 1), (), 0.5, 10)
    sheet = AnswerSheet(answers, ())
    one = score_system(questions, keys, sheet, settings=SETTINGS, system="base", seed=1)
    keyed = {key.id: key for key in keys}
    found = choice_baselines(questions, keyed, [], settings=SETTINGS, seed=1)
    return one, found, keyed


def test_each_sort_has_its_own_figures_and_best_solver():
    one, baselines, keys = scored(30, 12)
    records = sort_records([one], baselines, keys, settings=SETTINGS, seed=1)
    assert (records["hard"]["n"], records["look_up"]["n"]) == (30, 12)
    assert records["hard"]["systems"]["base"]["value"] == 1
    assert records["look_up"]["systems"]["base"]["value"] == 0
    best = records["look_up"]["best"]["base"]
    assert (best["baseline"], best["only_baseline"], best["n"]) == ("longest", 12, 12)
    assert records["hard"]["best"]["base"]["baseline"] != "longest"
    assert records["hard"]["best"]["base"]["p_value"] < 0.05


def test_without_sorts_there_is_nothing():
    one, baselines, keys = scored(3, 2)
    plain = {name: replace(key, slices=()) for name, key in keys.items()}
    assert sort_records([one], baselines, plain, settings=SETTINGS, seed=1) == {}
