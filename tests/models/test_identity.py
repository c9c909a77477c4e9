"""Fingerprints differ by the weights, not by names, sizes and headers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from kofinlaw.models.identity import model_fingerprint


def folder(path: Path, *, seed: int, width: int) -> Path:
    path.mkdir()
    weights = np.random.default_rng(seed).standard_normal((64, width)).astype(np.float32)
    save_file({"layer": weights}, path / "model.safetensors")
    (path / "config.json").write_text('{"model_type": "llama"}')
    return path


def test_the_same_shapes_trained_again_are_another_model(tmp_path: Path) -> None:
    for width in (16, 20_000):  # below and above what is read whole
        one, copy, other = (
            model_fingerprint(folder(tmp_path / f"{name}-{width}", seed=seed, width=width))
            for name, seed in (("one", 1), ("copy", 1), ("other", 2))
        )
        assert one == copy != other


def test_config_and_a_gguf_file_count_and_a_note_beside_them_does_not(tmp_path: Path) -> None:
    model = folder(tmp_path / "model", seed=1, width=16)
    before = model_fingerprint(model)
    (model / "README.md").write_text("card")
    assert model_fingerprint(model) == before
    gguf = tmp_path / "q8.gguf"
    gguf.write_bytes(b"GGUF1")
    with_gguf = model_fingerprint(model, gguf)
    gguf.write_bytes(b"GGUF2")
    assert len({before, with_gguf, model_fingerprint(model, gguf)}) == 3
    (model / "config.json").write_text('{"model_type": "gemma"}')
    assert model_fingerprint(model) != before
