"""Proofs of a folder of exports."""

from __future__ import annotations

import json

import pytest

from kofinlaw import UserError
from kofinlaw.files import write_jsonl
from kofinlaw.records import Chunk, Example, Key
from kofinlaw.trainer.export.export_formats import export_model
from kofinlaw.trainer.export.settings import ExportSettings
from kofinlaw.trainer.proof.export_proof import held_out_passages, prove_exports
from kofinlaw.trainer.proof.settings import VerifySettings

SMALL = VerifySettings.model_validate({"greedy_tokens": 4, "kl_positions": 64})


@pytest.fixture
def corpus(tmp_path):
    """Four chunks, of which an example was made from the first two."""
    chunks = [
        Chunk(f"법/제{n}조", "법", "법", "statute", f"제{n}조", f"법 제{n}조",
              f"제{n}조 (보고) 은행은 {n}일 안에 감독원장에게 보고하여야 한다.",
              "2025-01-01", "sample", "Apache-2.0", "0")
        for n in range(1, 5)
    ]  # fmt: skip
    example = Example("e", "choice", [], "1", {"chunks": [chunks[0].id, chunks[1].id]})
    write_jsonl(tmp_path / "chunks.jsonl", chunks)
    write_jsonl(tmp_path / "examples.jsonl", [example])
    return tmp_path


def test_perplexity_is_taken_on_chunks_no_example_was_made_from(corpus):
    passages = held_out_passages(corpus / "chunks.jsonl", corpus / "examples.jsonl")
    assert [text[:3] for text in passages] == ["제3조", "제4조"]


def test_exports_are_proven_and_the_figures_are_named_by_form(corpus, merged, questions):
    out = corpus / "export"
    export_model(ExportSettings.model_validate({"formats": ["bnb-4bit"]}), merged, out)
    write_jsonl(corpus / "questions.jsonl", questions)
    write_jsonl(corpus / "key.jsonl", [Key(item.id, answer="2") for item in questions])
    inputs = {
        "questions": corpus / "questions.jsonl",
        "key": corpus / "key.jsonl",
        "chunks": corpus / "chunks.jsonl",
        "examples": corpus / "examples.jsonl",
    }
    loose = SMALL.model_copy(update={"max_export_perplexity_ratio": 1e9})
    figures = prove_exports(out, merged, settings=loose, **inputs).to_record()
    proof = json.loads((out / "proof.json").read_text())["bnb-4bit"]
    assert proof["perplexity_on"] == "held-out chunks"
    assert proof["choices"] == len(questions)
    assert figures["bnb-4bit argmax_agreement"] == round(proof["argmax_agreement"], 4) < 1
    assert {f"bnb-4bit {name}" for name in ("perplexity_export", "accuracy_export")} <= set(figures)
    page = (out / "proof.md").read_text()
    assert f"| bnb-4bit | {proof['bytes'] / 2**20:.0f} MiB |" in page
    assert "Perplexity on held-out chunks." in page
    tight = SMALL.model_copy(update={"max_export_perplexity_ratio": 0.01})
    with pytest.raises(
        UserError, match="no longer predicts what the merged model predicts: bnb-4bit"
    ):
        prove_exports(out, merged, settings=tight, **inputs)
