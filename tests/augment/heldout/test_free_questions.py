"""Held-out free-text questions: from held-out acts only, apart from training, checked."""

import json

import pytest

from kofinlaw.augment.reading.names import normalize
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
from kofinlaw.files import read_jsonl, write_jsonl
from kofinlaw.records import Article, Chunk, Example, Key, Question, Rejected

HELD = "전자지급 안전법"
SETTINGS = AugmentSettings(
    items=20, holdout_documents=(HELD,), holdout_items=8, holdout_free=5, free_share=0.5
)


def run(corpus, out, settings=SETTINGS, **options):
    return generate_examples(settings, corpus, out, seed=7, **options)


def free_of(out):
    questions = [q for q in read_jsonl(out / "heldout_questions.jsonl", Question) if not q.options]
    keys = {key.id: key for key in read_jsonl(out / "heldout_key.jsonl", Key)}
    return questions, keys


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("free")
    return out, run(corpus, out).to_record()


def test_they_come_from_held_out_acts_with_reference_keywords_and_gold(made, acts):
    out, counts = made
    questions, keys = free_of(out)
    texts = {article.id: normalize(article.text) for article in acts}
    assert len(questions) == counts["heldout_free"] == 5
    assert counts["heldout"] == len(keys)
    focus = {row["id"]: row["focus"] for row in map(json.loads, open(out / "heldout_focus.jsonl"))}
    for question in questions:
        key = keys[question.id]
        assert f"「{HELD}」" in question.question
        assert key.slices == ("free",)
        assert not key.answer
        assert key.reference
        assert key.keywords
        assert all(normalize(word) in normalize(key.reference) for word in key.keywords)
        assert all(unit.startswith(HELD) and unit in texts for unit in key.units)
        assert any(normalize(f)[:12] in texts[key.units[0]] for f in focus[question.id])


def test_none_of_them_is_trained_on(made):
    questions, keys = free_of(made[0])
    trained = [e.messages for e in read_jsonl(made[0] / "examples.jsonl", Example)]
    asked = [m["content"] for messages in trained for m in messages]
    assert any(e.task == "free" for e in read_jsonl(made[0] / "examples.jsonl", Example))
    for question in questions:
        assert not any(question.question in text for text in asked)
        sentence = keys[question.id].reference.rpartition("(")[0]
        assert not any(m[-1]["content"].startswith(sentence) for m in trained)


def test_without_them_the_other_files_keep_their_bytes(corpus, made, tmp_path):
    counts = run(corpus, tmp_path, SETTINGS.model_copy(update={"holdout_free": 0})).to_record()
    assert "heldout_free" not in counts
    assert all(q.options for q in read_jsonl(tmp_path / "heldout_questions.jsonl", Question))
    for name in ("examples.jsonl", "heldout_twins.jsonl", "preferences.jsonl"):
        assert (tmp_path / name).read_bytes() == (made[0] / name).read_bytes()
    for name in ("heldout_questions.jsonl", "heldout_key.jsonl", "heldout_focus.jsonl"):
        assert (made[0] / name).read_bytes().startswith((tmp_path / name).read_bytes())


def test_a_protected_question_is_rejected(corpus, made, tmp_path):
    first = free_of(made[0])[0][0]
    run(corpus, tmp_path, protected_texts=[first.question])
    assert first.question not in [q.question for q in free_of(tmp_path)[0]]
    reasons = {r.id: r.reason for r in read_jsonl(tmp_path / "rejected.jsonl", Rejected)}
    assert reasons[first.id] == "contaminated"


def test_a_sentence_of_a_trained_act_is_not_asked_for(parse, corpus, made, tmp_path):
    questions, keys = free_of(made[0])
    sentence = next(
        keys[q.id].reference.rpartition("(")[0] for q in questions if "뜻을" not in q.question
    )
    articles = list(read_jsonl(corpus / "articles.jsonl", Article))
    articles += parse("비슷한 규정", f"##### 제1조 (보고)\n\n{sentence}.\n")
    write_jsonl(tmp_path / "articles.jsonl", articles)
    write_jsonl(tmp_path / "chunks.jsonl", read_jsonl(corpus / "chunks.jsonl", Chunk))
    run(tmp_path, tmp_path / "out")
    references = [key.reference for key in free_of(tmp_path / "out")[1].values()]
    assert not any(reference.startswith(sentence) for reference in references)
    reasons = {r.reason for r in read_jsonl(tmp_path / "out" / "rejected.jsonl", Rejected)}
    assert "trained_sentence" in reasons


def test_one_article_gives_no_more_than_its_share(corpus, tmp_path):
    run(corpus, tmp_path, SETTINGS.model_copy(update={"most_by_article": 1, "holdout_free": 50}))
    questions, keys = free_of(tmp_path)
    units = [keys[q.id].units for q in questions]
    assert 1 < len(units) == len(set(units))


def failing(function, at):
    """The function; its call number `at` fails."""
    calls = []

    def call(*args, **options):
        calls.append(1)
        if len(calls) == at:
            raise ValueError("은행\ud83d")
        return function(*args, **options)

    return call


def test_what_fails_is_one_rejection_and_the_others_are_written(corpus, tmp_path, monkeypatch):
    from kofinlaw.augment import examples
    from kofinlaw.augment.heldout import free_questions

    monkeypatch.setattr(examples, "free_messages", failing(examples.free_messages, 1))
    subject = failing(free_questions.acting_subject, 1)
    monkeypatch.setattr(free_questions, "acting_subject", subject)
    monkeypatch.setattr(free_questions, "_problem", failing(free_questions._problem, 1))
    run(corpus, tmp_path)
    rejected = [
        r for r in read_jsonl(tmp_path / "rejected.jsonl", Rejected) if r.reason == "failed"
    ]
    assert all("ValueError: 은행" in r.detail for r in rejected)
    assert sorted(r.id.startswith("free-") for r in rejected) == [False, True, True]
    assert free_of(tmp_path)[0]
