"""The command that tunes on pairs of answers, on the pico model."""

import json


def test_pairs_train_the_adapter_and_the_next_command_is_printed(pico, tmp_path, command):
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
    words = ["prefer", pico / "recipe.yaml", "--pairs", pairs]
    words += ["--runs", tmp_path / "runs", "--set", "train.max_steps=2"]
    words += ["--loss", "ipo", "--pairs-per-pass", "2"]
    code, out, err = command(*words)
    assert code == 0, err
    assert "kofinlaw merge" in out
    folder = tmp_path / "runs" / "pico" / "prefer"
    assert (folder / "adapter" / "adapter_model.safetensors").is_file()
    assert json.loads((folder / "preference.json").read_text(encoding="utf-8"))
    record = json.loads((folder / "adapter" / "kofinlaw.json").read_text(encoding="utf-8"))
    assert record["preference"] == {"beta": 0.1, "loss": "ipo", "pairs_per_pass": 2}
    assert {"data", "base", "threads", "settings"} <= set(record["fingerprints"])
    before = (folder / "adapter" / "adapter_model.safetensors").read_bytes()
    code, out, err = command(*words)
    assert "prefer: already done" in out
    pairs.write_text(pairs.read_text("utf-8").replace("5년", "7년"), encoding="utf-8")
    code, _, err = command(*words, "--resume", "always")
    assert code == 1
    assert "replaces no work (different: input pairs.jsonl)" in err
    assert (folder / "adapter" / "adapter_model.safetensors").read_bytes() == before


def test_the_pairs_that_augment_wrote_are_tuned_on(pico, tmp_path, command):
    words = [pico / "recipe.yaml", "--runs", tmp_path / "runs"]
    words += ["--set", "augment.write_as=[messages,sharegpt]"]
    code, _, err = command("prefer", *words)
    assert code == 1
    assert "no preference pairs" in err
    code, _, err = command("augment", *words)
    assert code == 0, err
    folder = tmp_path / "runs" / "pico" / "augment"
    pairs = [json.loads(line) for line in open(folder / "preferences.jsonl", encoding="utf-8")]
    assert len(pairs) >= 10
    assert (folder / "forms" / "dataset_info.json").is_file()
    # Every step sees all pairs, so that the losses of two steps can be compared.
    steps = [f"train.effective_batch={len(pairs)}", "train.epochs=3"]
    sets = [word for step in steps for word in ("--set", step)]
    code, out, err = command("prefer", *words, *sets)
    assert code == 0, err
    figures = json.loads((folder.parent / "prefer" / "preference.json").read_text("utf-8"))
    assert figures["examples"] == len(pairs)
    assert figures["loss_last"] < figures["loss_first"]
    # The same set once more by the command, as from another folder.
    code, out, err = command(
        *("convert", "examples", folder / "examples.jsonl", tmp_path / "other"),
        *("--to", "messages,sharegpt", "--pairs", folder / "preferences.jsonl"),
    )
    assert code == 0, err
    assert "note:" in out
    for file in (folder / "forms").iterdir():
        assert (tmp_path / "other" / file.name).read_bytes() == file.read_bytes()


def test_an_unknown_loss_is_refused_before_anything_is_loaded(command):
    code, _, err = command("prefer", "no-recipe.yaml", "--pairs", "no.jsonl", "--loss", "dpo")
    assert code == 1
    assert "--loss" in err
    assert "'sigmoid'" in err
