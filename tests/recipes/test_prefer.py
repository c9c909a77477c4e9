"""The command that tunes on pairs of answers, on the pico model."""

import json

import pytest

from kofinlaw.recipes.cli import entry as cli


def test_pairs_move_the_adapter_and_the_next_step_is_said(pico, tmp_path, monkeypatch, capsys):
    rows = [
        {
            "id": f"p{number}",
            "messages": [{"role": "user", "content": f"보관 기간은? {number}"}],
            "chosen": "5년이다.",
            "rejected": "모른다.",
        }
        for number in range(4)
    ]
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    command = ["kofinlaw", "prefer", str(pico / "recipe.yaml"), "--pairs", str(pairs)]
    command += ["--runs", str(tmp_path / "runs"), "--set", "train.max_steps=2"]
    command += ["--loss", "ipo", "--pairs-per-pass", "2"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    assert "kofinlaw merge" in said.out
    out = tmp_path / "runs" / "pico" / "prefer"
    assert (out / "adapter" / "adapter_model.safetensors").is_file()
    assert json.loads((out / "preference.json").read_text(encoding="utf-8"))
    record = json.loads((out / "adapter" / "kofinlaw.json").read_text(encoding="utf-8"))
    assert record["preference"] == {"beta": 0.1, "loss": "ipo", "pairs_per_pass": 2}


def test_a_loss_that_is_not_known_is_told_before_anything_is_loaded(monkeypatch, capsys):
    command = ["kofinlaw", "prefer", "no-recipe.yaml", "--pairs", "no.jsonl", "--loss", "dpo"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "--loss" in said
    assert "'sigmoid'" in said
