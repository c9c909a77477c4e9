"""Preference pairs: which wrong answer each takes, and that `prefer` can read them."""

import json
from collections import Counter
from random import Random

import pytest

from kofinlaw.augment.preferences import differs_in_one_slot, hardest_wrong_option
from kofinlaw.augment.reading.figures import find_figures
from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.files import read_jsonl
from kofinlaw.models.engines.base import ChoiceScore, EngineStats
from kofinlaw.models.templates import built_in_template
from kofinlaw.records import Example

SETTINGS = AugmentSettings(items=60, free_share=0.3, most_by_article=20)


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run(corpus, out, settings=SETTINGS, **options):
    counts = generate_examples(settings, corpus, out, seed=7, **options)
    examples = {e.id: e for e in read_jsonl(out / "examples.jsonl", Example)}
    pairs = lines(out / "preferences.jsonl")
    assert counts.pairs == len(pairs)
    return examples, pairs


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    return run(corpus, tmp_path_factory.mktemp("augment"))


def test_a_pair_prefers_the_right_option_to_one_of_its_wrong_ones(made):
    examples, pairs = made
    choices = [p for p in pairs if p["task"].startswith("choice")]
    assert len(choices) == sum(e.task.startswith("choice") for e in examples.values()) > 30
    for pair in choices:
        choice = examples[pair["id"]].choice
        assert pair["chosen"] == choice["options"][choice["answer"]]
        assert pair["rejected"] in choice["options"]
        assert pair["rejected"] != pair["chosen"]
        assert pair["messages"] == examples[pair["id"]].messages[:-1]


def test_no_position_is_preferred_among_options_that_are_equally_similar():
    options = ["10일", "20일", "30일", "40일", "60일"]
    for answer in range(5):
        drawn = Counter(hardest_wrong_option(options, answer, Random(n)) for n in range(400))
        assert set(drawn) == set(range(5)) - {answer}
        assert min(drawn.values()) > 60


def test_the_card_counts_sources_and_lengths(corpus, tmp_path):
    _, pairs = run(corpus, tmp_path)
    figures = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))["preferences"]
    assert figures["pairs"] == len(pairs) == sum(figures["sources"].values())
    longer = sum(len(p["chosen"]) > len(p["rejected"]) for p in pairs) / len(pairs)
    assert figures["chosen_longer"] == pytest.approx(longer, abs=1e-4)


def test_a_free_text_pair_differs_in_a_figure_an_actor_or_a_meaning(made, laws):
    _, pairs = made
    free = [p for p in pairs if p["task"] == "free"]
    assert {"number", "term"} <= {p["source"] for p in free}
    for pair in free:
        assert pair["chosen"] != pair["rejected"]
        if pair["source"] == "number":
            right, wrong = find_figures(pair["chosen"]), find_figures(pair["rejected"])
            assert len(right) == len(wrong)
            assert [f.value for f in right] != [f.value for f in wrong]
        if pair["source"] != "refusal":
            bare = normalize(pair["rejected"].rpartition("(")[0])
            assert bare not in laws.sentences


def test_refusals_are_chosen_where_the_passage_is_missing_and_rejected_where_it_is_shown(
    corpus, tmp_path
):
    raft = SETTINGS.raft.model_copy(update={"gold_missing_share": 0.3, "free_missing_share": 0.3})
    examples, pairs = run(corpus, tmp_path, SETTINGS.model_copy(update={"raft": raft}))
    chosen = [p for p in pairs if p["chosen"].startswith(NO_EVIDENCE)]
    rejected = [p for p in pairs if p["rejected"].startswith(NO_EVIDENCE)]
    assert {p["task"] for p in chosen} == {"choice_gold_missing", "free_gold_missing"}
    assert all(p["source"] == "refusal" for p in rejected)
    assert not any(p["task"].endswith("gold_missing") for p in rejected)
    assert 0.4 < len(chosen) / len(rejected) < 2.5
    assert len(pairs) <= len(examples)


def test_pairs_can_be_switched_off(corpus, tmp_path):
    settings = SETTINGS.model_copy(update={"preferences": False})
    counts = generate_examples(settings, corpus, tmp_path, seed=7)
    assert not (tmp_path / "preferences.jsonl").exists()
    assert "pairs" not in counts.to_record()


class Student:
    """Prefers one option of each question: the last one by its letters."""

    def __init__(self):
        self.stats = EngineStats()

    def score(self, prompts, choices):
        return [
            [ChoiceScore(-1.0 if c == max(row) else -2.0 - len(c) / 1000, 1) for c in row]
            for row in choices
        ]

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def test_the_students_own_wrong_option_is_rejected(corpus, tmp_path):
    raft = SETTINGS.raft.model_copy(update={"gold_missing_share": 0.0})
    # The student is not asked the hard questions.
    update = {"select": "student", "free_share": 0.0, "hard_share": 0.0, "raft": raft}
    settings = SETTINGS.model_copy(update=update)
    template = built_in_template("chatml")
    examples, pairs = run(corpus, tmp_path, settings, student=lambda: (Student(), template))
    own = [p for p in pairs if p["source"] == "student"]
    assert len(own) > len(pairs) / 2
    for pair in own:
        options = examples[pair["id"]].choice["options"]
        assert pair["rejected"] == max(o for o in options if o != NO_EVIDENCE)
        assert pair["margin"] < 0
    known = [p for p in pairs if p["margin"] > 0]
    assert known  # where the student is right, its margin is positive and a distractor is taken
    assert all(p["source"] in ("one_slot", "nearest", "refusal") for p in known)


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("금융위원회는 30일 이내에 알려야 한다", "금융위원회는 60일 이내에 알려야 한다", True),
        ("금융위원회는 알려야 한다", "금융감독원장은 알려야 한다", True),
        ("30일", "60일", True),
        ("영업의 허가", "등록의 요건", False),
        ("금융위원회는 30일 이내에 알려야 한다", "협회는 60일 뒤에 알릴 수 있다", False),
    ],
)
def test_one_slot(one, two, same):
    assert differs_in_one_slot(one, two) is same


def test_the_option_in_one_slot_comes_before_any_other():
    right = "금융위원회는 그 요청을 받은 날부터 30일 이내에 알려야 한다"
    options = [
        "금융위원회는 그 요청을 받은 날부터 30일 이내에 지체 없이 다시 정하여 고시할 수 있다",
        right,
        "협회는 그 요청을 받은 날부터 30일 이내에 알려야 한다",
        "이용자",
    ]
    assert hardest_wrong_option(options, 1, Random(1)) == 2
