"""The command that exports a merged checkpoint."""


def test_several_formats_are_named_by_commas(command, monkeypatch, tmp_path):
    from kofinlaw.recipes.cli.export_command import _export_settings

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
