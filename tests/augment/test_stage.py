import json

import pytest

from kofinlaw import UserError
from kofinlaw.augment.generators.names import normal
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import augment
from kofinlaw.data.prompting.wording import NO_EVIDENCE
from kofinlaw.files import read_jsonl
from kofinlaw.records import Example, Key, Question, Rejected

FILES = (
    "examples.jsonl",
    "examples.parquet",
    "heldout_questions.jsonl",
    "heldout_key.jsonl",
    "rejected.jsonl",
    "ledger.jsonl",
    "card.md",
    "card.json",
)
SETTINGS = AugmentSettings(
    items=60, holdout_documents=("금융분쟁 조정법",), holdout_items=20, most_by_article=20
)


def run(corpus, out, settings=SETTINGS, **options):
    return augment(settings, corpus, out, seed=7, **options)


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("augment")
    return out, run(corpus, out)


def examples_of(out):
    return list(read_jsonl(out / "examples.jsonl", Example))


def test_the_stage_writes_every_file_and_counts_what_it_wrote(made):
    out, counts = made
    assert all((out / name).exists() for name in FILES)
    assert counts["examples"] == len(examples_of(out))
    assert counts["heldout"] == len(list(read_jsonl(out / "heldout_key.jsonl", Key)))
    assert counts["examples"] > 20
    assert counts["heldout"] >= 3


def test_the_same_corpus_and_seed_give_the_same_bytes(corpus, made, tmp_path):
    run(corpus, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (made[0] / name).read_bytes(), name


def test_held_out_acts_are_never_asked_about_in_training(made):
    for example in examples_of(made[0]):
        asked = example.messages[0]["content"].split("[문제]")[-1]
        assert "금융분쟁 조정법" not in asked.split("\n")[0]
    for key in read_jsonl(made[0] / "heldout_key.jsonl", Key):
        assert key.units[0].startswith("금융분쟁 조정법")


def test_held_out_questions_match_their_keys(made):
    questions = list(read_jsonl(made[0] / "heldout_questions.jsonl", Question))
    keys = list(read_jsonl(made[0] / "heldout_key.jsonl", Key))
    assert [q.id for q in questions] == [k.id for k in keys]
    assert all(1 <= int(k.answer) <= len(q.options) for q, k in zip(questions, keys, strict=True))
    assert all(k.slices for k in keys)


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
            assert example.messages[1]["content"] == NO_EVIDENCE
            continue
        if example.task == "choice_quantity":
            shown = example.messages[0]["content"].split("[문제]")[0]
            assert normal(example.messages[1]["content"]) in normal(shown)
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
        shown = normal(example.messages[0]["content"].split("[질문]")[0])
        told = example.messages[1]["content"].rpartition("(")[0]
        assert normal(told)[-24:-8] in shown


def test_an_example_without_evidence_names_no_chunk(corpus, tmp_path):
    run(corpus, tmp_path, FREE.model_copy(update={"shown_evidence": False}))
    assert free_of(tmp_path)
    assert all(e.provenance["chunks"] == [] for e in examples_of(tmp_path))


def test_a_protected_question_is_kept_out(corpus, made, tmp_path):
    first = next(e for e in examples_of(made[0]) if e.task == "choice_quantity")
    stem = first.messages[0]["content"].split("[문제] ")[1].split("\n")[0]
    run(corpus, tmp_path, protected_texts=[stem])
    stems = [e.messages[0]["content"] for e in examples_of(tmp_path)]
    assert not any(stem in text for text in stems)
    reasons = {r.reason for r in read_jsonl(tmp_path / "rejected.jsonl", Rejected)}
    assert "contaminated" in reasons


def test_answer_positions_are_as_even_as_can_be(made):
    positions = json.loads((made[0] / "card.json").read_text("utf-8"))["heldout"]["positions"]
    assert positions


def test_a_held_out_title_that_is_not_there_is_an_error(corpus, tmp_path):
    settings = AugmentSettings(holdout_documents=("없는 법",))
    with pytest.raises(UserError, match="없는 법"):
        run(corpus, tmp_path, settings)


def test_a_corpus_without_acts_is_an_error(tmp_path):
    (tmp_path / "articles.jsonl").write_text("")
    (tmp_path / "chunks.jsonl").write_text("")
    with pytest.raises(UserError, match="no article"):
        run(tmp_path, tmp_path / "out", AugmentSettings())


def test_an_unknown_generator_and_held_items_without_documents_are_errors():
    with pytest.raises(ValueError, match="quantitty"):
        AugmentSettings(generators={"quantitty": 1})
    with pytest.raises(ValueError, match="holdout_documents"):
        AugmentSettings(holdout_items=5)


def test_parquet_holds_the_same_examples_and_datasets_reads_both(made, tmp_path):
    from datasets import load_dataset

    out = made[0]
    cache = str(tmp_path)
    table = load_dataset(
        "parquet", data_files=str(out / "examples.parquet"), split="train", cache_dir=cache
    )
    lines = load_dataset(
        "json", data_files=str(out / "examples.jsonl"), split="train", cache_dir=cache
    )
    assert table["id"][:] == lines["id"][:] == [e.id for e in examples_of(out)]
    assert table["messages"][:] == lines["messages"][:]
    assert set(table[0]["messages"][0]) == {"role", "content"}
