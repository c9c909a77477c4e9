"""The commands on the catalogue and this machine."""

import json


def test_models_and_doctor_print_json(command):
    code, out, _ = command("models", "--json", "--policy", "contest-2025")
    assert code == 0
    rows = {row["id"]: row for row in json.loads(out)}
    assert rows["Qwen/Qwen2.5-7B-Instruct"]["allowed"]
    assert not rows["google/gemma-3-270m"]["allowed"]
    _, out, _ = command("doctor", "--json")
    names = {finding["name"] for finding in json.loads(out)["findings"]}
    assert {"transformers", "trl"} <= names
