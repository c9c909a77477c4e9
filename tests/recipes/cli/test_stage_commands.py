"""The commands that run some of the stages."""


def test_a_damaged_ledger_is_refused_or_forgotten_as_resume_says(pico, command, tmp_path):
    teacher = f"{{model: {{id: pico/pico-llama, path: {pico / 'model'}}}, engine: {{engine: dummy}}, items: 2}}"
    words = ["augment", str(pico / "recipe.yaml"), "--runs", str(tmp_path)]
    words += ["--set", f"augment.teacher={teacher}", "--resume"]
    code, _, err = command(*words, "always")
    assert (code, "there is no ledger to resume from" in err) == (1, True)
    ledger = tmp_path / "pico" / "teacher.ledger.jsonl"
    ledger.write_text("{damaged\n", encoding="utf-8")
    code, _, err = command(*words, "always")
    assert (code, "teacher.ledger.jsonl:1" in err) == (1, True)
    code, _, err = command(*words, "never")
    assert code == 0, err
    assert not ledger.exists() or "damaged" not in ledger.read_text(encoding="utf-8")
