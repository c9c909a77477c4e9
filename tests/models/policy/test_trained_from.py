"""A trained embedder or reranker is judged as the models that it was trained from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from kofinlaw import UserError
from kofinlaw.models.embedders import embedder_identity
from kofinlaw.models.embedding.joined import JoinedPart, write_joined
from kofinlaw.models.policy.model_checks import check_models
from kofinlaw.models.policy.record import policy_record
from kofinlaw.models.policy.trained_from import FILE, bases_of, write_trained_from
from kofinlaw.models.resolve import weight_hashes

E5 = "intfloat/multilingual-e5-small"
QWEN = "Qwen/Qwen2.5-7B-Instruct"


@pytest.fixture
def trained(tmp_path):
    """A folder like the one of a static embedder: the weights lie in the folder of a module."""
    folder = tmp_path / "retriever" / "model"
    (folder / "0_StaticEmbedding").mkdir(parents=True)
    (folder / "modules.json").write_text("[]")
    (folder / "0_StaticEmbedding" / "model.safetensors").write_bytes(b"abc")
    write_trained_from(folder, E5)
    return folder


def test_the_base_of_a_training_is_judged(trained):
    ok = check_models("contest-2025", student=QWEN, embedders=[str(trained)])
    assert [v.detail for v in ok if not v.ok] == []
    assert any(v.subject == f"{E5} (base of embedder {trained})" and v.rule == "date" for v in ok)
    (trained / FILE).unlink()
    refused = [
        v for v in check_models("contest-2025", student=QWEN, embedders=[str(trained)]) if not v.ok
    ]
    assert {v.rule for v in refused} >= {"date"}
    write_trained_from(trained, "KR-SBERT")
    refused = [
        v for v in check_models("contest-2025", student=QWEN, rerankers=[str(trained)]) if not v.ok
    ]
    assert any("(base of reranker" in v.subject for v in refused)


def test_a_second_training_keeps_the_first_base(trained, tmp_path):
    second = tmp_path / "second"
    second.mkdir()
    write_trained_from(second, str(trained))
    assert json.loads((second / FILE).read_text("utf-8")) == {"trained_from": [E5]}


def test_a_joined_embedder_has_the_bases_of_its_parts(trained, tmp_path):
    joined = tmp_path / "retriever" / "joined"
    other = tmp_path / "other"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    write_joined(joined, [JoinedPart("../model", 1.0), JoinedPart(str(other), 1.0)])
    assert bases_of(str(joined)) == [E5, str(other)]
    record = policy_record("open", models={str(joined): "embedder"}, sources=[], verdicts=[])
    assert record["models"][0]["trained_from"] == [E5, str(other)]


def test_a_model_of_the_catalogue_is_its_own_base():
    assert bases_of(E5) == [E5]
    assert bases_of("no/such-model") == ["no/such-model"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"trained_from": []}', '{"trained_from": [1]}',
                                  '{"trained_from": "x"}'])  # fmt: skip
def test_a_broken_record_is_named(trained, text):
    (trained / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="record of the model's origin is broken") as caught:
        bases_of(str(trained))
    assert str(trained / FILE) in str(caught.value)


def test_weights_in_the_folder_of_a_module_count(trained):
    weights = Path("0_StaticEmbedding") / "model.safetensors"
    assert list(weight_hashes(str(trained))) == [weights.as_posix()]
    before = embedder_identity(str(trained))
    copy = trained.parents[1] / "copy" / "model"
    shutil.copytree(trained, copy)
    assert embedder_identity(str(copy)) == before
    (copy / weights).write_bytes(b"abd")
    assert embedder_identity(str(copy)) != before
