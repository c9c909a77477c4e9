"""Prompts: the text of training, rotated options, and what is cut when it does not fit."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from worlds import World, rows

from kofinlaw.data.prompting.contrast import contrast_messages, contrast_text
from kofinlaw.data.prompting.wording import choice_messages
from kofinlaw.models.templates import ChatTemplate
from kofinlaw.rag.answer.deadline import FULL, PLANS
from kofinlaw.rag.answer.prompts import Prompter
from kofinlaw.rag.answer_settings import AnswerSettings
from kofinlaw.records import Question


def test_a_free_answer_may_open_with_the_questions_subject(tmp_path: Path, few: Path) -> None:
    World().answer(few, tmp_path / "out", free_opening=True)
    free = [row for row in rows(tmp_path / "out/answers.jsonl") if row["id"][0] == "F"]
    assert all(row["answer"].startswith("금융회사의 배상책임 ") for row in free)


TEMPLATE = ChatTemplate(
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}",
    eos="<end>",
)


def prompter(context: int = 4096, **values: object) -> Prompter:
    settings = AnswerSettings(context_tokens=context, free_max_tokens=8, **values)  # type: ignore[arg-type]
    return Prompter(TEMPLATE, settings, 200, len)


def test_the_prompt_is_the_one_training_builds() -> None:
    passage = SimpleNamespace(text="전자금융거래법 제9조\n금융회사가 배상한다.")
    question = Question("q", "누가 배상하나?", ("이용자", "금융회사"))
    prompt = prompter(answer_form="label").build(question, [passage], FULL)  # type: ignore[list-item]
    expected = TEMPLATE.render(
        choice_messages(question.question, question.options, [passage.text]),
        add_generation_prompt=True,
    )
    assert prompt.text == expected
    assert (prompt.choices, prompt.order, prompt.shown, prompt.cut) == (
        ("1", "2"),
        (0, 1),
        1,
        False,
    )


def test_decoding_by_contrast_lists_no_options_and_has_a_prompt_without_evidence() -> None:
    passage = SimpleNamespace(text="전자금융거래법 제9조\n금융회사가 배상한다.")
    options = ("이용자", "금융회사")
    values = {"choose_by": "generate", "answer_form": "label"}
    asked = prompter(contrast_decoding=0.5, **values)
    alone = contrast_text(TEMPLATE, contrast_messages("누가 배상하나?"))
    for plan in (FULL, PLANS[-1]):
        prompt = asked.build(Question("q", "누가 배상하나?", options), [passage], plan)  # type: ignore[list-item]
        evidence = [passage.text] if plan is FULL else []
        expected = contrast_text(TEMPLATE, contrast_messages("누가 배상하나?", evidence))
        assert (prompt.text, prompt.choices) == (expected, options)
        assert (prompt.reference, prompt.reference_weight) == (alone, 0.5)
    plain = prompter(contrast_decoding=1.0, contrast_form="plain", **values)
    prompt = plain.build(Question("q", "누가 배상하나?", options), [], FULL)
    assert prompt.choices == (" 이용자", " 금융회사")
    assert prompt.reference == "[문제] 누가 배상하나?\n정답:"
    stem = "배상에 관하여 옳지 않은 것은?"
    prompt = asked.build(Question("q", stem, options), [passage], FULL)  # type: ignore[list-item]
    assert prompt.text == contrast_text(TEMPLATE, contrast_messages(stem))
    assert prompt.reference == contrast_text(TEMPLATE, contrast_messages(stem, [passage.text]))
    assert (prompt.reference_weight, prompt.evidence) == (2.0, (passage.text,))
    off = prompter(**values)
    free = Question("q", "누가 배상하나?")
    assert asked.build(free, [], FULL) == off.build(free, [], FULL)
    assert off.build(Question("q", "누가 배상하나?", options), [], FULL).reference == ""


def test_a_turn_rotates_the_options_and_remembers_which_is_which() -> None:
    question = Question("q", "무엇?", ("가", "나", "다"))
    prompt = prompter(answer_form="text", permutations=3).build(question, [], FULL, 1)
    assert (prompt.choices, prompt.order) == (("나", "다", "가"), (1, 2, 0))
    assert "1 나\n2 다\n3 가" in prompt.text
    assert prompter(answer_form="text").build(question, [], PLANS[-1], 1).choices == ("1", "2", "3")


def test_what_does_not_fit_loses_evidence_then_its_middle() -> None:
    passages = [SimpleNamespace(text=f"제{i}조\n" + "금융회사의 책임이다.\n" * 8) for i in range(3)]
    question = Question("q", "짧은 물음?", ("가", "나"))
    prompt = prompter(180).build(question, passages, FULL)  # type: ignore[arg-type]
    assert prompt.tokens <= 180
    assert not prompt.cut
    assert len(prompt.evidence) == prompt.shown > 0
    assert all(text in prompt.text for text in prompt.evidence)
    long = Question("q", "처음" + "가나다라" * 500 + "끝은?", ("가", "나"))
    prompt = prompter(300).build(long, passages, FULL)  # type: ignore[arg-type]
    assert prompt.tokens <= 300
    assert prompt.cut
    assert "처음" in prompt.text
    assert "끝은?" in prompt.text
