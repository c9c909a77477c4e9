"""Two embedders joined into one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kofinlaw import UserError
from kofinlaw.models.embedders import embedder_identity, embedder_parts, open_embedder, unit_rows
from kofinlaw.models.embedding.joined import (
    FILE,
    JoinedPart,
    is_joined,
    join,
    read_parts,
    spread,
    write_joined,
)

ROWS = arrays(np.float32, (4, 3), elements=st.floats(-1, 1, width=32))


@given(first=ROWS, second=ROWS, weight=st.floats(0.01, 50))
@settings(max_examples=50, deadline=None)
def test_a_joined_cosine_is_the_weighted_mean_of_the_parts(first, second, weight) -> None:
    first, second = unit_rows(first + 0.01), unit_rows(second + 0.01)
    made = join([first, second], [JoinedPart("a", weight), JoinedPart("b", 1.0)])
    wanted = (weight * first @ first.T + second @ second.T) / (weight + 1)
    np.testing.assert_allclose(made @ made.T, wanted, atol=1e-5)


def test_the_spread_is_that_of_cosines() -> None:
    rows = unit_rows(np.array([[1, 0], [0, 1], [1, 0], [1, 0]], np.float32))
    assert spread(rows) == pytest.approx(0.5)
    assert spread(rows[2:]) == 1e-6


def test_the_parts_of_a_folder_are_opened(tmp_path: Path, save_embedder) -> None:
    words = ["보관", "기간", "점검", "보고"]
    save_embedder(tmp_path / "model", words)
    save_embedder(tmp_path / "base", words[::-1])
    base = str(tmp_path / "base")
    write_joined(tmp_path / "joined", [JoinedPart(base, 3.0), JoinedPart("../model", 1.0)])
    name = str(tmp_path / "joined")
    assert is_joined(tmp_path / "joined")
    assert embedder_parts(name) == [base, str(tmp_path / "model")]
    assert embedder_parts(base) == [base]
    joined = open_embedder(name, cache=tmp_path / "cache")
    assert joined.dimensions == 32
    texts = ["보관 기간", "점검 보고"]
    parts = [open_embedder(one).encode_passages(texts) for one in embedder_parts(name)]
    wanted = (3 * parts[0] @ parts[0].T + parts[1] @ parts[1].T) / 4
    found = joined.encode_passages(texts)
    np.testing.assert_allclose(found @ found.T, wanted, atol=2e-3)
    each = [open_embedder(one).count_tokens(texts) for one in embedder_parts(name)]
    assert each == [8, 8]  # two words and two marks of each text
    assert joined.count_tokens(texts) == joined.without_cache().count_tokens(texts) == 16
    before = embedder_identity(name)
    write_joined(tmp_path / "joined", [JoinedPart(base, 2.0), JoinedPart("../model", 1.0)])
    assert embedder_identity(name) != before
    assert joined.name == before


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "broken"),
        ("[]", "broken"),
        ('{"parts": []}', "two parts"),
        ('{"parts": [{"embedder": "a", "weight": 1}]}', "two parts"),
        ('{"parts": [{"embedder": "a", "weight": 0}, {"embedder": "b", "weight": 1}]}', "above 0"),
        ('{"parts": [{"embedder": "", "weight": 1}, {"embedder": "b", "weight": 1}]}', "missing"),
        ('{"parts": [{"embedder": ".", "weight": 1}, {"embedder": "b", "weight": 1}]}', "itself"),
        ('{"parts": [{"weight": 1}]}', "broken"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=why) as caught:
        read_parts(tmp_path)
    assert FILE in str(caught.value.where)


def test_a_part_that_is_gone_is_named(tmp_path: Path) -> None:
    rows = [{"embedder": "../gone", "weight": 1}, {"embedder": "../gone2", "weight": 1}]
    (tmp_path / FILE).write_text(json.dumps({"parts": rows}), encoding="utf-8")
    with pytest.raises(
        UserError, match=f"needs the embedder in {tmp_path.parent / 'gone'}"
    ) as caught:
        open_embedder(str(tmp_path))
    assert "fit-retriever" in (caught.value.remedy or "")
    assert caught.value.where == str(tmp_path / FILE)
