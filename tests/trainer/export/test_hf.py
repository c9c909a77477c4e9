"""The exported copy of a merge."""

from __future__ import annotations

import pytest

from kofinlaw import UserError
from kofinlaw.trainer.export.hf import to_hf
from kofinlaw.trainer.merge.merge_model import merge_adapter


def test_the_hf_form_has_the_bytes_of_the_merge(tmp_path, llama, plain_adapter):
    merge_adapter(plain_adapter, llama, tmp_path / "m", base="original")
    to_hf(tmp_path / "m", tmp_path / "hf")
    files = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / "hf").iterdir()} == files
    (tmp_path / "m" / "tokenizer.json").write_text("{}")
    with pytest.raises(UserError, match=r"tokenizer\.json is not the file that the merge wrote"):
        to_hf(tmp_path / "m", tmp_path / "changed")
    assert not (tmp_path / "changed").exists()
