"""GGUF files in llama.cpp."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.trainer.proof.gguf_measure import GgufModel


def test_a_broken_gguf_is_refused(tmp_path):
    pytest.importorskip("xllamacpp", reason="the extra `quickstart` is not installed")
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + b"\0" * 100)
    with pytest.raises(UserError, match="refuses the file"):
        GgufModel(tmp_path / "m.gguf", context=32)
