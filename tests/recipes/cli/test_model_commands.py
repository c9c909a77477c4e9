"""The commands on checkpoints and on this machine."""

import json


def test_models_and_doctor_speak_json(command):
    code, out, _ = command("models", "--json", "--policy", "contest-2025")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out)}
    assert rows["Qwen/Qwen2.5-7B-Instruct"]["allowed"]
    assert not rows["google/gemma-3-270m"]["allowed"]
    _, out, _ = command("doctor", "--json")
    names = {finding["name"] for finding in json.loads(out)["findings"]}
    assert {"transformers", "trl"} <= names


def test_several_formats_are_named_by_commas(command, monkeypatch, tmp_path):
    from kofinlaw.recipes.cli.model_commands import _export_settings

    assert _export_settings("gguf,bnb-4bit, hf,gguf-q8_0").formats == (
        "gguf-q8_0",
        "bnb-4bit",
        "hf",
    )
    words = ["export", str(tmp_path), "--out", str(tmp_path / "out"), "--to"]
    code, _, err = command(*words, "gguf,gguff")
    assert (code, "no such format: gguff" in err) == (1, True)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    push = ["--push", "owner/model", "--token", "t"]
    code, _, err = command(*words, "gguf,hf", *push)
    assert (code, "one repository takes one format" in err) == (1, True)
