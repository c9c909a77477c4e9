"""`kofinlaw merge` and `kofinlaw export` on the command line."""

from __future__ import annotations

import json
import sys

import pytest

from kofinlaw.recipes.cli import entry as cli


@pytest.fixture
def typed(capsys, monkeypatch):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["kofinlaw", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out = capsys.readouterr()
        return code, out.out + out.err

    return run


def test_two_adapters_are_combined_and_merged(tmp_path, pico, llama, typed):
    pair = [pico.write_adapter(tmp_path / str(n), llama, seed=n) for n in (1, 2)]
    out = tmp_path / "merged"
    options = ["--out", out, "--model", llama, "--weights", "0.7,0.3", "--method", "ties"]
    code, said = typed("merge", *pair, *options)
    assert (code, "merged 14 weights" in said) == (0, True)
    assert f"kofinlaw verify {out} --against {tmp_path / 'merged-adapter'}" in said
    record = json.loads((out / "kofinlaw.json").read_text())
    assert record["adapter"]["combined"]["weights"] == [0.7, 0.3]
    code, said = typed("merge", *pair, "--out", tmp_path / "x", "--weights", "0.7")
    assert code != 0
    assert "2 adapters, but 1 weights" in said


def test_a_share_of_one_adapter_is_merged(tmp_path, pico, llama, adapter, typed):
    out = tmp_path / "merged"
    code, said = typed("merge", adapter, "--out", out, "--model", llama, "--weights", "0.5")
    assert code == 0, said
    assert f"kofinlaw verify {out} --against {tmp_path / 'merged-adapter'}" in said
    assert json.loads((out / "kofinlaw.json").read_text())["adapter"]["combined"]["weights"] == [
        0.5
    ]
    assert "| weights of the adapters | [0.5] |" in (out / "README.md").read_text()
    code, said = typed("merge", adapter, "--out", tmp_path / "x", "--weights", "0.5,0.5")
    assert code != 0
    assert "one adapter, but 2 weights" in said


def test_best_measures_both_bases_and_keeps_one(tmp_path, pico, llama, adapter, typed):
    out = tmp_path / "merged"
    code, said = typed("merge", adapter, "--out", out, "--model", llama, "--base", "best")
    assert code == 0, said
    best = json.loads((tmp_path / "best.json").read_text())
    assert set(best["proofs"]) == {"dequantized", "original"}
    assert f"on the {best['kept']} base" in said


def test_a_push_without_a_token_is_refused_before_anything_is_written(tmp_path, llama, typed):
    out = tmp_path / "out"
    code, said = typed("export", llama, "--to", "hf", "--out", out, "--push", "owner/model")
    assert code != 0
    assert "without an explicit repository and token" in said
    assert not out.exists()
