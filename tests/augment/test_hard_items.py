import random

from kofinlaw.augment.balance import SMALLEST, TOLERANCE
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.hard_items import (
    SMALL_KINDS,
    ShownItem,
    balance_table,
    centre_scores,
    solver_credits,
    take_hard,
)
from kofinlaw.augment.option_choice import Item

WORDS = ("하나", "둘이", "셋은", "넷도")


def shown(kind: str, number: int, *, leaks: bool) -> ShownItem:
    """Return a question whose key the text holds (`leaks`), or whose options are all in it."""
    answer = number % 4
    options = tuple(f"{word} {number}항" for word in WORDS)
    text = options[answer] if leaks else " ".join(options)
    draft = Draft(
        kind, f"{number} 옳은 것은?", options[answer], (), ("법 제1조",), (), document="법"
    )
    return ShownItem(Item(draft, options, answer), (text,))


def test_a_kind_that_the_text_gives_away_is_look_up_and_another_is_hard():
    pool = [shown("leaky", n, leaks=True) for n in range(60)]
    pool += [shown("fair", n, leaks=False) for n in range(60, 120)]
    found = take_hard(pool, 80, {"leaky": 1, "fair": 1}, random.Random(1))
    assert not found.figures["leaky"]["hard"]
    assert found.figures["fair"]["hard"]
    assert found.figures["fair"]["items"] >= SMALLEST
    assert found.figures["leaky"]["before"]["look_up"] == 1.0
    for credit in found.figures["fair"]["after"].values():
        assert abs(credit - 0.25) <= TOLERANCE
    assert {i.hard for i in found.items if i.draft.kind == "fair"} == {True}
    assert {i.hard for i in found.items if i.draft.kind == "leaky"} == {False}
    assert "look-up" in "\n".join(balance_table({"train": found.figures}))


def test_small_kinds_are_balanced_together():
    pool = [shown(f"kind{n % 3}", n, leaks=False) for n in range(48)]
    found = take_hard(pool, 40, {f"kind{n}": 1 for n in range(3)}, random.Random(1))
    assert list(found.figures) == [SMALL_KINDS]
    assert found.figures[SMALL_KINDS]["hard"]


def test_the_solvers_report_their_progress_from_the_first_item_to_the_last():
    pool = [shown("fair", n, leaks=False) for n in range(201)]
    calls = []
    solver_credits(pool, lambda *call, **_: calls.append(call))
    assert calls == [("augment: solvers", done, 201) for done in (0, 200, 201)]


def test_the_option_between_the_others_is_the_centre():
    scores = centre_scores(["가나 다라 마바", "가나 다라 사아", "자차 다라 마바", "가나 카타 마바"])
    assert scores[0] == max(scores)
    assert scores.count(scores[0]) == 1


def test_an_empty_pool_gives_nothing():
    assert take_hard([], 10, {}, random.Random(1)).items == []
