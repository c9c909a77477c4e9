"""What examples ask for: forms by weight, reasons with citations, verdicts, system prompts."""

import re
from collections import Counter
from random import Random

import pytest

from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.augment.targets.target_forms import draw_form
from kofinlaw.data.prompting.wording import (
    CITING_RULE,
    NO_EVIDENCE,
    REASONED_CUE,
    SYSTEM_PROMPT,
    VERDICTS,
    choice_messages,
)
from kofinlaw.files import read_jsonl
from kofinlaw.records import Example

SETTINGS = AugmentSettings(items=80, free_share=0.1, most_by_article=30, hard_share=0.0)
MIXED = {"text": 1.0, "label": 1.0, "reasoned": 2.0, "verification": 2.0}


def run(corpus, out, **changes):
    generate_examples(SETTINGS.model_copy(update=changes), corpus, out, seed=7)
    return list(read_jsonl(out / "examples.jsonl", Example))


@pytest.fixture(scope="module")
def mixed(corpus, tmp_path_factory):
    return run(corpus, tmp_path_factory.mktemp("mixed"), target_forms=MIXED)


def reasoned(examples):
    return [e for e in examples if REASONED_CUE in e.messages[-1]["content"]]


def test_a_reason_quotes_the_law_and_cites_the_passage_that_shows_it(mixed):
    found = reasoned(mixed)
    assert len(found) > 8
    for example in found:
        choice, reply = example.choice, example.messages[-1]["content"]
        reason, right = reply.split(REASONED_CUE)
        assert right == choice["options"][choice["answer"]]
        asked = choice_messages(
            choice["question"], choice["options"], choice["evidence"], "text", reasoning=True
        )
        assert example.messages[:-1] == asked
        assert CITING_RULE in asked[0]["content"]
        cited = re.findall(r'\[(\d+)\] (\S+): "(.*?)"\.(?: |$)', reason)
        assert cited
        for number, citation, quote in cited:
            passage = choice["evidence"][int(number) - 1]
            assert f"[{number}] {passage}" in asked[0]["content"]
            article = re.match(r"제\d+조(?:의\d+)?", citation)[0]
            assert article in passage.split("\n")[0]
            assert normalize(quote)[:20] in normalize(passage)


def test_verdicts_are_balanced_and_true_by_the_evidence(corpus, tmp_path, laws):
    examples = run(
        corpus,
        tmp_path,
        target_forms={"verification": 1.0},
        generators={"statement_false": 1.0},
        negative_share=0,
        numeric_share=0,
    )
    verified = [e for e in examples if e.task == "verification"]
    assert {e.answer_key for e in verified} == set(VERDICTS)
    for example in verified:
        shown, statement = example.messages[0]["content"].split("[설명] ")
        statement = normalize(statement.split("\n")[0])
        if example.answer_key == VERDICTS[0]:
            assert statement in laws.sentences
            assert statement in normalize(shown)
        if example.answer_key == VERDICTS[1]:
            assert statement not in laws.sentences
        if example.answer_key == VERDICTS[2]:
            assert statement not in normalize(shown)


def test_labels_and_texts_are_mixed_by_weight(corpus, tmp_path):
    examples = run(corpus, tmp_path, target_forms={"text": 1.0, "label": 1.0})
    replies = Counter(
        e.messages[-1]["content"] == e.answer_key for e in examples if e.choice["answer"] >= 0
    )
    assert min(replies.values()) > 0.25 * sum(replies.values())


def test_without_forms_the_answer_form_decides(corpus, tmp_path):
    for example in run(corpus, tmp_path):
        if example.choice["answer"] >= 0:
            right = example.choice["options"][example.choice["answer"]]
            assert example.messages[-1]["content"] == right


def test_shares_of_system_prompts_and_of_examples_without_evidence(corpus, tmp_path):
    examples = run(corpus, tmp_path, system_share=0.5, closed_book_share=0.3)
    system = [e for e in examples if e.messages[0]["role"] == "system"]
    closed = [e for e in examples if not e.provenance["chunks"]]
    assert 0.3 < len(system) / len(examples) < 0.7
    assert all(e.messages[0]["content"] == SYSTEM_PROMPT for e in system)
    assert all([m["role"] for m in e.messages[-2:]] == ["user", "assistant"] for e in examples)
    assert 0.15 < len(closed) / len(examples) < 0.45
    for example in closed:
        text = "".join(m["content"] for m in example.messages)
        assert "[참고 조문]" not in text
        assert NO_EVIDENCE not in text


def test_a_form_is_drawn_only_if_it_is_possible():
    rng = Random(1)
    assert {draw_form(MIXED, ("text",), rng) for _ in range(20)} == {"text"}
    assert draw_form({"reasoned": 1.0}, ("text", "label"), rng) is None
    drawn = Counter(draw_form(MIXED, tuple(MIXED), rng) for _ in range(600))
    assert 120 < drawn["reasoned"] < 280
    assert 50 < drawn["label"] < 150
