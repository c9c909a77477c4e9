"""Train a pico embedder: it learns, resumes exactly, and loads in sentence-transformers alone."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from kofinlaw import UserError
from kofinlaw.models.embedders import embedder_identity, open_embedder
from kofinlaw.trainer.retriever import fit as fitting
from kofinlaw.trainer.retriever.fit import fit_embedder
from kofinlaw.trainer.retriever.schedule import TrainingPair
from kofinlaw.trainer.retriever.settings import RetrieverSettings

WORDS = [f"{a}{b}" for a in "가나다라마바사" for b in "강산물불해달"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, save_embedder) -> Path:
    return save_embedder(tmp_path_factory.mktemp("pico"), WORDS)


@pytest.fixture(scope="module")
def pairs() -> list[TrainingPair]:
    """Queries whose word the passage names by another: nothing to find without training."""
    rng = random.Random(0)
    other = dict(zip(WORDS, [*WORDS[7:], *WORDS[:7]], strict=True))
    return [
        TrainingPair(word, f"{other[word]} {rng.choice(WORDS)}", "", "citing", f"{word}{n}")
        for n in range(6)
        for word in WORDS
    ]


def settings(**values: object) -> RetrieverSettings:
    plain = {"steps": 12, "batch": 8, "pass_pairs": 8, "dtype": "float32", "checkpoint_steps": 4}
    return RetrieverSettings.model_validate({**plain, "learning_rate": 0.01, **values})


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model" / "model.safetensors")


def test_training_lowers_the_loss_and_finds_more(base: Path, pairs, tmp_path: Path) -> None:
    result = fit_embedder(base, pairs, settings(steps=60), tmp_path, seed=0)
    assert result.last_loss < result.first_loss
    assert result.before is not None
    assert result.after is not None
    assert result.after.mrr > result.before.mrr
    assert result.steps == result.planned_steps == 60


def test_questions_of_people_are_measured_alone(base: Path, pairs, tmp_path: Path) -> None:
    issues = [
        TrainingPair(f"{word} 쟁점", f"{word}은 답이다", "", "decision", f"issue {word}{n}")
        for n in range(3)
        for word in WORDS
    ]
    few = settings(steps=1, held_out_share=0.4)
    built = fit_embedder(base, pairs, few, tmp_path / "built", seed=0)
    both = fit_embedder(base, [*pairs, *issues], few, tmp_path / "both", seed=0)
    assert built.after is not None
    assert not built.after.judged
    assert both.after is not None
    assert both.after.judged
    assert 30 <= both.after.queries <= len(issues)


@pytest.mark.parametrize("method", ["full", "lora", "static"])
def test_the_folder_loads_alone_and_as_our_embedder(
    base: Path, pairs, tmp_path: Path, method: str
) -> None:
    fit_embedder(base, pairs, settings(method=method, lora_rank=2), tmp_path, seed=0)
    model = SentenceTransformer(str(tmp_path / "model"), local_files_only=True)
    alone = model.encode(WORDS[:4], normalize_embeddings=True)
    ours = open_embedder(str(tmp_path / "model")).encode_passages(WORDS[:4])
    np.testing.assert_allclose(alone, ours, atol=1e-3)
    started = SentenceTransformer(str(base), local_files_only=True).encode(WORDS[:4])
    assert np.abs(alone - started).max() > 1e-3
    assert embedder_identity(str(base)) != embedder_identity(str(tmp_path / "model"))


def interrupt(base, pairs, chosen, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start a training and stop it before its seventh step."""
    loss, steps = fitting._loss, iter(range(100))

    def killed(*given: object) -> torch.Tensor:
        if next(steps) == 6:
            raise KeyboardInterrupt
        return loss(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "_loss", killed)
    with pytest.raises(KeyboardInterrupt):
        fit_embedder(base, pairs, chosen, out, seed=3)
    monkeypatch.undo()


@pytest.mark.parametrize("method", ["full", "lora", "static"])
def test_an_interrupted_training_gives_the_same_weights(
    base: Path, pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    chosen = settings(method=method, lora_rank=2)
    fit_embedder(base, pairs, chosen, tmp_path / "whole", seed=3)
    interrupt(base, pairs, chosen, tmp_path / "cut", monkeypatch)
    loss = fitting._loss
    taken: list[object] = []

    def counted(*given: object) -> torch.Tensor:
        taken.append(given[1])
        return loss(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(fitting, "_loss", counted)
    fit_embedder(base, pairs, chosen, tmp_path / "cut", seed=3)
    assert len(taken) == 12 - 4
    whole, cut = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert whole.keys() == cut.keys()
    assert all(np.array_equal(whole[name], cut[name]) for name in whole)


def test_a_damaged_checkpoint_and_that_of_other_settings_are_passed_over(
    base: Path, pairs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_embedder(base, pairs, settings(), tmp_path / "whole", seed=3)
    assert not (tmp_path / "whole" / "checkpoints").exists()
    for name in ("damaged", "other"):
        interrupt(base, pairs, settings(), tmp_path / name, monkeypatch)
    (saved,) = (tmp_path / "damaged" / "checkpoints").glob("step-*")
    optimizer = saved / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:-1] + b"x")
    fit_embedder(base, pairs, settings(), tmp_path / "damaged", seed=3)
    first, again = weights(tmp_path / "whole"), weights(tmp_path / "damaged")
    assert all(np.array_equal(first[name], again[name]) for name in first)
    faster = settings(learning_rate=0.02)
    fit_embedder(base, pairs, faster, tmp_path / "other", seed=3)
    fit_embedder(base, pairs, faster, tmp_path / "fresh", seed=3)
    other, fresh = weights(tmp_path / "other"), weights(tmp_path / "fresh")
    assert all(np.array_equal(other[name], fresh[name]) for name in fresh)


def test_smaller_passes_have_the_same_gradient(base: Path, pairs, tmp_path: Path) -> None:
    def plain(name: str, **values: object) -> dict[str, np.ndarray]:
        torch.manual_seed(0)
        fit_embedder(base, pairs, settings(steps=1, **values), tmp_path / name, seed=0)
        return weights(tmp_path / name)

    folder = tmp_path / "base"
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    base = folder
    whole, cut = plain("whole"), plain("cut", pass_pairs=3)
    # Adam's first step is the sign of the gradient times the learning rate.
    same = [np.isclose(whole[name], cut[name], atol=1e-4).mean() for name in whole]
    assert min(same) > 0.97


def test_a_budget_ends_the_training_with_what_is_learned(base: Path, pairs, tmp_path: Path) -> None:
    result = fit_embedder(base, pairs, settings(budget_minutes=1e-6), tmp_path, seed=0)
    assert result.steps == 1
    assert (tmp_path / "model" / "model.safetensors").is_file()


def test_no_pairs_and_a_folder_that_is_no_embedder_are_named(
    base: Path, pairs, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no pairs to train on"):
        fit_embedder(base, [], settings(), tmp_path, seed=0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="not an embedder"):
        fit_embedder(tmp_path / "empty", pairs, settings(), tmp_path / "out", seed=0)
    with pytest.raises(UserError, match="not an embedder"):
        open_embedder(str(tmp_path / "empty"))
