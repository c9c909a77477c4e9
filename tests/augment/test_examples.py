"""Evidence and replies of the training examples."""

import pytest

from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.files import read_jsonl
from kofinlaw.records import Example

SETTINGS = AugmentSettings(
    items=60, holdout_documents=("금융분쟁 조정법",), holdout_items=20, most_by_article=20
)


def run(corpus, out, settings=SETTINGS, **options):
    return generate_examples(settings, corpus, out, seed=7, **options)


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("augment")
    return out, run(corpus, out)


def examples_of(out):
    return list(read_jsonl(out / "examples.jsonl", Example))


def test_the_answer_stands_among_the_options_as_text(made):
    for example in examples_of(made[0]):
        if not example.task.startswith("choice"):
            continue
        body = example.messages[0]["content"].split("[문제]")[-1]
        assert f"\n{example.answer_key} {example.messages[1]['content']}\n" in body


def test_label_form_answers_with_the_digit(corpus, tmp_path):
    run(corpus, tmp_path, SETTINGS.model_copy(update={"answer_form": "label"}))
    for example in examples_of(tmp_path):
        if example.task.startswith("choice"):
            assert example.messages[1]["content"] == example.answer_key


def test_the_deciding_article_is_shown_unless_it_is_missing_on_purpose(made, acts):
    texts = {a.id: a for a in acts}
    for example in examples_of(made[0]):
        gold_missing = example.task.endswith("gold_missing")
        if gold_missing:
            assert example.messages[1]["content"].startswith(NO_EVIDENCE)
            continue
        if example.task == "choice_quantity":
            shown = example.messages[0]["content"].split("[문제]")[0]
            assert normalize(example.messages[1]["content"]) in normalize(shown)
    assert texts


def test_gold_missing_examples_answer_that_nothing_is_found(corpus, tmp_path):
    raft = SETTINGS.raft.model_copy(update={"gold_missing_share": 0.5})
    run(corpus, tmp_path, SETTINGS.model_copy(update={"raft": raft}))
    missing = [e for e in examples_of(tmp_path) if e.task == "choice_gold_missing"]
    decoys = [
        e
        for e in examples_of(tmp_path)
        if e.task.startswith("choice")
        and e not in missing
        and NO_EVIDENCE in e.messages[0]["content"]
    ]
    assert missing
    assert decoys
    assert all(e.messages[1]["content"] == NO_EVIDENCE for e in missing)
    assert all(e.messages[1]["content"] != NO_EVIDENCE for e in decoys)


def test_free_questions_without_their_article_say_what_is_missing(corpus, tmp_path):
    raft = SETTINGS.raft.model_copy(update={"free_missing_share": 0.5, "gold_missing_share": 0.0})
    wanted = SETTINGS.model_copy(update={"raft": raft, "free_share": 0.3})
    run(corpus, tmp_path, wanted)
    examples = examples_of(tmp_path)
    missing = [e for e in examples if e.task == "free_gold_missing"]
    assert len(missing) > 2
    assert not any(e.task == "choice_gold_missing" for e in examples)
    for example in missing:
        reply = example.messages[1]["content"]
        title = reply.split("「")[1].split("」")[0]
        assert reply.startswith(NO_EVIDENCE)
        assert reply.endswith("규정이 제시되어야 합니다.")
        assert f"「{title}」" in example.messages[0]["content"].split("[문제]")[-1]


def test_evidence_keeps_to_its_tokens(corpus, tmp_path):
    raft = SETTINGS.raft.model_copy(update={"max_evidence_tokens": 60})

    def count(text):
        return len(text.split())

    run(corpus, tmp_path, SETTINGS.model_copy(update={"raft": raft}), count_tokens=count)
    for example in examples_of(tmp_path):
        shown = example.messages[0]["content"].split("[문제]")[0].split("[질문]")[0]
        assert count(shown) <= 80


FREE = SETTINGS.model_copy(update={"free_share": 0.5})


def free_of(out):
    return [e for e in examples_of(out) if e.task == "free"]


def test_a_free_text_example_shows_the_line_that_decides(corpus, tmp_path):
    def count(text):
        return len(text.split())

    raft = SETTINGS.raft.model_copy(update={"max_evidence_tokens": 14, "gold_missing_share": 0})
    run(corpus, tmp_path, FREE.model_copy(update={"raft": raft}), count_tokens=count)
    assert free_of(tmp_path)
    for example in free_of(tmp_path):
        shown = normalize(example.messages[0]["content"].split("[질문]")[0])
        reply = example.messages[1]["content"].rpartition("(")[0]
        assert normalize(reply)[-24:-8] in shown


def test_an_example_without_evidence_names_no_chunk(corpus, tmp_path):
    run(corpus, tmp_path, FREE.model_copy(update={"shown_evidence": False}))
    assert free_of(tmp_path)
    assert all(e.provenance["chunks"] == [] for e in examples_of(tmp_path))


def test_varied_questions_keep_their_options_and_answers(corpus, tmp_path):
    plain = AugmentSettings(
        items=20, free_share=0, most_by_article=50, negative_share=0, numeric_share=0
    )
    generate_examples(plain, corpus, tmp_path / "plain", seed=7)
    generate_examples(
        plain.model_copy(update={"surface_share": 1.0}), corpus, tmp_path / "varied", seed=7
    )
    one, other = (
        {e.id: e for e in read_jsonl(tmp_path / name / "examples.jsonl", Example)}
        for name in ("plain", "varied")
    )
    assert one.keys() == other.keys()
    changed = [n for n in one if one[n].messages[0] != other[n].messages[0]]
    assert len(changed) > len(one) / 2
    for name in changed:
        assert one[name].messages[1] == other[name].messages[1]
        options = one[name].messages[0]["content"].split("[문제]")[1].split("\n")[1:]
        assert other[name].messages[0]["content"].split("[문제]")[1].split("\n")[1:] == options
        assert any(c["check"].startswith("surface_") for c in other[name].checks)
