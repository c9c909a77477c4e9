import json

import pytest

from kofinlaw import UserError
from kofinlaw.augment import Draft, QuestionGenerator, assemble
from kofinlaw.augment.hard_items import HardItems
from kofinlaw.augment.settings import AugmentSettings
from kofinlaw.augment.stage import generate_examples
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
    return generate_examples(settings, corpus, out, seed=7, **options)


@pytest.fixture(scope="module")
def made(corpus, tmp_path_factory):
    out = tmp_path_factory.mktemp("augment")
    return out, run(corpus, out)


def examples_of(out):
    return list(read_jsonl(out / "examples.jsonl", Example))


def test_the_stage_writes_every_file_and_counts_what_it_wrote(made):
    out, counts = made[0], made[1].to_record()
    assert all((out / name).exists() for name in FILES)
    assert counts["examples"] == len(examples_of(out))
    assert counts["heldout"] == len(list(read_jsonl(out / "heldout_key.jsonl", Key)))
    assert counts["examples"] > 20
    assert counts["heldout"] >= 3


def test_the_same_corpus_and_seed_give_the_same_bytes(corpus, made, tmp_path):
    run(corpus, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (made[0] / name).read_bytes(), name


def test_the_stage_reports_each_phase(corpus, tmp_path):
    phases = []
    run(corpus, tmp_path, progress=lambda phase, *_, **__: phases.append(phase))
    assert {"augment: generate", "augment: solvers", "augment: evidence"} <= set(phases)


def test_more_hard_questions_than_wanted_do_not_exceed_the_set(corpus, tmp_path, monkeypatch):
    taken = []

    def take_all(shown, *_):
        taken.append(len(shown))
        return HardItems([row.item for row in shown])

    monkeypatch.setattr(assemble, "take_hard", take_all)
    settings = SETTINGS.model_copy(
        update={"hard_share": 1.0, "items": 4, "holdout_items": 2, "free_share": 0.0}
    )
    run(corpus, tmp_path, settings)
    assert max(taken) > 4
    assert len(list(read_jsonl(tmp_path / "heldout_key.jsonl", Key))) <= 2
    card = json.loads((tmp_path / "card.json").read_text(encoding="utf-8"))
    assert card["train"]["items"] <= 4


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


def own_draft(law, **changes):
    values = {"kind": "mine", "stem": "제목은?", "answer": "목적", "focus": ("목적",)}
    values |= {"units": (law.articles[0].id,), "distractors": ("정의", "보고", "보관")}
    return Draft(**{**values, "document": law.title, **changes})


@pytest.mark.parametrize(
    "options,changes,reason",
    [
        ({"weight": 0.0}, {}, "gives no question"),
        ({"weight": float("nan")}, {}, "gives no question"),
        ({"kinds": "mine"}, {}, "a tuple of kinds"),
        ({"kinds": ()}, {}, "a tuple of kinds"),
        ({"kinds": ("quantity",)}, {}, "exists already"),
        ({}, {"kind": "other"}, "its kind is not one of mine"),
        ({}, {"stem": " "}, "its stem is empty"),
        ({}, {"units": ()}, "not ids of articles"),
        ({}, {"units": ("없음",)}, "not ids of articles"),
    ],
)
def test_a_generator_of_your_own_that_cannot_work_is_refused(
    corpus, tmp_path, options, changes, reason
):
    def generate(law, laws, seed):
        yield own_draft(law, **changes)

    generator = QuestionGenerator(
        **{"kinds": ("mine",), "generate": generate, "weight": 5, **options}
    )
    with pytest.raises(UserError, match=reason) as error:
        run(corpus, tmp_path, AugmentSettings(items=5), extra_generators=[generator])
    assert error.value.where == "extra_generators"
    assert error.value.remedy
