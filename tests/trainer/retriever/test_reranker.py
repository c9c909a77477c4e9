"""Train a pico reranker: it learns, resumes exactly, and loads as rag and sentence-transformers do."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from kofinlaw import UserError
from kofinlaw.rag.retrieve.cross_encoder import CrossEncoder
from kofinlaw.trainer.retriever import reranker
from kofinlaw.trainer.retriever.reranker import RankGroup, fit_reranker
from kofinlaw.trainer.retriever.reranker_settings import RerankerSettings

WORDS = [f"{a}{b}" for a in "가나다라마" for b in "강산물불"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a BERT encoder of two layers without a pooler's weights, as the packed e5 is."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("base")
    words = ["<s>", "<pad>", "</s>", "<unk>", *WORDS]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", model_max_length=64
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, pad_token_id=1, max_position_embeddings=64, initializer_range=0.3,
    )  # fmt: skip
    model = BertModel(config)
    torch.nn.init.zeros_(model.pooler.dense.weight)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def groups() -> list[RankGroup]:
    """Passages that answer hold a word of the first ten, the others hold none."""
    rng = random.Random(0)
    out = []
    for number in range(60):
        words = [rng.choice(WORDS[:10]), *rng.sample(WORDS[10:], 3)]
        query = f"{rng.choice(WORDS)} {WORDS[number % 20]} {rng.choice(WORDS)}"
        out.append(RankGroup(query, tuple(f"{rng.choice(WORDS[10:])} {word}" for word in words)))
    return out


def settings(**values: object) -> RerankerSettings:
    plain = {"steps": 8, "batch": 4, "dtype": "float32", "checkpoint_steps": 3, "tokens": 16}
    return RerankerSettings.model_validate(
        {**plain, "layers": None, "learning_rate": 0.01, "held_out": 20, **values}
    )


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model" / "model.safetensors")


def test_training_puts_the_answer_first(base: Path, groups, tmp_path: Path) -> None:
    result = fit_reranker(base, groups, settings(steps=100), tmp_path, seed=0)
    assert result.last_loss < result.first_loss
    assert result.before is not None
    assert result.after is not None
    assert result.after.at_1 > max(result.before.at_1, 1.5 * result.after.by_chance)
    assert result.steps == result.planned_steps == 100
    assert json.loads(json.dumps(result.to_record()))["after"]["by_chance"] == 0.25


def test_the_folder_loads_alone_and_as_our_reranker(base: Path, groups, tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder as Alone

    fit_reranker(base, groups, settings(), tmp_path, seed=0)
    pairs = [(WORDS[0], WORDS[1]), (WORDS[2], " ".join(WORDS))]
    alone = Alone(str(tmp_path / "model"), local_files_only=True)
    assert alone.max_length == 16
    ours = CrossEncoder.load(tmp_path / "model").score(pairs)
    np.testing.assert_allclose(alone.predict(pairs), ours, atol=1e-5)


def test_only_the_upper_layers_learn(base: Path, groups, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    fit_reranker(base, groups, settings(layers=1), tmp_path, seed=0)
    before, after = load_file(base / "model.safetensors"), weights(tmp_path)
    kept = {name for name in before if np.array_equal(before[name], after[f"bert.{name}"])}
    assert {name for name in before if "layer.0." in name or "embeddings" in name} <= kept
    assert not any("layer.1." in name and "dense.weight" in name for name in kept)


def test_an_interrupted_training_gives_the_same_weights(
    base: Path, groups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_reranker(base, groups, settings(), tmp_path / "whole", seed=3)
    loss, steps = reranker._loss, iter(range(100))

    def killed(*given: object) -> object:
        if next(steps) == 5:
            raise KeyboardInterrupt
        return loss(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(reranker, "_loss", killed)
    with pytest.raises(KeyboardInterrupt):
        fit_reranker(base, groups, settings(), tmp_path / "cut", seed=3)
    assert [p.name for p in (tmp_path / "cut" / "checkpoints").iterdir()] == ["step-000003"]
    monkeypatch.setattr(reranker, "_loss", loss)
    fit_reranker(base, groups, settings(), tmp_path / "cut", seed=3)
    assert not (tmp_path / "cut" / "checkpoints").exists()
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(np.array_equal(whole[name], cut[name]) for name in whole)
    shutil.rmtree(tmp_path / "cut")
    fit_reranker(base, groups, settings(), tmp_path / "cut", seed=4)
    assert any(not np.array_equal(whole[n], w) for n, w in weights(tmp_path / "cut").items())


def test_a_budget_ends_the_training(base: Path, groups, tmp_path: Path) -> None:
    result = fit_reranker(base, groups, settings(budget_minutes=1e-9), tmp_path, seed=0)
    assert (result.steps, result.planned_steps) == (1, 8)
    assert (tmp_path / "model" / "config.json").is_file()


def test_bad_input_is_one_error(base: Path, groups, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none of the 1 queries"):
        fit_reranker(base, [RankGroup("가강", ("가강",))], settings(), tmp_path, seed=0)
    with pytest.raises(UserError, match="cannot be made a reranker"):
        fit_reranker(tmp_path, groups, settings(), tmp_path, seed=0)
    with pytest.raises(UserError, match="the loss of step"):
        fit_reranker(base, groups, settings(learning_rate=1e30, steps=20), tmp_path, seed=0)
    fewer = fit_reranker(base, groups[:4], settings(held_out=0), tmp_path / "few", seed=0)
    assert (fewer.before, fewer.after, fewer.groups) == (None, None, 4)
