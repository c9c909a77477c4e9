"""The figures of an export compared with the merged model."""

from __future__ import annotations

import pytest

from kofinlaw.models.tokenizer import load_tokenizer
from kofinlaw.records import Key
from kofinlaw.trainer.export.bnb import to_bnb4
from kofinlaw.trainer.proof import export_loss
from kofinlaw.trainer.proof.export_loss import compare_exports
from kofinlaw.trainer.proof.measure import RowFigures
from kofinlaw.trainer.proof.settings import VerifySettings

SMALL = VerifySettings.model_validate({"greedy_tokens": 4, "kl_positions": 64})


def test_an_export_that_changed_nothing_agrees_everywhere(merged, questions):
    keys = [Key(item.id, answer="2") for item in questions]
    settings = SMALL.model_copy(update={"dtype": "bfloat16"})
    found = compare_exports(
        {"same": merged}, merged, questions=questions, keys=keys, settings=settings
    )
    figures = found["same"]
    assert figures.argmax_agreement == figures.choice_agreement == 1.0
    assert figures.perplexity_export == figures.perplexity_merged
    assert figures.accuracy_export == figures.accuracy_merged
    assert figures.positions >= 32


def test_quantising_to_4_bits_changes_predictions(tmp_path, merged, questions):
    to_bnb4(merged, tmp_path / "q")
    exports = {"q": tmp_path / "q"}
    figures = compare_exports(exports, merged, questions=questions, settings=SMALL)["q"]
    assert 0.3 < figures.argmax_agreement < 1
    assert figures.perplexity_export != figures.perplexity_merged
    assert figures.share_of_merged_bytes < 1


@pytest.mark.parametrize("same", [True, False])
def test_a_gguf_must_cut_the_corpus_into_the_same_tokens(tmp_path, merged, monkeypatch, same):
    corpus = ["제1조는 보고 기한을 정한다.", "제2조"]
    tokens = [load_tokenizer(merged).encode(text) for text in corpus]

    def measured(path, probe, *, texts, dialogues, threads):
        rows = sum(map(len, probe.kl_rows))
        return RowFigures(
            argmax=[0] * rows,
            losses=[1.0] * rows,
            choices=[],
            tokens_per_second=1.0,
            tokens=tokens if same else [tokens[0], [1]],
        )

    monkeypatch.setattr(export_loss, "measure_gguf", measured)
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    loose = SMALL.model_copy(update={"max_export_perplexity_ratio": 1e9})
    exports = {"gguf": tmp_path / "m.gguf"}
    figures = compare_exports(exports, merged, corpus=corpus, settings=loose)["gguf"]
    assert figures.texts_tokenized == 2
    assert figures.tokenization_same == (1.0 if same else 0.5)
    assert figures.verdict == ("pass" if same else "fail")
