from kofinlaw.augment.evidence_free import evidence_free_credits
from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.option_choice import Item


def item(act: str, number: int, answer: int, right: str) -> Item:
    options = [f"보기 {number} 가운데 {n}번은 금지된다" for n in range(4)]
    options[answer] = f"보기 {number} 가운데 {answer}번은 {right}"
    draft = Draft(
        "slot_duty", f"문제 {number}", options[answer], (), (act,), (), document=act, hard=True
    )
    return Item(draft, tuple(options), answer)


def test_an_ending_that_only_keys_have_is_learned_from_other_acts():
    items = [item(f"법{n % 7}", n, n % 4, "의무가 있다") for n in range(60)]
    assert sum(evidence_free_credits(items)) / len(items) > 0.9


def test_one_act_teaches_nothing_about_itself():
    items = [item("법", n, n % 4, "의무가 있다") for n in range(20)]
    assert evidence_free_credits(items) == [0.25] * 20
