"""The count before a run is the count of the run; it is kept, and a sample says its range."""

import json

import pytest

from kofinlaw.data.readers.paged.tesseract import Ocr
from kofinlaw.recipes.pipeline.execution import execute_stages
from kofinlaw.recipes.pipeline.planning import dry_count as counting
from kofinlaw.recipes.pipeline.planning import example_count
from kofinlaw.recipes.pipeline.planning.count_record import DryCount
from kofinlaw.recipes.pipeline.planning.dry_count import documents_of, dry_count
from kofinlaw.recipes.pipeline.run import bind
from kofinlaw.recipes.pipeline.schema import load_recipe


@pytest.fixture
def bound(pico, tmp_path):
    def call(*overrides):
        recipe, recipe_file = load_recipe(str(pico / "recipe.yaml"), overrides)
        return bind(recipe, recipe_file, tmp_path / "runs", tmp_path / "cache")

    return call


HELD_OUT = ("augment.items=300", "augment.holdout_share=0.3", "augment.holdout_items=20")


def test_the_run_makes_what_was_counted(bound):
    run = bound(*HELD_OUT)
    count = dry_count(run)
    assert count.exact
    execute_stages(run, only=["data", "augment"])
    record = json.loads((run.folder / "augment" / "stage.json").read_text(encoding="utf-8"))
    made = record["counts"]
    assert (count.items, count.examples, count.tests) == (
        made["items"],
        made["examples"],
        made["heldout"],
    )
    assert count.held_out
    assert sum(count.kinds.values()) == count.examples


def test_a_count_is_kept_until_documents_or_settings_change(bound, monkeypatch, tmp_path):
    first = dry_count(bound())
    monkeypatch.setattr(counting, "build_corpus", None)  # a second count would fail
    assert dry_count(bound()) == first
    kept = "".join(path.read_text("utf-8") for path in (tmp_path / "cache" / "plans").iterdir())
    assert "은행장" not in kept  # numbers and titles only
    with pytest.raises(TypeError):
        dry_count(bound("augment.items=13"))


def test_documents_are_listed_once(bound, monkeypatch):
    first = documents_of(bound())
    assert [title for title, _, _ in first.documents]
    monkeypatch.setattr(counting, "list_documents", None)
    assert documents_of(bound()) == first


def test_documents_are_listed_again_once_ocr_is_installed(bound, monkeypatch):
    monkeypatch.setattr(counting, "find_ocr", lambda: Ocr(problem="not installed"))
    documents_of(bound())
    monkeypatch.setattr(counting, "find_ocr", lambda: Ocr(program="tesseract", version="5.3"))
    monkeypatch.setattr(counting, "list_documents", None)  # a second list fails
    with pytest.raises(TypeError):
        documents_of(bound())


def test_a_broken_cache_is_counted_again(bound, tmp_path):
    first = dry_count(bound())
    for path in (tmp_path / "cache" / "plans").iterdir():
        path.write_text('{"examples": ', encoding="utf-8")
    assert dry_count(bound()) == first


def test_a_large_corpus_is_a_sample_with_a_range(bound, monkeypatch):
    whole = dry_count(bound("augment.items=300"))
    monkeypatch.setattr(example_count, "COUNTED_CHARACTERS", 900)  # two of the three rulebooks
    monkeypatch.setattr(counting, "READ_BYTES", 4000)
    sample = dry_count(bound("augment.items=300", "seed=4"))
    assert not sample.exact
    assert sample.low < sample.examples < sample.high
    assert "sample of" in sample.how
    assert sample.low <= whole.examples * 1.3
    assert sample.high >= whole.examples * 0.7


def test_the_sentence_names_the_range():
    values = {"items": 90, "wanted": 800, "tests": 0, "free_tests": 0, "mean_tokens": 1}
    values |= {"longest_tokens": 1, "kinds": {}, "rejected": {}, "how": ""}
    assert DryCount(examples=1234, low=1234, high=1234, **values).sentence() == "1,234"
    found = DryCount(examples=100, low=80, high=120, **values).sentence()
    assert found == "about 100 (80 to 120)"
