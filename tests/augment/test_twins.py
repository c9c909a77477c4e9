import random

import pytest

from kofinlaw.augment.generators.drafts import Draft
from kofinlaw.augment.option_choice import Item
from kofinlaw.augment.twins import changed_evidence, twin_example, twin_pair
from kofinlaw.data.prompting.wording import choice_messages
from kofinlaw.records import Choice, Example

TEXTS = (
    "결제업법 제3조(보고)\n① 결제업자는 사고가 난 날부터 7일 이내에 보고하여야 한다.",
    "결제업법 제9조\n① 결제업자는 17일이 지나면 기록을 지운다.",
)
FOCUS = "결제업자는 사고가 난 날부터"
OPTIONS = tuple(f"사고의 보고 기한은 {n}이다." for n in ("5일", "7일", "10일", "14일"))


@pytest.fixture
def item() -> Item:
    readings = tuple(
        (text, n) for text, n in zip(OPTIONS, ("5일", "7일", "10일", "14일"), strict=True)
    )
    readings = (readings[1], *readings[:1], *readings[2:])
    draft = Draft(
        "slot_figure",
        "보고에 관한 설명으로 옳은 것은?",
        OPTIONS[1],
        (),
        ("결제업법 제3조",),
        (FOCUS,),
        hard=True,
        readings=readings,
    )
    return Item(draft, OPTIONS, 1)


def test_only_the_deciding_line_changes():
    changed = changed_evidence(TEXTS, FOCUS, "7일", "10일")
    assert changed == (TEXTS[0].replace("7일 이내", "10일 이내"), TEXTS[1])


def test_an_unclear_change_gives_no_twin():
    twice = (TEXTS[0] + "\n① 결제업자는 사고가 난 날부터 7일이 아니라 7일 안에 한다.",)
    assert changed_evidence(twice, FOCUS, "7일", "10일") is None
    assert changed_evidence(TEXTS, "없는 말", "7일", "10일") is None
    assert changed_evidence(TEXTS, FOCUS, "3일", "10일") is None


def test_a_line_that_repeats_the_fact_changes_too():
    texts = (
        *TEXTS,
        "시행령 제2조\n① 결제업자는 사고가 난 날부터 7일 이내에 서면으로 보고하여야 한다.",
    )
    changed = changed_evidence(texts, FOCUS, "7일", "10일")
    assert changed is not None
    assert "10일 이내에 서면" in changed[2]


def test_a_held_out_pair_differs_in_evidence_and_answer_only(item):
    pair = twin_pair("q", item, TEXTS, random.Random(1))
    assert pair is not None
    first, second = pair
    assert (first.question, first.options) == (second.question, second.options)
    assert first.answer == "2"
    assert second.answer != "2"
    value = OPTIONS[int(second.answer) - 1].split()[-1].removesuffix("이다.")
    assert f"{value} 이내에" in second.evidence[0]
    assert (first.twin, second.twin) == (second.id, first.id)


def test_the_twin_of_an_example_shows_its_own_evidence_and_answer(item):
    messages = choice_messages(item.draft.stem, OPTIONS, TEXTS, "text")
    messages.append({"role": "assistant", "content": OPTIONS[1]})
    choice = Choice(
        question=item.draft.stem,
        options=list(OPTIONS),
        evidence=list(TEXTS),
        answer=1,
        negative=False,
        twin="",
    )
    example = Example("x", "choice_slot_figure", messages, "2", {}, [], choice)  # type: ignore[arg-type]
    twin = twin_example(example, item, "text", random.Random(2))
    assert twin is not None
    assert twin.messages[1]["content"] == OPTIONS[twin.choice["answer"]] != OPTIONS[1]
    assert all(text in twin.messages[0]["content"] for text in twin.choice["evidence"])
    assert TEXTS[0] not in twin.messages[0]["content"]
    assert twin.choice["twin"] == "x"
