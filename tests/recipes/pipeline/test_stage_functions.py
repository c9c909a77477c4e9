"""The work of stages: too few examples are said at once, and stop the run where none can train."""

import json


def test_fewer_examples_than_wanted_are_said_with_kinds_and_reasons(pico, tmp_path, typed):
    words = ["--runs", tmp_path, "--set", "augment.items=500"]
    code, said = typed("augment", pico / "recipe.yaml", *words)
    assert code == 0, said
    made = json.loads((tmp_path / "pico" / "augment" / "stage.json").read_text(encoding="utf-8"))
    items = made["counts"]["items"]
    assert 8 <= items < 500
    assert f"augment: 500 examples wanted, {items} possible with these documents" in said
    card = json.loads((tmp_path / "pico" / "augment" / "card.json").read_text(encoding="utf-8"))
    kind, number = max(card["examples"].items(), key=lambda row: row[1])
    assert f"{kind} {number}" in said.partition("augment: by kind: ")[2]
    for reason, number in card["rejected"].items():
        assert f"{reason} {number}" in said


def test_too_few_examples_to_train_stop_the_run_and_name_what_works(pico, tmp_path, typed):
    words = ["--runs", tmp_path, "--set", "augment.items=500", "--set", "train.effective_batch=512"]
    code, said = typed("augment", pico / "recipe.yaml", *words)
    assert code == 1
    assert "too few to train, at least 1537 are needed" in said
    assert "ask_only: true" in said
    assert not (tmp_path / "pico" / "augment").exists()
    assert typed("index", pico / "recipe.yaml", *words)[0] == 0
